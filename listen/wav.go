package listen

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"time"
)

// Recording is a mono 16-bit WAV file in memory.
type Recording struct {
	Rate    int // samples per second
	Samples []int16
}

// Read loads a mono 16-bit PCM file. Anything else, a header whose lengths do
// not match the file among it, is an error.
func Read(path string) (Recording, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Recording{}, err
	}
	r, err := Parse(raw)
	if err != nil {
		return Recording{}, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Parse is Read for a file that is in memory.
func Parse(raw []byte) (Recording, error) {
	if len(raw) < 12 || string(raw[:4]) != "RIFF" || string(raw[8:12]) != "WAVE" {
		return Recording{}, errors.New("not a RIFF WAVE file")
	}
	if riff := int(binary.LittleEndian.Uint32(raw[4:])); riff != len(raw)-8 {
		return Recording{}, fmt.Errorf("RIFF says %d bytes follow, and there are %d", riff, len(raw)-8)
	}
	var r Recording
	for rest := raw[12:]; len(rest) >= 8; {
		name, size := string(rest[:4]), int(binary.LittleEndian.Uint32(rest[4:]))
		if size > len(rest)-8 {
			return Recording{}, fmt.Errorf("chunk %q says %d bytes, and there are %d", name, size, len(rest)-8)
		}
		body := rest[8 : 8+size]
		switch name {
		case "fmt ":
			if size < 16 {
				return Recording{}, errors.New("the fmt chunk is too short")
			}
			format, channels, bits := binary.LittleEndian.Uint16(body), binary.LittleEndian.Uint16(body[2:]), binary.LittleEndian.Uint16(body[14:])
			if format != 1 || channels != 1 || bits != 16 {
				return Recording{}, fmt.Errorf("format %d with %d channels of %d bits; only PCM (1), mono, 16 bits is read", format, channels, bits)
			}
			r.Rate = int(binary.LittleEndian.Uint32(body[4:]))
		case "data":
			if r.Rate == 0 {
				return Recording{}, errors.New("the data chunk comes before the fmt chunk")
			}
			r.Samples = make([]int16, size/2)
			for i := range r.Samples {
				r.Samples[i] = int16(binary.LittleEndian.Uint16(body[2*i:]))
			}
			return r, nil
		}
		rest = rest[min(len(rest), 8+size+size%2):]
	}
	return Recording{}, errors.New("no data chunk")
}

// Duration is how long the recording plays.
func (r Recording) Duration() time.Duration {
	if r.Rate == 0 {
		return 0
	}
	return time.Duration(len(r.Samples)) * time.Second / time.Duration(r.Rate)
}

// Between cuts a part out of the recording, clipped to what there is.
func (r Recording) Between(from, to time.Duration) Recording {
	at := func(d time.Duration) int {
		return min(max(0, int(d*time.Duration(r.Rate)/time.Second)), len(r.Samples))
	}
	first, last := at(from), at(to)
	return Recording{Rate: r.Rate, Samples: r.Samples[first:max(first, last)]}
}

// Tone makes a sine of the given frequency and level.
func Tone(rate int, hz, dBov float64, d time.Duration) Recording {
	r := Recording{Rate: rate, Samples: make([]int16, int(d*time.Duration(rate)/time.Second))}
	amplitude := fullScale * math.Sqrt2 * math.Pow(10, dBov/20)
	for i := range r.Samples {
		r.Samples[i] = int16(math.Round(amplitude * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
	}
	return r
}

// Write stores the recording as a WAV file of the given number of channels,
// each a copy of the recording.
func (r Recording) Write(path string, channels int) error {
	data := len(r.Samples) * 2 * channels
	var b bytes.Buffer
	header := []any{
		[]byte("RIFF"), uint32(36 + data), []byte("WAVE"),
		[]byte("fmt "), uint32(16), uint16(1), uint16(channels), uint32(r.Rate), uint32(r.Rate * 2 * channels), uint16(2 * channels), uint16(16),
		[]byte("data"), uint32(data),
	}
	for _, v := range header {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			return err
		}
	}
	for _, s := range r.Samples {
		for range channels {
			b.Write([]byte{byte(s), byte(s >> 8)})
		}
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}
