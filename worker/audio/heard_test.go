package audio

import (
	"math"
	"testing"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/worker/codec"
	"ringmaster/worker/jitter"
	"ringmaster/worker/quality"
	"ringmaster/worker/tone"
)

// spoken is packets of a signal that a test hands to a ticking stream.
type spoken struct {
	*bench
	spec  codec.Spec
	coder codec.Coder
	seq   uint16
	stamp uint32
}

func listening(t *testing.T, spec codec.Spec) *spoken {
	t.Helper()
	return &spoken{bench: newBench(t, 1, spec, false), spec: spec, coder: newCoder(t, spec)}
}

// step lets a frame pass, with a packet of pcm or, where that is nil, without.
func (s *spoken) step(pcm []int16) {
	now := s.begin.Add(time.Duration(s.ticks) * frameTime)
	length := s.spec.ClockRate / framesPerSecond
	if pcm != nil {
		s.streams[0].packets.add(arrived{at: now, clockRate: s.spec.ClockRate, Packet: jitter.Packet{
			SSRC: 1, Seq: s.seq, Timestamp: s.stamp, Kind: s.streams[0].plan.Load().SendPT,
			Ticks: length, Payload: s.coder.Encode(nil, pcm),
		}})
	}
	s.seq++
	s.stamp += uint32(length)
	s.ticks++
	s.engine.tick(s.streams, now, uint64(s.ticks))
}

func TestWhatACallHeard(t *testing.T) {
	for _, spec := range codec.Built() {
		s := listening(t, spec)
		signal := tone.New(spec.SampleRate, -20, 440)
		pcm := make([]int16, samples(spec.SampleRate))
		for range 100 {
			signal.Fill(pcm)
			s.step(pcm)
		}
		clear(pcm)
		for range 50 {
			s.step(pcm)
		}
		heard := s.streams[0].Heard()
		if math.Abs(heard.ToneHz-440) > 2 || heard.TonePart < 0.95 || math.Abs(heard.LevelDBov+20) > 0.5 || math.Abs(heard.PeakDBov+17) > 1 {
			t.Errorf("%s/%d: %+v", spec.Name, spec.ClockRate, heard)
		}
		// The first 40 ms wait in the jitter buffer.
		if heard.HeardMs < 1980 || heard.HeardMs > 2020 || heard.SilentMs < 940 || heard.MissingMs > 60 || heard.Lasted() != 3*time.Second {
			t.Errorf("%s/%d: %+v", spec.Name, spec.ClockRate, heard)
		}
	}
}

func TestWhatWasLostIsMissing(t *testing.T) {
	s := listening(t, codec.PCMA)
	signal := tone.New(8000, -20, 440)
	pcm := make([]int16, 160)
	for i := range 1000 {
		signal.Fill(pcm)
		if i%20 == 7 {
			s.step(nil)
			continue
		}
		s.step(pcm)
	}
	heard := s.streams[0].Heard()
	if heard.MissingMs < 980 || heard.MissingMs > 1060 || heard.SilentMs != 0 {
		t.Errorf("a second of twenty was lost: %+v", heard)
	}
	if math.Abs(heard.ToneHz-440) > 2 || math.Abs(heard.LevelDBov+20) > 0.2 {
		t.Errorf("%+v", heard)
	}
}

// Nothing comes; music on hold goes.
func TestOneWay(t *testing.T) {
	s := listening(t, codec.G722)
	for range 500 {
		s.step(nil)
	}
	a := s.streams[0]
	if got := a.Heard(); got != (phone.Sound{MissingMs: 10_000, LevelDBov: -127, PeakDBov: -127}) {
		t.Errorf("heard %+v", got)
	}
	sent := a.Sent()
	if sent.HeardMs < 9900 || sent.MissingMs != 0 || math.Abs(sent.LevelDBov+20) > 1 {
		t.Errorf("sent %+v", sent)
	}
	if sent.ToneHz == 0 || sent.TonePart > 0.5 {
		t.Errorf("music has no tone that lasts: %+v", sent)
	}
	if a.Quality() != nil {
		t.Errorf("quality of nothing: %+v", a.Quality())
	}
}

