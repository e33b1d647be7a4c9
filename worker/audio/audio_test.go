package audio

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/artifact"
	"ringmaster/worker/codec"
	"ringmaster/worker/quality"
)

func TestAPlayedToneArrives(t *testing.T) {
	t.Parallel()
	for _, spec := range codec.Built() {
		t.Run(spec.Name, func(t *testing.T) {
			t.Parallel()
			a, b, _, _ := call(t, spec)
			if got := a.Playing(); got != MusicOnHold {
				t.Errorf("a plays %q", got)
			}
			if err := a.Play(toneFile(t, 1000, -20, time.Second), true); err != nil {
				t.Fatal(err)
			}
			if err := b.Play(toneFile(t, 440, -30, time.Second), true); err != nil {
				t.Fatal(err)
			}
			want := sound{tones: map[float64]float64{1000: -20, 440: -30}, loudest: -19} // from a, and of b itself
			if rate := hears(t, "the call", b, want.check); rate != spec.SampleRate {
				t.Errorf("recorded at %d Hz, want %d", rate, spec.SampleRate)
			}
		})
	}
}

func TestMusicFlowsFromTheFirstApply(t *testing.T) {
	t.Parallel()
	a, b, _, _ := call(t, codec.PCMA)
	hears(t, "the music of both", b, func(pcm []int16, _ int) error {
		if level := quality.Level(pcm); level < -26 || level > -12 {
			return fmt.Errorf("%.1f dBov", level)
		}
		return nil
	})
	until(t, "packets both ways", func() bool { return a.Stats().RxPackets > 20 && b.Stats().RxPackets > 20 })
	for _, s := range []*Stream{a, b} {
		if got := s.Stats(); got.RxLoss != 0 || got.RxDup != 0 || got.RxReorder != 0 || got.TxBytes != 160*got.TxPackets {
			t.Errorf("statistics %+v", got)
		}
	}
}

func TestAFileEndsOnceAndMusicGoesOn(t *testing.T) {
	t.Parallel()
	a, _, ear, _ := call(t, codec.PCMU)
	path := toneFile(t, 500, -20, 200*time.Millisecond)
	if err := a.Play(path, false); err != nil {
		t.Fatal(err)
	}
	if a.Playing() != path {
		t.Errorf("plays %q", a.Playing())
	}
	if got := next(t, "end of the file", ear.ended); got != path {
		t.Errorf("%q ended", got)
	}
	if a.Playing() != MusicOnHold {
		t.Errorf("then plays %q", a.Playing())
	}
	if err := a.Play(toneFile(t, 500, -20, 3*time.Second), false); err != nil {
		t.Fatal(err)
	}
	a.PlayMusic()
	if a.Playing() != MusicOnHold {
		t.Errorf("after PlayMusic plays %q", a.Playing())
	}
	if err := a.Play(filepath.Join(t.TempDir(), "no.wav"), false); err == nil || a.Playing() != MusicOnHold {
		t.Errorf("a missing file: %v, plays %q", err, a.Playing())
	}
	if len(ear.ended) != 0 {
		t.Errorf("%q ended too", <-ear.ended)
	}
}

func TestALoopedFileThatIsCutShortEnds(t *testing.T) {
	t.Parallel()
	a, _, ear, _ := call(t, codec.PCMU)
	path := toneFile(t, 500, -20, 3*time.Second)
	if err := a.Play(path, true); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 44); err != nil {
		t.Fatal(err)
	}
	if err := next(t, "error", ear.failed); !strings.Contains(err.Error(), "cut short") {
		t.Error(err)
	}
	if got := next(t, "end of the file", ear.ended); got != path {
		t.Errorf("%q ended", got)
	}
}

func TestHoldSendsNothingAndRecordingGoesOn(t *testing.T) {
	t.Parallel()
	a, b, _, _ := call(t, codec.PCMU)
	path := filepath.Join(t.TempDir(), "a.wav")
	if err := a.StartRecording(path); err != nil {
		t.Fatal(err)
	}
	held := params(b.LocalPort(), codec.PCMU)
	held.MaySend = false
	apply(t, a, held)
	until(t, "the recording grows", func() bool { _, n := a.Recording(); return n > 44+3200 })
	before := a.Stats().TxPackets
	_, size := a.Recording()
	until(t, "the recording grows while nothing is sent", func() bool { _, n := a.Recording(); return n > size+4800 })
	if after := a.Stats().TxPackets; after != before {
		t.Errorf("%d packets were sent on hold", after-before)
	}
	apply(t, a, params(b.LocalPort(), codec.PCMU))
	until(t, "packets after the hold", func() bool { return a.Stats().TxPackets > before+5 })
	if _, err := a.StopRecording(); err != nil {
		t.Error(err)
	}
	if got := b.Stats(); got.RxLoss != 0 {
		t.Errorf("the pause is counted as loss: %+v", got)
	}
}

