package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func file(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.wav")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func chunk(id string, data []byte) []byte {
	b := append([]byte(id), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(data)))
	b = append(b, data...)
	if len(data)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func riff(chunks ...[]byte) []byte {
	body := append([]byte("WAVE"), bytes.Join(chunks, nil)...)
	return chunk("RIFF", body)
}

func formatChunk(tag, channels, rate, bits int) []byte {
	var b []byte
	le := binary.LittleEndian
	frame := channels * ((bits + 7) / 8)
	b = le.AppendUint16(b, uint16(tag))
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*frame))
	b = le.AppendUint16(b, uint16(frame))
	b = le.AppendUint16(b, uint16(bits))
	return chunk("fmt ", b)
}

func extensible(tag, channels, rate, bits int) []byte {
	b := formatChunk(tagExtensible, channels, rate, bits)[8:]
	b = append(b, 22, 0, byte(bits), 0, 4, 0, 0, 0, byte(tag), 0)
	b = append(b, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71)
	return chunk("fmt ", b)
}

func little(values ...any) []byte {
	var b bytes.Buffer
	for _, v := range values {
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	return b.Bytes()
}

func readAll(t *testing.T, r *Reader) []int16 {
	t.Helper()
	var out []int16
	buf := make([]int16, 3)
	for {
		n, err := r.Read(buf)
		out = append(out, buf[:n]...)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryKindIsRead(t *testing.T) {
	nan := math.NaN()
	data16 := chunk("data", little(int16(1), int16(-2), int16(300), int16(32767), int16(-32768)))
	want16 := []int16{1, -2, 300, 32767, -32768}
	oversized := chunk("data", little(int16(1), int16(-2)))
	binary.LittleEndian.PutUint32(oversized[4:], 0xFFFFFFFF)
	unfinished := chunk("data", little(int16(1), int16(-2)))
	binary.LittleEndian.PutUint32(unfinished[4:], 0)
	wrongSize := riff(formatChunk(1, 1, 8000, 16), data16)
	binary.LittleEndian.PutUint32(wrongSize[4:], 4)

	for _, c := range []struct {
		name string
		data []byte
		want []int16
	}{
		{"16 bit", riff(formatChunk(1, 1, 8000, 16), data16), want16},
		{"8 bit", riff(formatChunk(1, 1, 8000, 8), chunk("data", []byte{128, 0, 255})), []int16{0, -32768, 32512}},
		{"24 bit", riff(formatChunk(1, 1, 8000, 24), chunk("data", []byte{0, 1, 0, 0, 0, 0x80, 0, 0xFF, 0xFF})), []int16{1, -32768, -1}},
		{"32 bit", riff(formatChunk(1, 1, 8000, 32), chunk("data", little(int32(65536*7), int32(math.MinInt32)))), []int16{7, -32768}},
		{"float 32", riff(formatChunk(3, 1, 8000, 32), chunk("data", little(float32(0.5), float32(-2)))), []int16{16384, -32768}},
		{"float 64", riff(formatChunk(3, 1, 8000, 64), chunk("data", little(0.25, 9.0, nan))), []int16{8192, 32767, 0}},
		{"A-law", riff(formatChunk(6, 1, 8000, 8), chunk("data", []byte{0xD5, 0x55})), []int16{8, -8}},
		{"mu-law", riff(formatChunk(7, 1, 8000, 8), chunk("data", []byte{0x80, 0xFF})), []int16{32124, 0}},
		{"extensible PCM", riff(extensible(1, 1, 8000, 16), data16), want16},
		{"extensible float", riff(extensible(3, 1, 8000, 32), chunk("data", little(float32(1.0/32768)))), []int16{1}},
		{"stereo", riff(formatChunk(1, 2, 8000, 16), chunk("data", little(int16(100), int16(200), int16(-100), int16(101)))), []int16{150, 1}},
		{"six channels", riff(formatChunk(1, 6, 8000, 16), chunk("data", little(int16(60), int16(0), int16(0), int16(0), int16(0), int16(0)))), []int16{10}},
		{"a LIST before, an odd chunk, and one after", riff(chunk("LIST", []byte("INFOISFTxyz")), formatChunk(1, 1, 8000, 16), chunk("odd ", []byte("abc")), data16, chunk("LIST", []byte("INFO"))), want16},
		{"samples until the end", riff(formatChunk(1, 1, 8000, 16), oversized), []int16{1, -2}},
		{"a size that was never filled in", riff(formatChunk(1, 1, 8000, 16), unfinished), []int16{1, -2}},
		{"a wrong RIFF size", wrongSize, want16},
		{"cut off within a sample", riff(formatChunk(1, 1, 8000, 16), data16)[:44+5], []int16{1, -2}},
	} {
		r, err := Open(file(t, c.data))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for pass := range 2 {
			if got := readAll(t, r); !slices.Equal(got, c.want) {
				t.Errorf("%s, pass %d: %v, want %v", c.name, pass, got, c.want)
			}
			if err := r.Rewind(); err != nil {
				t.Error(err)
			}
		}
		if r.Rate() != 8000 {
			t.Errorf("%s: rate %d", c.name, r.Rate())
		}
		r.Close()
	}
}

func TestWhatIsNoWAVIsRefusedWithoutItsText(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "it does not begin as a WAV file does"},
		{"text", []byte("SECRET=hunter2 and more of it, long enough"), "it does not begin as a WAV file does"},
		{"AVI", []byte("RIFF\x10\x00\x00\x00AVI LIST secret secret"), "it does not begin as a WAV file does"},
		{"no chunks", []byte("RIFF\x04\x00\x00\x00WAVE"), "it holds no samples"},
		{"no samples", riff(formatChunk(1, 1, 8000, 16), chunk("data", nil)), "it holds no samples"},
		{"no format", riff(chunk("data", []byte("secret"))), "its samples come before their format"},
		{"MP3 in WAV", riff(formatChunk(0x55, 1, 8000, 0), chunk("data", []byte("secret"))), "format 85 with 0 bits is not one of"},
		{"12 channels of 20 bits as PCM", riff(formatChunk(1, 12, 8000, 40), chunk("data", []byte("secret"))), "format 1 with 40 bits is not one of"},
		{"no channels", riff(formatChunk(1, 0, 8000, 16), chunk("data", []byte("secret"))), "it has 0 channels, not 1 to 64"},
		{"no rate", riff(formatChunk(1, 1, 0, 16), chunk("data", []byte("secret"))), "its sample rate of 0 Hz is not between 1000 and 400000"},
		{"short format", riff(chunk("fmt ", []byte("sec")), chunk("data", []byte("secret"))), "its format description is too short"},
		{"short extensible", riff(formatChunk(tagExtensible, 1, 8000, 16), chunk("data", []byte("secret"))), "its format description is too short"},
	} {
		path := file(t, c.data)
		_, err := Open(path)
		want := `"` + path + `" is not a WAV file that can be played: ` + c.want
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(strings.ToLower(err.Error()), "secret") {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, want)
		}
	}
	inside := file(t, riff(formatChunk(1, 1, 8000, 16), chunk("data", little(int16(1)))))
	if r, err := OpenUnder(filepath.Dir(inside), inside); err != nil {
		t.Errorf("a file under the folder: %v", err)
	} else {
		r.Close()
	}
	elsewhere := t.TempDir()
	if _, err := OpenUnder(elsewhere, inside); err == nil || err.Error() != `"`+inside+`" is not a file under `+elsewhere+`, and no others are taken` {
		t.Errorf("a file elsewhere: %v", err)
	}
	text := file(t, []byte("SECRET=hunter2 and more of it, long enough"))
	if _, err := OpenUnder(filepath.Dir(text), text); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("text under the folder: %v", err)
	}
	dir := t.TempDir()
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(dir + "/no.wav"); err == nil || err.Error() != `there is no file "`+dir+`/no.wav"` {
		t.Errorf("a missing file: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(riff(extensible(1, 2, 44100, 24), chunk("data", []byte("abcdef"))))
	path := filepath.Join(f.TempDir(), "x.wav")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := Open(path); err == nil {
			readAll(t, r)
			r.Close()
		}
	})
}

func TestWriterIsValidAfterEveryAppend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.wav")
	w, err := Create(path, 16000)
	if err != nil {
		t.Fatal(err)
	}
	var want []int16
	for i := range 5 {
		pcm := []int16{int16(i), -1, 32767}
		want = append(want, pcm...)
		if err := w.Append(pcm); err != nil {
			t.Fatal(err)
		}
		r, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, r); !slices.Equal(got, want) || r.Rate() != 16000 {
			t.Errorf("after %d: %v at %d Hz", i, got, r.Rate())
		}
		r.Close()
		data, _ := os.ReadFile(path)
		if int64(len(data)) != w.Size() || binary.LittleEndian.Uint32(data[40:]) != uint32(2*w.Samples()) || binary.LittleEndian.Uint32(data[4:]) != uint32(len(data)-8) {
			t.Errorf("after %d the header says %x of %d bytes", i, data[:44], len(data))
		}
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Create(path, 8000); err == nil || strings.Count(err.Error(), path) != 1 {
		t.Errorf("an existing file: %v", err)
	}
}
