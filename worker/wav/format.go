package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"ringmaster/worker/codec"
)

// The format tags of the WAVE form that can be read.
const (
	tagPCM        = 1
	tagFloat      = 3
	tagALaw       = 6
	tagMuLaw      = 7
	tagExtensible = 0xFFFE // the real tag begins the GUID further on
)

// format is what a file's fmt chunk says, checked.
type format struct {
	rate, channels int
	bytes          int // of one sample of one channel
	sample         func([]byte) float64
}

func (f format) frameBytes() int { return f.channels * f.bytes }

// mono mixes one frame down to a sample of 16 bits.
func (f format) mono(frame []byte) int16 {
	var sum float64
	for c := range f.channels {
		sum += f.sample(frame[c*f.bytes:])
	}
	v := math.Round(sum / float64(f.channels))
	if v != v { // a float file may hold NaN
		return 0
	}
	return int16(max(-32768, min(32767, v)))
}

// mostChunks is how many chunks may come before the samples.
const mostChunks = 1000

// readHeader finds the format and the samples. Chunks that mean nothing to us
// are passed over, sizes that cannot be are taken for "until the end".
func (r *Reader) readHeader() error {
	info, err := r.file.Stat()
	if err != nil {
		return cause(err)
	}
	var head [12]byte
	if _, err := r.file.ReadAt(head[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return cause(err)
	}
	if id := string(head[:4]); id != "RIFF" && id != "RF64" || string(head[8:]) != "WAVE" {
		return errors.New("it does not begin as a WAV file does")
	}
	at, known := int64(len(head)), false
	for range mostChunks {
		var chunk [8]byte
		if _, err := r.file.ReadAt(chunk[:], at); err != nil {
			break
		}
		at += int64(len(chunk))
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "fmt ":
			if r.format, err = r.readFormat(at, size); err != nil {
				return err
			}
			known = true
		case "data":
			if !known {
				return errors.New("its samples come before their format")
			}
			r.begin, r.end = at, at+size
			if size == 0 || r.end > info.Size() { // its writer did not live to fill it in
				r.end = info.Size()
			}
			if r.end-r.begin < int64(r.format.frameBytes()) {
				return errors.New("it holds no samples")
			}
			return nil
		}
		at += size + size&1
	}
	return errors.New("it holds no samples")
}

func (r *Reader) readFormat(at, size int64) (format, error) {
	var data [40]byte
	if size < 16 {
		return format{}, errors.New("its format description is too short")
	}
	n, _ := r.file.ReadAt(data[:min(size, int64(len(data)))], at)
	if n < 16 {
		return format{}, errors.New("its format description is too short")
	}
	le := binary.LittleEndian
	tag, bits := int(le.Uint16(data[0:])), int(le.Uint16(data[14:]))
	if tag == tagExtensible {
		if n < 26 {
			return format{}, errors.New("its format description is too short")
		}
		tag = int(le.Uint16(data[24:]))
	}
	f := format{rate: int(le.Uint32(data[4:])), channels: int(le.Uint16(data[2:])), bytes: (bits + 7) / 8}
	if f.rate < 1000 || f.rate > 400_000 {
		return format{}, fmt.Errorf("its sample rate of %d Hz is not between 1000 and 400000", f.rate)
	}
	if f.channels < 1 || f.channels > 64 {
		return format{}, fmt.Errorf("it has %d channels, not 1 to 64", f.channels)
	}
	f.sample = sampleReader(tag, f.bytes)
	if f.sample == nil {
		return format{}, fmt.Errorf("format %d with %d bits is not one of PCM of 8, 16, 24 and 32 bits, float of 32 and 64, A-law and mu-law", tag, bits)
	}
	return f, nil
}

// sampleReader reads one sample as a number on the scale of 16 bits; nil when
// there is no such format.
func sampleReader(tag, bytes int) func([]byte) float64 {
	le := binary.LittleEndian
	switch {
	case tag == tagPCM && bytes == 1: // the only kind without a sign
		return func(b []byte) float64 { return float64(int(b[0])-128) * 256 }
	case tag == tagPCM && bytes == 2:
		return func(b []byte) float64 { return float64(int16(le.Uint16(b))) }
	case tag == tagPCM && bytes == 3:
		return func(b []byte) float64 {
			return float64(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)) / 65536
		}
	case tag == tagPCM && bytes == 4:
		return func(b []byte) float64 { return float64(int32(le.Uint32(b))) / 65536 }
	case tag == tagFloat && bytes == 4:
		return func(b []byte) float64 { return float64(math.Float32frombits(le.Uint32(b))) * 32768 }
	case tag == tagFloat && bytes == 8:
		return func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) * 32768 }
	case tag == tagALaw && bytes == 1:
		return func(b []byte) float64 { return float64(codec.ExpandA(b[0])) }
	case tag == tagMuLaw && bytes == 1:
		return func(b []byte) float64 { return float64(codec.ExpandMu(b[0])) }
	}
	return nil
}
