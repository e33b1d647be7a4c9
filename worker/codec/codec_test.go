package codec

import (
	"math"
	"testing"
)

func sine(n, rate int, freq, amplitude float64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(amplitude * math.Sin(2*math.Pi*freq*float64(i)/float64(rate)))
	}
	return pcm
}

func TestEveryCodecCarriesATone(t *testing.T) {
	for _, s := range Built() {
		enc, err := New(s)
		if err != nil {
			t.Fatal(err)
		}
		dec, _ := New(s)
		pcm := sine(s.SampleRate/2, s.SampleRate, 1000, 8000)
		var out []int16
		frame := s.SampleRate / 50
		for i := 0; i+frame <= len(pcm); i += frame {
			payload := enc.Encode(nil, pcm[i:i+frame])
			if got, want := dec.Ticks(payload), s.ClockRate/50; got != want {
				t.Errorf("%v: a 20 ms payload lasts %d ticks, want %d", s, got, want)
			}
			out = dec.Decode(out, payload)
		}
		if len(out) != len(pcm) {
			t.Fatalf("%v: %d samples became %d", s, len(pcm), len(out))
		}
		if ratio := signalToNoise(out[frame:], float64(s.SampleRate), 1000); ratio < 30 {
			t.Errorf("%v: the tone comes out %.1f dB above the rest, want 30", s, ratio)
		}
	}
}

// signalToNoise fits a sine of the given frequency and compares it with what remains.
func signalToNoise(pcm []int16, rate, freq float64) float64 {
	var re, im, total float64
	for i, x := range pcm {
		a := 2 * math.Pi * freq * float64(i) / rate
		re += float64(x) * math.Cos(a)
		im += float64(x) * math.Sin(a)
		total += float64(x) * float64(x)
	}
	signal := 2 * (re*re + im*im) / float64(len(pcm))
	return 10 * math.Log10(signal/max(total-signal, 1e-9))
}

func TestCodersDoNotAllocate(t *testing.T) {
	for _, s := range Built() {
		c, _ := New(s)
		pcm := sine(s.SampleRate/50, s.SampleRate, 440, 8000)
		payload := make([]byte, 0, 1024)
		out := make([]int16, 0, 1024)
		if n := testing.AllocsPerRun(50, func() {
			payload = c.Encode(payload[:0], pcm)
			out = c.Decode(out[:0], payload)
			out = c.Conceal(out[:0], len(pcm))
		}); n != 0 {
			t.Errorf("%v allocates %v times per frame", s, n)
		}
	}
}

func TestConcealmentContinuesATone(t *testing.T) {
	const rate = 8000
	pcm := sine(rate, rate, 400, 8000)
	c := newConcealer(rate)
	c.received(pcm[:4000])
	got := c.Conceal(nil, 160)
	var errorEnergy, energy float64
	for i, x := range got[:80] {
		d := float64(x) - float64(pcm[4000+i])
		errorEnergy += d * d
		energy += float64(pcm[4000+i]) * float64(pcm[4000+i])
	}
	if ratio := 10 * math.Log10(energy/errorEnergy); ratio < 20 {
		t.Errorf("the first 10 ms concealed are only %.1f dB like the tone", ratio)
	}
}

func TestConcealmentFadesAndBlends(t *testing.T) {
	const rate = 8000
	c := newConcealer(rate)
	pcm := sine(4000, rate, 400, 8000)
	c.received(pcm)
	long := c.Conceal(nil, rate/10)
	for i, x := range long[fadedMS*rate/1000:] {
		if x != 0 {
			t.Fatalf("sample %d after the fade is %d", i, x)
		}
	}
	loud := []int16{8000, 8000, 8000, 8000}
	for len(loud) < 160 {
		loud = append(loud, 8000)
	}
	c.received(loud)
	if loud[0] != 0 || loud[blendMS*rate/1000] != 8000 {
		t.Errorf("after silence the signal begins with %d and is %d after the blend", loud[0], loud[blendMS*rate/1000])
	}
	for i := 1; i < len(loud); i++ {
		if loud[i] < loud[i-1] {
			t.Fatalf("the blend falls at sample %d", i)
		}
	}
}

func TestConcealmentBeforeAnythingIsSilence(t *testing.T) {
	c := newConcealer(8000)
	for _, x := range c.Conceal(nil, 160) {
		if x != 0 {
			t.Fatal("concealment invents sound")
		}
	}
}

func TestUnknownCodecIsRefused(t *testing.T) {
	if _, err := New(Spec{Name: "G729", ClockRate: 8000}); err == nil {
		t.Error("G729 was accepted")
	}
}

func BenchmarkConceal(b *testing.B) {
	c := newConcealer(16000)
	pcm := sine(16000, 16000, 400, 8000)
	dst := make([]int16, 0, 320)
	for b.Loop() {
		c.received(pcm[:320])
		dst = c.Conceal(dst[:0], 320)
	}
}
