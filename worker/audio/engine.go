package audio

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"ringmaster/worker/dtmf"
	"ringmaster/worker/recorder"
	"ringmaster/worker/rtpsession"
)

// The clock's period, and the length of every frame.
const (
	frameTime       = 20 * time.Millisecond
	framesPerSecond = int(time.Second / frameTime)
	// Between two ticks leave the packets whose turn it is then: those of 10,
	// 30 and 50 ms.
	halfTime = frameTime / 2
)

// samples is the length of a frame at a rate in Hz.
func samples(rate int) int { return rate / framesPerSecond }

// mostTicksAtOnce is how many ticks the clock makes up for in a row when it was
// held up. Beyond that time has passed unheard: a longer burst would only fill
// the far end's jitter buffer.
const mostTicksAtOnce = 5

// Config is what an Engine is made with.
type Config struct {
	Log      hclog.Logger       // nil logs nothing
	Recorder *recorder.Recorder // writes the recordings, and stays the caller's; nil: the engine has its own
	// Tap is shown every datagram of the media; see rtpsession.Config.
	Tap func(at time.Time, from, to netip.AddrPort, data []byte)
	// FilesUnder, when it is set, is the folder whose files alone are played.
	FilesUnder string
}

// Engine is the media of one phone. Its methods may be called from any
// goroutine.
type Engine struct {
	log          hclog.Logger
	recorder     *recorder.Recorder
	ownsRecorder bool
	now          func() time.Time
	cname        string
	tap          func(at time.Time, from, to netip.AddrPort, data []byte)
	filesUnder   string
	late         lateness

	active atomic.Pointer[[]*Stream] // what the clock serves; never changed in place

	mu      sync.Mutex
	all     []*Stream // with those that have no media yet
	clock   *ticker   // nil when it stands
	ended   chan struct{}
	closed  bool
	working sync.WaitGroup // clocks and file readers
}

// New makes an engine. It does nothing and costs nothing until a stream has
// media.
func New(cfg Config) *Engine {
	e := &Engine{
		log:      cfg.Log,
		recorder: cfg.Recorder,
		now:      time.Now,
		cname:    fmt.Sprintf("%016x", rand.Uint64()), // names nobody (RFC 7022 §4.2)
		tap:      cfg.Tap,

		filesUnder: cfg.FilesUnder,
		ended:      make(chan struct{}),
	}
	if e.log == nil {
		e.log = hclog.NewNullLogger()
	}
	if e.recorder == nil {
		e.recorder, e.ownsRecorder = recorder.New(), true
	}
	e.active.Store(&[]*Stream{})
	close(e.ended)
	return e
}

// Open binds the ports of one call's media on a local address. Nothing is sent
// or read before Stream.Apply.
func (e *Engine) Open(local netip.Addr) (*Stream, error) {
	session, err := rtpsession.Listen(rtpsession.Config{Local: local, CNAME: e.cname, Now: e.now, Tap: e.tap})
	if err != nil {
		return nil, err
	}
	s := &Stream{engine: e, session: session, digits: digitQueue{sender: dtmf.NewSender(8000)}}
	s.leg.init()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		session.Close()
		return nil, ErrClosed
	}
	e.all = append(e.all, s)
	return s, nil
}

// Lateness tells how late the clock's ticks were, over the engine's life: how
// many there were, two percentiles and the maximum.
func (e *Engine) Lateness() (count int64, p50, p99, longest time.Duration) { return e.late.summary() }

// Close closes every stream and returns when all goroutines have ended.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	all := slices.Clone(e.all)
	e.mu.Unlock()
	for _, s := range all {
		s.Close()
	}
	e.working.Wait()
	if e.ownsRecorder {
		e.recorder.Close()
	}
}

// begin lets the clock serve s, and starts it when s is the first.
func (e *Engine) begin(s *Stream) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.clock == nil {
		clock, err := newTicker()
		if err != nil {
			return err
		}
		before := e.ended
		e.clock, e.ended = clock, make(chan struct{})
		e.working.Add(1)
		go e.run(clock, before, e.ended)
	}
	e.setActive(append(slices.Clone(*e.active.Load()), s))
	return nil
}

// end takes s from the clock, and stops it when s was the last.
func (e *Engine) end(s *Stream) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = slices.DeleteFunc(e.all, func(o *Stream) bool { return o == s })
	e.setActive(slices.DeleteFunc(slices.Clone(*e.active.Load()), func(o *Stream) bool { return o == s }))
	e.leave(s)
	if len(*e.active.Load()) == 0 && e.clock != nil {
		e.clock.stop()
		e.clock = nil
	}
}

func (e *Engine) setActive(streams []*Stream) { e.active.Store(&streams) }

// run is the clock. It begins when the one before it has ended, since a stream
// has one clock only.
func (e *Engine) run(clock *ticker, before, ended chan struct{}) {
	defer e.working.Done()
	defer close(ended)
	<-before
	for made, fine := 0, false; ; { // half ticks
		due := clock.wait(fine)
		if due == 0 {
			return
		}
		e.noteLate(clock.begin, made, due, fine)
		streams := *e.active.Load()
		if skipped := (due-made)/2 - mostTicksAtOnce; skipped > 0 {
			for _, s := range streams {
				s.skip(skipped)
			}
			made += 2 * skipped
		}
		for made < due {
			made++
			if made%2 != 0 {
				e.halfTick(streams)
				continue
			}
			e.tick(streams, clock.begin.Add(time.Duration(made)*halfTime), uint64(made/2))
		}
		fine = slices.ContainsFunc(streams, (*Stream).paced)
	}
}

// noteLate notes how late each tick was that has become due since made.
func (e *Engine) noteLate(begin time.Time, made, due int, fine bool) {
	now := time.Now()
	for ; made < due; made++ {
		if fine || made%2 != 0 { // it ends in a whole tick
			e.late.note(now.Sub(begin.Add(time.Duration(made+1) * halfTime)))
		}
	}
}

// tick moves every stream on by one frame: first all take one, then all give
// one, since in a conference each hears the others.
func (e *Engine) tick(streams []*Stream, now time.Time, number uint64) {
	for _, s := range streams {
		s.receive(now)
	}
	for _, s := range streams {
		s.send(number)
	}
}

// halfTick is the time between two ticks.
func (e *Engine) halfTick(streams []*Stream) {
	for _, s := range streams {
		s.sendPackets(0)
	}
}