func TestARecordingIsValidInTheMiddleOfTheCall(t *testing.T) {
	t.Parallel()
	a, _, _, _ := call(t, codec.PCMA)
	path := filepath.Join(t.TempDir(), "phone", "call_3_x.wav")
	if err := a.StartRecording(path); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := a.StartRecording(path); err == nil {
		t.Error("a second recording began")
	}
	until(t, "half a second", func() bool { return time.Since(begun) > 500*time.Millisecond })
	pcm, rate := readWAV(t, path)
	if rate != 8000 || len(pcm) < 8000*3/10 {
		t.Errorf("after half a second the file holds %d samples at %d Hz", len(pcm), rate)
	}
	res, err := a.FinishRecording(artifact.Sidecar{PhoneID: "a", CallID: 3})
	if err != nil {
		t.Fatal(err)
	}
	info, _ := os.Stat(path)
	if res.Bytes != info.Size() || res.MetaPath != filepath.Join(filepath.Dir(path), "call_3_x.meta.json") {
		t.Errorf("result %+v", res)
	}
	if _, err := a.StopRecording(); !errors.Is(err, ErrNotRecording) {
		t.Errorf("stopped twice: %v", err)
	}
	if p, n := a.Recording(); p != "" || n != 0 {
		t.Errorf("still recording %q", p)
	}
}

func TestTheCodecChangesInTheMiddle(t *testing.T) {
	t.Parallel()
	a, b, _, _ := call(t, codec.PCMU)
	if err := a.Play(toneFile(t, 1000, -20, time.Second), true); err != nil {
		t.Fatal(err)
	}
	if err := b.Play(toneFile(t, 440, -60, time.Second), true); err != nil {
		t.Fatal(err)
	}
	for _, spec := range []codec.Spec{codec.PCMU, codec.G722, codec.L16Wide, codec.PCMA} {
		apply(t, b, params(a.LocalPort(), spec))
		apply(t, a, params(b.LocalPort(), spec))
		hears(t, spec.Name, b, sound{tones: map[float64]float64{1000: -20}, loudest: -19}.check)
	}
}

// One file holds the sound of every codec, at its first rate.
func TestARecordingKeepsItsRate(t *testing.T) {
	t.Parallel()
	a, b, _, _ := call(t, codec.PCMU)
	if err := a.Play(toneFile(t, 1000, -20, time.Second), true); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "b.wav")
	if err := b.StartRecording(path); err != nil {
		t.Fatal(err)
	}
	wide := params(a.LocalPort(), codec.G722)
	wide.MaySend = false
	apply(t, b, wide)
	apply(t, a, params(b.LocalPort(), codec.G722))
	until(t, "the tone in the file", func() bool {
		_, size := b.Recording()
		return size > 44+3200 && sound{tones: map[float64]float64{1000: -20}, loudest: -19}.check(tail(t, path, 1600), 8000) == nil
	})
	if _, rate := readWAV(t, path); rate != 8000 {
		t.Errorf("the file is at %d Hz", rate)
	}
}

func TestOtherPacketTimes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ms   int
		spec codec.Spec
	}{{10, codec.PCMA}, {30, codec.G722}, {40, codec.PCMU}, {60, codec.L16Wide}} {
		ms := c.ms
		t.Run(strconv.Itoa(ms), func(t *testing.T) {
			t.Parallel()
			a, b := open(t, newEngine(t)), open(t, newEngine(t))
			m := params(b.LocalPort(), c.spec)
			m.PtimeMS = ms
			apply(t, a, m)
			ear := apply(t, b, params(a.LocalPort(), c.spec))
			if err := a.Play(toneFile(t, 1000, -20, time.Second), true); err != nil {
				t.Fatal(err)
			}
			next(t, "media", ear.started)
			if err := b.Play(toneFile(t, 440, -60, time.Second), true); err != nil {
				t.Fatal(err)
			}
			hears(t, "the tone", b, sound{tones: map[float64]float64{1000: -20}, loudest: -19}.check)
			bytesPerMS := len(newCoder(t, c.spec).Encode(nil, make([]int16, c.spec.SampleRate/100))) / 10
			if got := a.Stats(); got.TxBytes != got.TxPackets*int64(bytesPerMS*ms) {
				t.Errorf("%d ms: %d bytes in %d packets", ms, got.TxBytes, got.TxPackets)
			}
		})
	}
}

func TestSilenceIsNoticedAndSoundAgain(t *testing.T) {
	t.Parallel()
	a, b, _, ear := call(t, codec.PCMA)
	held := params(b.LocalPort(), codec.PCMA)
	held.MaySend = false
	apply(t, a, held)
	if next(t, "silence", ear.silent) != "no_rtp" {
		t.Error("sound was told before silence")
	}
	apply(t, a, params(b.LocalPort(), codec.PCMA))
	if next(t, "sound", ear.silent) != "" {
		t.Error("silence was told twice")
	}
}