// Music goes on while digits pause, in whole packets with their own timestamps.
func TestSoundInAPauseOfDigits(t *testing.T) {
	s := listening(t, codec.PCMU)
	a := s.streams[0]
	if err := a.SendDTMF("1,2"); err != nil {
		t.Fatal(err)
	}
	for range 8 + 100 + 8 + 4 {
		s.step(nil)
	}
	if got := a.Sent(); got.MissingMs != 320 || got.Lasted() != 2400*time.Millisecond {
		t.Errorf("two digits of 160 ms: %+v", got)
	}
	if got := a.Stats(); got.TxPackets != 7+100+7+4 {
		t.Errorf("%+v", got)
	}
}

func TestHoldAndDigitsAreMissing(t *testing.T) {
	s := listening(t, codec.PCMU)
	a := s.streams[0]
	if err := a.SendDTMF("1"); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		s.step(nil)
	}
	if got := a.Sent(); got.MissingMs != 160 || got.Lasted() != 400*time.Millisecond {
		t.Errorf("a digit of 100 ms, and 60 ms after it: %+v", got)
	}
	held := a.plan.Load().Params
	held.MaySend, held.MayReceive = false, false
	p, err := newPlan(held, newEar(), a.plan.Load())
	if err != nil {
		t.Fatal(err)
	}
	a.plan.Store(p)
	for range 50 {
		s.step(make([]int16, 160))
	}
	if got := a.Sent(); got.MissingMs != 1160 {
		t.Errorf("sent on hold: %+v", got)
	}
	if got := a.Heard(); got.MissingMs != 1400 {
		t.Errorf("heard on hold: %+v", got)
	}
}

// What comes after a hold is heard at once, however long it was: the time of
// the hold is not made up for.
func TestTheFarEndIsHeardAtOnceAfterAHold(t *testing.T) {
	s := listening(t, codec.PCMU)
	a := s.streams[0]
	hold := func(held bool) {
		params := a.plan.Load().Params
		params.MaySend, params.MayReceive = !held, !held
		p, err := newPlan(params, newEar(), a.plan.Load())
		if err != nil {
			t.Fatal(err)
		}
		a.plan.Store(p)
	}
	signal, pcm := tone.New(8000, -20, 440), make([]int16, 160)
	speak := func() {
		for range 25 {
			signal.Fill(pcm)
			s.step(pcm)
		}
	}
	speak()
	for _, ticks := range []int{2, 50, 400} {
		hold(true)
		for range ticks {
			s.step(nil)
			s.seq-- // the far end does not speak
		}
		hold(false)
		before := a.Heard().HeardMs
		speak()
		if heard := a.Heard().HeardMs - before; heard < 420 {
			t.Errorf("after a hold of %d ms, %d of 500 ms are heard", 20*ticks, heard)
		}
	}
}

func TestTheQualityOfAGoodCall(t *testing.T) {
	t.Parallel()
	a, _, _, _ := call(t, codec.PCMA)
	until(t, "50 packets", func() bool { return a.Stats().RxPackets > 50 })
	a.Close()
	q := a.Quality()
	stats := a.Stats() // a busy machine lets some come too late, and the buffer grow
	if q == nil || q.MOS < 3 || q.MOS > 4.41 || q.RFactor > 92.5 || math.Abs(q.MOS-quality.MOS(q.RFactor)) > 0.02 ||
		math.Abs(q.LossPercent-100*float64(stats.RxDiscard)/float64(stats.RxPackets)) > 0.01 {
		t.Errorf("%+v, of %+v", q, stats)
	}
	if heard := a.Heard(); heard.HeardMs == 0 || math.Abs(heard.LevelDBov+20) > 2 {
		t.Errorf("music on hold: %+v", heard)
	}
}
