package report

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"path/filepath"
	"strings"
	"time"

	"ringmaster/listen"
	"ringmaster/proto/artifact"
)

// Sound is one recording.
type Sound struct {
	Title    string // whose it is
	File     string // its name
	URI      string // of the resource; "" when there is none
	Length   string
	Level    string
	Waveform template.HTML
	Data     template.URL // the whole file, to be played; "" when it is too big
	Fault    string       // why it cannot be shown
}

const (
	// soundBound is how many bytes of a recording a page takes in: more than
	// four minutes at 8 kHz.
	soundBound = 4 << 20
	// soundsBound is that of all recordings of a page.
	soundsBound = 12 << 20
	// drawnBound is how many bytes of a recording are looked at.
	drawnBound = 64 << 20

	waveWidth, waveHeight = 600, 80
)

// Sounds collects the recordings of a page.
type Sounds struct {
	list []Sound
	size int
}

// Add takes the recording at a path, which must lie below a folder. One that
// cannot be read is there all the same, and says so.
func (s *Sounds) Add(title, folder, path, uri string) {
	one := Sound{Title: title, File: filepath.Base(path), URI: uri}
	raw, err := readBelow(folder, path)
	switch {
	case err != nil:
		one.Fault = "the file is not there any more"
	case len(raw) > drawnBound:
		one.Fault = fmt.Sprintf("the file has more than %d MB, too many to be drawn", drawnBound>>20)
	default:
		s.take(&one, raw)
	}
	s.list = append(s.list, one)
}

func readBelow(folder, path string) ([]byte, error) {
	f, err := artifact.OpenUnder(folder, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, drawnBound+1))
}

// List is what was collected.
func (s *Sounds) List() []Sound { return s.list }

func (s *Sounds) take(one *Sound, raw []byte) {
	r, err := listen.Parse(raw)
	if err != nil || r.Rate == 0 || len(r.Samples) == 0 {
		one.Fault = "there is no sound in it, or the recording is not closed yet"
		return
	}
	one.Length, one.Level = clock(r.Duration()), fmt.Sprintf("%.0f dBov", r.Level())
	one.Waveform = waveform(r)
	if len(raw) > soundBound || s.size+len(raw) > soundsBound {
		return
	}
	s.size += len(raw)
	one.Data = template.URL("data:audio/wav;base64," + base64.StdEncoding.EncodeToString(raw)) //nolint:gosec // base64 has no markup
}

func clock(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d:%02d min", int(d.Minutes()), int(d.Seconds())%60)
}

// waveform draws a recording: for each of so many columns, from the lowest to
// the highest sample. The loudest fills the height, unless all is next to
// silent.
func waveform(r listen.Recording) template.HTML {
	const middle = waveHeight / 2
	peak := 328.0 // -40 dBov
	for _, sample := range r.Samples {
		peak = max(peak, math.Abs(float64(sample)))
	}
	var b strings.Builder
	n := len(r.Samples)
	for x := range waveWidth {
		from := x * n / waveWidth
		low, high := int16(0), int16(0)
		for _, sample := range r.Samples[from:max((x+1)*n/waveWidth, from+1)] {
			low, high = min(low, sample), max(high, sample)
		}
		top, bottom := middle-float64(high)/peak*(middle-2), middle-float64(low)/peak*(middle-2)
		fmt.Fprintf(&b, "M%d.5 %.1fV%.1f", x, top-0.5, bottom+0.5)
	}
	return template.HTML(fmt.Sprintf(`<svg class="wave" viewBox="0 0 %d %d" preserveAspectRatio="none" role="img" aria-label="waveform"><path d="%s"/></svg>`, //nolint:gosec // numbers
		waveWidth, waveHeight, b.String()))
}
