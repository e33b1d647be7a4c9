package resample

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func sine(n, rate int, freq float64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(math.Round(10000 * math.Sin(2*math.Pi*freq*float64(i)/float64(rate))))
	}
	return pcm
}

// convert works in pieces of uneven length, as a stream comes.
func convert(from, to int, pcm []int16) []int16 {
	r := New(from, to)
	var out []int16
	for piece := 1; len(pcm) > 0; piece = piece%371 + 37 {
		n := min(piece, len(pcm))
		out = r.Process(out, pcm[:n])
		pcm = pcm[n:]
	}
	return out
}

// parts fits a sine of freq and returns its amplitude and the RMS of the rest.
func parts(pcm []int16, rate int, freq float64) (amplitude, rest float64) {
	pcm = pcm[:len(pcm)-len(pcm)%(rate/100)] // whole periods of 100 Hz
	var re, im, total float64
	for i, x := range pcm {
		a := 2 * math.Pi * freq * float64(i) / float64(rate)
		re += float64(x) * math.Cos(a)
		im += float64(x) * math.Sin(a)
		total += float64(x) * float64(x)
	}
	size := float64(len(pcm))
	amplitude = 2 * math.Hypot(re, im) / size
	return amplitude, math.Sqrt(max(0, total/size-amplitude*amplitude/2))
}

var rates = []int{8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000, 12345}

func TestATonePassesUnchanged(t *testing.T) {
	for _, from := range rates {
		for _, to := range []int{8000, 16000, 48000} {
			for _, freq := range []float64{300, 1000, 3300} {
				t.Run(fmt.Sprint(from, "-", to, "-", freq), func(t *testing.T) {
					out := convert(from, to, sine(from, from, freq))
					if want := to; len(out) > want || len(out) < want-to/50 {
						t.Fatalf("a second became %d samples", len(out))
					}
					amplitude, rest := parts(out[to/50:], to, freq)
					if db := 20 * math.Log10(amplitude/10000); math.Abs(db) > 0.2 {
						t.Errorf("level changed by %.2f dB", db)
					}
					if db := 20 * math.Log10(rest*math.Sqrt2/amplitude); db > -50 {
						t.Errorf("the rest is at %.1f dB", db)
					}
				})
			}
		}
	}
}

func TestWhatWouldAliasIsGone(t *testing.T) {
	for _, c := range []struct {
		from, to int
		freq     float64
	}{{16000, 8000, 4100}, {16000, 8000, 7000}, {48000, 8000, 5000}, {48000, 16000, 9000}, {44100, 8000, 20000}, {44100, 16000, 8300}} {
		out := convert(c.from, c.to, sine(c.from, c.from, c.freq))
		var sum float64
		for _, x := range out[c.to/50:] {
			sum += float64(x) * float64(x)
		}
		if db := 10 * math.Log10(sum/float64(len(out))*2/1e8+1e-12); db > -50 {
			t.Errorf("%d to %d: %v Hz remains at %.1f dB", c.from, c.to, c.freq, db)
		}
	}
}

func TestPiecesDoNotMatter(t *testing.T) {
	pcm := sine(4000, 44100, 500)
	if whole, pieces := New(44100, 16000).Process(nil, pcm), convert(44100, 16000, pcm); !slices.Equal(whole, pieces) {
		t.Error("in pieces it comes out differently")
	}
}

func TestSameRateIsADelay(t *testing.T) {
	pcm := sine(400, 8000, 500)
	out := New(8000, 8000).Process(nil, pcm)
	amplitude, rest := parts(out, 8000, 500)
	if math.Abs(amplitude-10000) > 20 || rest > 20 {
		t.Errorf("amplitude %.0f, rest %.0f", amplitude, rest)
	}
}

func TestAFrameDoesNotAllocate(t *testing.T) {
	r := New(16000, 8000)
	in, out := make([]int16, 320), make([]int16, 0, 320)
	if n := testing.AllocsPerRun(100, func() { out = r.Process(out[:0], in) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func Benchmark(b *testing.B) {
	for _, c := range [][2]int{{8000, 16000}, {16000, 8000}, {44100, 8000}, {48000, 16000}} {
		b.Run(fmt.Sprint(c[0], "-", c[1]), func(b *testing.B) {
			r := New(c[0], c[1])
			in, out := make([]int16, c[0]/50), make([]int16, 0, 1000)
			for b.Loop() {
				out = r.Process(out[:0], in)
			}
		})
	}
}