func TestConferenceWithoutAnEchoOfOneself(t *testing.T) {
	t.Parallel()
	// One phone with three calls of different codecs; three others that play a
	// tone each.
	host := newEngine(t)
	specs := []codec.Spec{codec.PCMU, codec.G722, codec.PCMA}
	tones := []float64{500, 900, 1300}
	var legs, others []*Stream
	for i, spec := range specs {
		leg, other := open(t, host), open(t, newEngine(t))
		apply(t, leg, params(other.LocalPort(), spec))
		apply(t, other, params(leg.LocalPort(), spec))
		if err := other.Play(toneFile(t, tones[i], -25, time.Second), true); err != nil {
			t.Fatal(err)
		}
		legs, others = append(legs, leg), append(others, other)
	}
	if err := host.Mix(legs[0]); err == nil {
		t.Error("a conference of one was made")
	}
	if err := host.Mix(legs...); err != nil {
		t.Fatal(err)
	}
	listen := func(i int, want ...float64) {
		t.Helper()
		heard := sound{tones: map[float64]float64{}, loudest: -25 + 10*math.Log10(float64(len(want))) + 0.5}
		for _, f := range want {
			heard.tones[f] = -25
		}
		hears(t, "in the conference", others[i], heard.check)
	}
	// Each recording holds what the member itself plays, and the others, at the
	// same level: its own tone is heard once.
	for i := range others {
		listen(i, tones...)
	}
	host.Unmix(legs[2])
	legs[2].PlayMusic()
	listen(0, tones[0], tones[1])
	listen(1, tones[0], tones[1])
	legs[1].Close() // the last two part
	until(t, "music again", func() bool { return legs[0].group.Load() == nil })
	if err := host.Mix(legs[0], legs[1]); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed call was joined: %v", err)
	}
}

func TestWhatCannotBe(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	s := open(t, e)
	if s.Playing() != "" {
		t.Errorf("before media it plays %q", s.Playing())
	}
	if err := s.SendDTMF("1"); !errors.Is(err, ErrNoMedia) {
		t.Errorf("digits before media: %v", err)
	}
	if err := s.StartRecording(filepath.Join(t.TempDir(), "x.wav")); !errors.Is(err, ErrNoMedia) {
		t.Errorf("recording before media: %v", err)
	}
	if err := s.Apply(Params{Send: codec.Spec{Name: "G729"}}, newEar()); err == nil || !strings.Contains(err.Error(), "G729") {
		t.Errorf("an unknown codec: %v", err)
	}
	m := params(s.LocalPort(), codec.PCMA)
	m.EventSendPT = -1
	m.Remote = netip.MustParseAddrPort("0.0.0.0:4000")
	apply(t, s, m)
	if err := s.SendDTMF("1"); !errors.Is(err, ErrNoEvents) {
		t.Errorf("digits without telephone-event: %v", err)
	}
	if err := s.SendDTMF("1z"); err == nil {
		t.Error("z is a digit")
	}
	m.EventSendPT, m.MaySend = 101, false
	apply(t, s, m)
	if err := s.SendDTMF("1"); !errors.Is(err, ErrNoSending) {
		t.Errorf("digits on hold: %v", err)
	}
	if n := s.Stats().TxPackets; n != 0 {
		t.Errorf("%d packets were sent to 0.0.0.0", n)
	}
	if _, err := e.Open(netip.MustParseAddr("192.0.2.1")); err == nil {
		t.Error("opened on an address that is not ours")
	}
	s.Close()
	s.Close()
	if err := s.Apply(m, newEar()); !errors.Is(err, ErrClosed) {
		t.Errorf("applied after Close: %v", err)
	}
	if err := s.Play("x.wav", false); !errors.Is(err, ErrClosed) {
		t.Errorf("played after Close: %v", err)
	}
	e.Close()
	if _, err := e.Open(loopback); !errors.Is(err, ErrClosed) {
		t.Errorf("opened after Close: %v", err)
	}
}

func TestTheClockStandsWhenNothingIsToDo(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	running := func() bool { e.mu.Lock(); defer e.mu.Unlock(); return e.clock != nil }
	s := open(t, e)
	if running() {
		t.Error("the clock runs for a call without media")
	}
	for range 3 { // one clock after the other
		s = open(t, e)
		apply(t, s, params(9, codec.PCMA))
		if !running() {
			t.Error("the clock stands")
		}
		until(t, "sending", func() bool { return s.Stats().TxPackets > 2 })
		s.Close()
		if running() {
			t.Error("the clock runs for nobody")
		}
	}
	count, p50, p99, longest := e.Lateness()
	if count < 6 || p50 > p99 || p99 > longest || longest == 0 {
		t.Errorf("lateness %d, %v, %v, %v", count, p50, p99, longest)
	}
}
