package audio

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"ringmaster/worker/codec"
	"ringmaster/worker/jitter"
	"ringmaster/worker/quality"
	"ringmaster/worker/rtpsession"
)

// bench is streams that a test ticks itself, with packets that arrive: the
// whole way of a frame, sockets included, without the clock and the readers.
type bench struct {
	engine  *Engine
	streams []*Stream
	payload []byte
	ticks   int
	begin   time.Time
}

func newBench(tb testing.TB, n int, spec codec.Spec, recording bool) *bench {
	tb.Helper()
	b := &bench{engine: New(Config{}), payload: make([]byte, spec.ClockRate/framesPerSecond), begin: time.Now()}
	tb.Cleanup(b.engine.Close)
	far, err := b.engine.Open(loopback)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range n {
		s, err := b.engine.Open(loopback)
		if err != nil {
			tb.Fatal(err)
		}
		p, err := newPlan(params(far.LocalPort(), spec), newEar(), nil)
		if err != nil {
			tb.Fatal(err)
		}
		s.session.SetRemote(p.Remote, p.RemoteRTCP)
		s.playing.Store(newMusic(spec.SampleRate))
		s.plan.Store(p)
		if recording {
			if err := s.StartRecording(filepath.Join(tb.TempDir(), fmt.Sprintf("%d.wav", i))); err != nil {
				tb.Fatal(err)
			}
		}
		b.streams = append(b.streams, s)
	}
	return b
}

func (b *bench) tick() {
	now := b.begin.Add(time.Duration(b.ticks) * frameTime)
	for _, s := range b.streams {
		spec := s.plan.Load().Send
		s.packets.add(arrived{at: now, clockRate: spec.ClockRate, Packet: jitter.Packet{
			SSRC: 1, Seq: uint16(b.ticks), Timestamp: uint32(b.ticks * spec.ClockRate / framesPerSecond), Kind: s.plan.Load().SendPT,
			Ticks: spec.ClockRate / framesPerSecond, Payload: b.payload,
		}})
	}
	b.ticks++
	b.engine.tick(b.streams, now, uint64(b.ticks))
}

func TestATickDoesNotAllocate(t *testing.T) {
	for _, spec := range []codec.Spec{codec.PCMA, codec.G722} {
		for _, conference := range []bool{false, true} {
			b := newBench(t, 4, spec, false)
			if conference {
				if err := b.engine.Mix(b.streams...); err != nil {
					t.Fatal(err)
				}
			}
			for range 200 { // every slot of every buffer has been used
				b.tick()
			}
			if n := testing.AllocsPerRun(100, b.tick); n != 0 {
				t.Errorf("%s, conference %v: %v allocations per tick", spec.Name, conference, n)
			}
			if got := b.streams[0].Stats(); got.TxPackets < 300 || got.RxDiscard != 0 {
				t.Errorf("%s: statistics %+v", spec.Name, got)
			}
		}
	}
}

func TestComfortNoiseIsSilenceRatherThanALoss(t *testing.T) {
	const cn = 13
	b := newBench(t, 1, codec.PCMU, false)
	s := b.streams[0]
	unasked := s.plan.Load().Params
	unasked.CNPT = -1 // it was not agreed on
	plan, err := newPlan(unasked, newEar(), s.plan.Load())
	if err != nil {
		t.Fatal(err)
	}
	s.plan.Store(plan)
	arrive := func(seq, kind uint8, ticks int) {
		s.packets.add(arrived{at: b.begin.Add(time.Duration(b.ticks) * frameTime), clockRate: 8000, Packet: jitter.Packet{
			SSRC: 1, Seq: uint16(seq), Timestamp: uint32(160 * b.ticks), Kind: kind, Ticks: ticks, Payload: b.payload[:ticks],
		}})
	}
	step := func() {
		b.ticks++
		b.engine.tick(b.streams, b.begin.Add(time.Duration(b.ticks)*frameTime), uint64(b.ticks))
	}
	for i := range b.payload {
		b.payload[i] = byte(i) // no silence in mu-law
	}
	for seq := range uint8(3) {
		arrive(seq, 0, 160)
		step()
	}
	arrive(3, cn, 1)
	step()
	if quality.Level(s.leg.frame) < -30 {
		t.Errorf("at tick %d there is silence before the noise", b.ticks)
	}
	for range 10 {
		step()
		if level := quality.Level(s.leg.frame); level > -60 {
			t.Errorf("at tick %d, after the noise, %.1f dBov", b.ticks, level)
		}
	}
	if got := s.Stats(); got.RxDiscard != 0 {
		t.Errorf("statistics %+v", got)
	}
}

func TestATypeThatNobodyAgreedOnIsCounted(t *testing.T) {
	s := newBench(t, 1, codec.PCMU, false).streams[0]
	for _, kind := range []uint8{0, 18, 96, 18} {
		(*reader)(s).Packet(&rtpsession.Packet{SSRC: 1, PayloadType: kind, Payload: make([]byte, 160), Arrival: time.Now()})
	}
	if got := s.Stats(); got.RxUnagreed != 3 || got.RxUnagreedPT != 18 || got.RxDiscard != 3 {
		t.Errorf("statistics %+v", got)
	}
}

func BenchmarkTick(b *testing.B) {
	for _, spec := range []codec.Spec{codec.PCMA, codec.G722} {
		for _, n := range []int{1, 20} {
			b.Run(fmt.Sprintf("%s/%d streams recorded", spec.Name, n), func(b *testing.B) {
				ticking := newBench(b, n, spec, true)
				for range 200 {
					ticking.tick()
				}
				b.ReportAllocs()
				for b.Loop() {
					ticking.tick()
				}
			})
		}
	}
}
