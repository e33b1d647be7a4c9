package audio

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"ringmaster/worker/codec"
	"ringmaster/worker/jitter"
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
