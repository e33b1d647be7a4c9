package quality

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// sines fills a second with tones of the given frequencies and levels, in dBov.
func sines(rate int, levels map[float64]float64) []int16 {
	pcm := make([]int16, rate)
	for i := range pcm {
		v := 0.0
		for f, level := range levels {
			v += 32768 * math.Sqrt2 * math.Pow(10, level/20) * math.Sin(2*math.Pi*f*float64(i)/float64(rate)+1)
		}
		pcm[i] = int16(max(-32768, min(32767, math.Round(v))))
	}
	return pcm
}

func noise(rate int, level float64) []int16 {
	random := rand.New(rand.NewPCG(1, 2))
	pcm := make([]int16, rate)
	for i := range pcm {
		pcm[i] = int16(random.NormFloat64() * 32768 * math.Pow(10, level/20))
	}
	return pcm
}

func measured(rate int, pcm []int16) Sound {
	var m Meter
	for n := rate / 50; len(pcm) >= n; pcm = pcm[n:] {
		m.Frame(pcm[:n], 0, rate)
	}
	return m.Sound()
}

func TestAToneIsHeardAsSuch(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		for f := 110.0; f < float64(rate)/2-150; f += 37.3 {
			s := measured(rate, sines(rate, map[float64]float64{f: -20}))
			if math.Abs(s.ToneHz-f) > 2 || math.Abs(s.LevelDBov+20) > 0.1 || s.TonePart != 1 || math.Abs(s.PeakDBov+17) > 0.2 {
				t.Errorf("%.1f Hz at %d Hz: %+v", f, rate, s)
			}
		}
	}
}

func TestTheStrongestToneWins(t *testing.T) {
	s := measured(8000, sines(8000, map[float64]float64{770: -20, 1336: -18}))
	if math.Abs(s.ToneHz-1336) > 2 || s.TonePart != 1 || math.Abs(s.LevelDBov+15.9) > 0.1 {
		t.Errorf("%+v", s)
	}
	pcm := append(sines(8000, map[float64]float64{425: -30}), sines(8000, map[float64]float64{1400: -20})[:2000]...)
	s = measured(8000, pcm)
	if math.Abs(s.ToneHz-425) > 2 || math.Abs(s.TonePart-0.8) > 0.01 {
		t.Errorf("four fifths of the time 425 Hz: %+v", s)
	}
	// On the border of two classes, with noise 15 dB below.
	pcm = sines(8000, map[float64]float64{1000: -30})
	for i, x := range noise(8000, -45) {
		pcm[i] += x
	}
	if s := measured(8000, pcm); math.Abs(s.ToneHz-1000) > 2 || s.TonePart < 0.95 {
		t.Errorf("1000 Hz in noise: %+v", s)
	}
}

func TestNoiseHasNoTone(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		if s := measured(rate, noise(rate, -20)); s.TonePart > 0.02 || math.Abs(s.LevelDBov+20) > 0.2 || s.HeardMs != 1000 {
			t.Errorf("at %d Hz: %+v", rate, s)
		}
	}
}

func TestEveryMomentIsHeardSilentOrMissing(t *testing.T) {
	var m Meter
	if s := m.Sound(); s != (Sound{LevelDBov: -127, PeakDBov: -127}) {
		t.Errorf("before the first frame: %+v", s)
	}
	tone := sines(8000, map[float64]float64{440: -20})[:160]
	m.Frame(tone, 0, 8000)
	m.Frame(tone, 80, 8000) // half of it was concealed: time, and no more
	m.Frame(make([]int16, 160), 160, 8000)
	m.Frame(make([]int16, 160), 0, 8000)
	m.Frame([]int16{1, -1, 1, -1}, 0, 200)
	m.Missing(100 * time.Millisecond)
	m.Silent(200 * time.Millisecond)
	s := m.Sound()
	if s.HeardMs != 30 || s.SilentMs != 240 || s.MissingMs != 130 {
		t.Errorf("%+v", s)
	}
	if math.Abs(s.LevelDBov+20) > 0.3 || s.TonePart != 1 {
		t.Errorf("what was heard whole: %+v", s)
	}
}

func TestAMeterDoesNotAllocate(t *testing.T) {
	var m Meter
	pcm := sines(16000, map[float64]float64{440: -20})[:320]
	m.Frame(pcm, 0, 16000)
	if n := testing.AllocsPerRun(100, func() { m.Frame(pcm, 0, 16000) }); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
}

func BenchmarkMeter(b *testing.B) {
	for _, rate := range []int{8000, 16000} {
		b.Run(map[int]string{8000: "narrow", 16000: "wide"}[rate], func(b *testing.B) {
			var m Meter
			pcm := sines(rate, map[float64]float64{440: -20})[:rate/50]
			for b.Loop() {
				m.Frame(pcm, 0, rate)
			}
		})
	}
}
