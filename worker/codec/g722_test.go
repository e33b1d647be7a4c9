package codec

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"slices"
	"testing"
)

// The ITU-T test sequences (software tool library, G.191, g722/test_data) lie
// in the folder that G722_VECTORS names; they are not ours to ship.
func TestG722MatchesTheTestSequences(t *testing.T) {
	dir := os.Getenv("G722_VECTORS")
	if dir == "" {
		t.Skip("G722_VECTORS does not name a folder; TestG722KeepsItsBits holds what it proved")
	}
	words := func(name string) []int16 {
		data, err := os.ReadFile(dir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		w := make([]int16, len(data)/2)
		for i := range w {
			w[i] = int16(binary.LittleEndian.Uint16(data[2*i:]))
		}
		return w
	}
	pcm, codes, out := words("inpsp.bin"), words("codspw.cod"), words("outsp1.bin")
	want := make([]byte, len(codes))
	for i, c := range codes {
		want[i] = byte(c)
	}
	got := newG722().Encode(nil, pcm)
	if !slices.Equal(got, want) {
		t.Errorf("the encoder's %d bytes differ from the %d of codspw.cod at %d", len(got), len(want), firstDifference(got, want))
	}
	decoded := newG722().Decode(nil, want)
	if !slices.Equal(decoded, out) {
		t.Errorf("the decoder's %d samples differ from the %d of outsp1.bin at %d", len(decoded), len(out), firstDifference(decoded, out))
	}
}

func firstDifference[T comparable](a, b []T) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// The hashes were taken when this code matched the ITU-T test sequences and
// must never change.
func TestG722KeepsItsBits(t *testing.T) {
	pcm := noise(32000)
	payload := newG722().Encode(nil, pcm)
	check := func(what string, data []byte, want string) {
		sum := sha256.Sum256(data)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s has SHA-256 %s, want %s", what, got, want)
		}
	}
	check("the code of the noise", payload, "5bd0aa24fe4cf4e8a42beb46a58c35c52ded64cc426b34c86b8f43a8f17a64fa")
	var out []byte
	for _, x := range newG722().Decode(nil, payload) {
		out = binary.LittleEndian.AppendUint16(out, uint16(x))
	}
	check("the noise decoded again", out, "fafac26df3b1c54964cddb8dfad741a067436ff0d4cdda1061fe43322048f564")
}

// noise is a fixed sequence that reaches both ends of the range, loud and soft
// by turns.
func noise(n int) []int16 {
	pcm := make([]int16, n)
	state := uint32(1)
	for i := range pcm {
		state = state*1664525 + 1013904223
		pcm[i] = int16(state>>16) >> (i / 1600 % 8)
	}
	return pcm
}
