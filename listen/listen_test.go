package listen

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestLevels(t *testing.T) {
	for _, c := range []struct {
		rate       int
		hz, dBov   float64
		wantToFind float64
	}{
		{8000, 440, -3.02, 440},
		{8000, 1004, -20, 1004},
		{16000, 3000, -40, 3000},
		{48000, 697, -10, 697},
	} {
		r := Tone(c.rate, c.hz, c.dBov, time.Second)
		if got := r.Level(); math.Abs(got-c.dBov) > 0.1 {
			t.Errorf("%v Hz at %v dBov measures %.2f dBov in all", c.hz, c.dBov, got)
		}
		if got := r.LevelOf(c.hz); math.Abs(got-c.dBov) > 0.1 {
			t.Errorf("%v Hz at %v dBov measures %.2f dBov at its frequency", c.hz, c.dBov, got)
		}
		if got := r.LevelOf(c.hz * 1.1); got > c.dBov-40 {
			t.Errorf("%v Hz at %v dBov measures %.2f dBov a tenth higher", c.hz, c.dBov, got)
		}
		if hz, level := r.Loudest(100, 3900); hz != c.wantToFind || math.Abs(level-c.dBov) > 0.1 {
			t.Errorf("%v Hz at %v dBov is found as %v Hz at %.2f dBov", c.hz, c.dBov, hz, level)
		}
	}
}

func TestSilenceHasTheLowestLevel(t *testing.T) {
	for name, r := range map[string]Recording{"empty": {Rate: 8000}, "zeros": {Rate: 8000, Samples: make([]int16, 800)}} {
		if got := r.Level(); got != silence {
			t.Errorf("%s: level %v", name, got)
		}
		if got := r.LevelOf(440); got != silence {
			t.Errorf("%s: level at 440 Hz %v", name, got)
		}
		if got := r.MeanLevelOf(440, 50*time.Millisecond); got != silence {
			t.Errorf("%s: mean level at 440 Hz %v", name, got)
		}
	}
}

// A tone that jumps by half a period cancels itself over its whole length.
func TestTheMeanLevelSurvivesAJumpOfPhase(t *testing.T) {
	r := Tone(8000, 440, -10, time.Second)
	for i := 4000; i < len(r.Samples); i++ {
		r.Samples[i] = -r.Samples[i]
	}
	if got := r.LevelOf(440); got > -30 {
		t.Errorf("over the whole length it has %.1f dBov: this test shows nothing", got)
	}
	if got := r.MeanLevelOf(440, 100*time.Millisecond); math.Abs(got+10) > 0.2 {
		t.Errorf("a tone of -10 dBov that jumps has %.2f dBov", got)
	}
	if got := r.MeanLevelOf(880, 100*time.Millisecond); got > -50 {
		t.Errorf("another frequency has %.2f dBov", got)
	}
	clear(r.Samples[4000:])
	if got := r.MeanLevelOf(440, 100*time.Millisecond); math.Abs(got+13) > 0.2 {
		t.Errorf("a tone of -10 dBov over half of the time has %.2f dBov", got)
	}
}

func TestTheUsualLevelPassesOverMoments(t *testing.T) {
	r := Tone(8000, 440, -10, 2*time.Second)
	for i := 8000; i < len(r.Samples); i++ {
		r.Samples[i] = -r.Samples[i]
	}
	clear(r.Samples[3000:6000])
	for i := range 800 {
		r.Samples[12000+i] /= 4
	}
	if got := r.MeanLevelOf(440, 100*time.Millisecond); got > -10.5 {
		t.Errorf("in the mean it has %.1f dBov: this test shows nothing", got)
	}
	if got := r.UsualLevelOf(440, 100*time.Millisecond); math.Abs(got+10) > 0.2 {
		t.Errorf("a tone of -10 dBov usually has %.2f dBov", got)
	}
	clear(r.Samples[:9000])
	if got := r.UsualLevelOf(440, 100*time.Millisecond); got > -50 {
		t.Errorf("what is not there most of the time usually has %.2f dBov", got)
	}
	if got := (Recording{Rate: 8000}).UsualLevelOf(440, 100*time.Millisecond); got != silence {
		t.Errorf("nothing has %.2f dBov", got)
	}
}

func TestShareSeesGaps(t *testing.T) {
	r := Tone(8000, 440, -10, time.Second)
	clear(r.Samples[4000:])
	if got := r.Share(440, -12, 100*time.Millisecond); got != 0.5 {
		t.Errorf("a tone over half of the time has share %v", got)
	}
}

func TestFileRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tone.wav")
	want := Tone(8000, 440, -10, 300*time.Millisecond)
	if err := want.Write(path, 1); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Rate != 8000 || got.Duration() != 300*time.Millisecond || got.Samples[17] != want.Samples[17] {
		t.Errorf("read %d Hz, %v", got.Rate, got.Duration())
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tone.wav")
	for name, spoil := range map[string]func([]byte) []byte{
		"not RIFF":          func(b []byte) []byte { return append([]byte("JUNK"), b[4:]...) },
		"shorter than said": func(b []byte) []byte { return b[:len(b)-2] },
		"longer than said":  func(b []byte) []byte { return append(b, 0, 0) },
		"data length wrong": func(b []byte) []byte { b[40] += 4; return b },
		"a-law":             func(b []byte) []byte { b[20] = 6; return b },
	} {
		if err := Tone(8000, 440, -10, 20*time.Millisecond).Write(path, 1); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, spoil(raw), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil {
			t.Errorf("%s: read without an error", name)
		}
	}
	stereo := filepath.Join(t.TempDir(), "stereo.wav")
	if err := Tone(8000, 440, -10, 20*time.Millisecond).Write(stereo, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(stereo); err == nil {
		t.Error("stereo: read without an error")
	}
}
