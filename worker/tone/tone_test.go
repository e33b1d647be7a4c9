package tone

import (
	"math"
	"slices"
	"testing"
)

func level(pcm []int16) float64 {
	var sum float64
	for _, x := range pcm {
		sum += float64(x) * float64(x)
	}
	return 10 * math.Log10(sum/float64(len(pcm))/(32768*32768))
}

func TestGeneratorHasItsFrequencyAndLevel(t *testing.T) {
	g := New(8000, -20, 440)
	pcm := make([]int16, 8000)
	for i := 0; i < len(pcm); i += 160 { // in frames, to hear the seams
		g.Fill(pcm[i : i+160])
	}
	if got := level(pcm); math.Abs(got+20) > 0.05 {
		t.Errorf("level %.2f dBov, want -20", got)
	}
	for f, want := range map[float64]float64{440: -20, 430: -100, 880: -100} {
		got := Goertzel(pcm, 8000, f)
		if want == -20 && math.Abs(got-want) > 0.05 || want == -100 && got > -70 {
			t.Errorf("at %v Hz: %.1f dBov, want %v", f, got, want)
		}
	}
}

func TestDTMFPairsAreThoseOfQ23(t *testing.T) {
	for digit, want := range map[byte][2]float64{
		'1': {697, 1209}, '5': {770, 1336}, '9': {852, 1477}, '0': {941, 1336},
		'*': {941, 1209}, '#': {941, 1477}, 'A': {697, 1633}, 'D': {941, 1633},
	} {
		low, high, ok := DTMF(digit)
		if !ok || low != want[0] || high != want[1] {
			t.Errorf("%c: %v and %v", digit, low, high)
		}
		pcm := make([]int16, 1600)
		New(8000, -10, low, high).Fill(pcm)
		if a, b := Goertzel(pcm, 8000, low), Goertzel(pcm, 8000, high); math.Abs(a+10) > 0.5 || math.Abs(b+10) > 0.5 {
			t.Errorf("%c: %.1f and %.1f dBov", digit, a, b)
		}
	}
	if _, _, ok := DTMF('E'); ok {
		t.Error("E is a digit")
	}
}

func TestGoertzelOfNothing(t *testing.T) {
	if got := Goertzel(nil, 8000, 440); got != -127 {
		t.Errorf("got %v", got)
	}
	if got := Goertzel(make([]int16, 160), 8000, 440); got != -127 {
		t.Errorf("silence: %v", got)
	}
}

func TestVoicesAreEquallyLong(t *testing.T) {
	for i, notes := range score {
		sum := 0
		for _, n := range notes {
			sum += n.eighths
		}
		if sum != 16*6 {
			t.Errorf("voice %d lasts %d eighths, want 96", i, sum)
		}
	}
}

func TestMusicIsTheSameEveryTimeAndLoops(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		m := NewMusic(rate)
		first, second := make([]int16, m.Length()), make([]int16, m.Length())
		m.Fill(first)
		m.Fill(second)
		if !slices.Equal(first, second) {
			t.Errorf("at %d Hz the second time differs", rate)
		}
		again, framed := NewMusic(rate), make([]int16, 0, m.Length())
		frame := make([]int16, rate/50)
		for len(framed) < m.Length() {
			again.Fill(frame)
			framed = append(framed, frame...)
		}
		if !slices.Equal(first, framed) {
			t.Errorf("at %d Hz frames differ from the whole", rate)
		}
		if got := level(first); math.Abs(got+20) > 1 {
			t.Errorf("at %d Hz the music has %.1f dBov, want about -20", rate, got)
		}
		for i := 0; i+rate <= len(first); i += rate {
			if got := level(first[i : i+rate]); got < -26 || got > -16 {
				t.Errorf("at %d Hz second %d has %.1f dBov", rate, i/rate, got)
			}
		}
		if top := slices.Max(first); top > 26000 {
			t.Errorf("at %d Hz the peak is %d", rate, top)
		}
		if got := Goertzel(first[rate/20:rate/2], rate, 587.33); got < -35 {
			t.Errorf("at %d Hz it does not begin with D: %.1f dBov", rate, got)
		}
	}
}

func TestMusicDoesNotAllocate(t *testing.T) {
	m := NewMusic(16000)
	frame := make([]int16, 320)
	m.Fill(frame)
	if n := testing.AllocsPerRun(100, func() { m.Fill(frame) }); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
}

func BenchmarkMusic(b *testing.B) {
	m := NewMusic(8000)
	frame := make([]int16, 160)
	for b.Loop() {
		m.Fill(frame)
	}
}
