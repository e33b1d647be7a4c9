package interop

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"

	"ringmaster/tests/peers"
	"ringmaster/worker/codec"
)

// TestG722IsSpandsps compares our G.722 with libspandsp's, byte for byte, in
// both directions. Where the decoded sound goes beyond 16 bits, ours stops at
// the end of the range, as the ITU-T's own arithmetic (G.191) does, and
// libspandsp 0.0.6 wraps round.
func TestG722IsSpandsps(t *testing.T) {
	if !peers.Wanted() {
		t.Skipf("%s is not 1: run this by `make interop`", peers.Variable)
	}
	covers(t, "G.722 bit by bit, encoded and decoded", "libspandsp")
	program := filepath.Join(t.TempDir(), "g722")
	if said, err := exec.Command("cc", "-O1", "-o", program, "testdata/spandsp/g722.c", "-lspandsp").CombinedOutput(); err != nil {
		t.Fatalf("a C compiler and libspandsp-dev are needed (scripts/install-peers): %v\n%s", err, said)
	}
	theirs := func(way string, in []byte) []byte {
		cmd := exec.Command(program, way)
		cmd.Stdin = bytes.NewReader(in)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, pcm := range signals() {
		ours := g722(t).Encode(nil, pcm)
		if got := theirs("encode", packed(pcm)); !bytes.Equal(ours, got) {
			t.Errorf("%s: our %d bytes and their %d are not the same", name, len(ours), len(got))
		}
		same(t, name, g722(t).Decode(nil, ours), unpacked(theirs("decode", ours)))
	}
	random := rand.New(rand.NewPCG(7, 22))
	codes := make([]byte, 100_000)
	for i := range codes {
		codes[i] = byte(random.Uint32())
	}
	same(t, "any bytes", g722(t).Decode(nil, codes), unpacked(theirs("decode", codes)))
}

func g722(t *testing.T) codec.Coder {
	t.Helper()
	c, err := codec.New(codec.G722)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// signals are ten seconds each, at 16 kHz.
func signals() map[string][]int16 {
	const n = 160_000
	random := rand.New(rand.NewPCG(1, 2))
	made := map[string][]int16{}
	add := func(name string, sample func(i int) float64) {
		pcm := make([]int16, n)
		for i := range pcm {
			pcm[i] = int16(max(-32768, min(32767, sample(i))))
		}
		made[name] = pcm
	}
	second := func(i int) float64 { return float64(i) / 16000 }
	add("silence", func(int) float64 { return 0 })
	add("noise at full scale", func(int) float64 { return float64(random.IntN(65536) - 32768) })
	add("noise that swells and fades", func(i int) float64 { return random.NormFloat64() * 12000 * math.Pow(math.Sin(second(i)), 4) })
	add("a square wave at full scale", func(i int) float64 { return float64(65535*(i/37%2) - 32768) })
	add("a sine that rises to 8 kHz", func(i int) float64 { return 30000 * math.Sin(2*math.Pi*400*second(i)*second(i)) })
	add("noise that is not too loud", func(int) float64 { return random.NormFloat64() * 3000 })
	add("clicks", func(i int) float64 { return map[bool]float64{true: 32767}[i%1600 == 0] })
	// A pitch that moves, its harmonics, syllables, and breath.
	add("something like speech", func(i int) float64 {
		at := second(i)
		phase := 2 * math.Pi * (120*at + 6*math.Sin(3*at))
		voice := 0.0
		for k := 1.0; k <= 30; k++ {
			voice += math.Sin(k*phase) / k * (1 + math.Cos(k*at))
		}
		return math.Max(0, math.Sin(2*math.Pi*3*at))*6000*voice + 200*random.NormFloat64()
	})
	return made
}

func packed(pcm []int16) []byte {
	out := make([]byte, 0, 2*len(pcm))
	for _, x := range pcm {
		out = binary.LittleEndian.AppendUint16(out, uint16(x))
	}
	return out
}

func unpacked(data []byte) []int16 {
	pcm := make([]int16, len(data)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(data[2*i:]))
	}
	return pcm
}

func same(t *testing.T, what string, ours, theirs []int16) {
	t.Helper()
	if len(ours) != len(theirs) {
		t.Errorf("%s, decoded: %d samples, theirs are %d", what, len(ours), len(theirs))
		return
	}
	wrapped := 0
	for i, x := range ours {
		switch y := theirs[i]; {
		case x == y:
		case x == 32767 && y < 0, x == -32768 && y > 0:
			wrapped++
		default:
			t.Errorf("%s, decoded: sample %d is %d, theirs is %d", what, i, x, y)
			return
		}
	}
	t.Logf("%s: %d samples are the same but for %d beyond 16 bits", what, len(ours), wrapped)
}
