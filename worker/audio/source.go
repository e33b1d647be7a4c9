package audio

import (
	"errors"
	"io"
	"runtime"
	"sync/atomic"

	"ringmaster/worker/resample"
	"ringmaster/worker/ring"
	"ringmaster/worker/tone"
	"ringmaster/worker/wav"
)

// MusicOnHold is the name of what plays while nothing else does.
const MusicOnHold = "music-on-hold"

// playing is what a stream plays: music, or a file.
type playing struct {
	name  string
	rate  int
	music *tone.Music
	file  *readAhead
	pcm   []int16  // a frame
	after *playing // of a file: the music that comes when it ends
}

func newMusic(rate int) *playing {
	return &playing{name: MusicOnHold, rate: rate, music: tone.NewMusic(rate), pcm: make([]int16, samples(rate))}
}

// next is the next frame, valid until the next call. more is false when the
// file ended before it.
func (p *playing) next() (pcm []int16, more bool) {
	if p.music != nil {
		p.music.Fill(p.pcm)
		return p.pcm, true
	}
	n := p.file.read(p.pcm)
	clear(p.pcm[n:])
	return p.pcm, n > 0 || !p.file.ended()
}

func (p *playing) stop() {
	if p.file != nil {
		close(p.file.quit)
	}
}

// readAhead reads a file ahead of the clock, on a goroutine of its own, which
// ends when the file does or quit is closed.
type readAhead struct {
	reader *wav.Reader
	rate   int // to which it is converted
	loop   bool
	ring   *ring.Ring
	quit   chan struct{}
	wake   chan struct{} // capacity 1: there is room again
	done   atomic.Bool   // everything is in the ring
	failed func(error)
}

func (e *Engine) open(path string) (*wav.Reader, error) {
	if e.filesUnder == "" {
		return wav.Open(path)
	}
	return wav.OpenUnder(e.filesUnder, path)
}

// openFile opens a file for playing at rate and begins to read it.
func (e *Engine) openFile(path string, rate int, loop bool, failed func(error)) (*playing, error) {
	r, err := e.open(path)
	if err != nil {
		return nil, err
	}
	f := &readAhead{
		reader: r, rate: rate, loop: loop, failed: failed,
		ring: ring.New(rate), // a second
		quit: make(chan struct{}),
		wake: make(chan struct{}, 1),
	}
	e.working.Add(1)
	go func() {
		defer e.working.Done()
		f.run()
	}()
	return &playing{name: path, rate: rate, file: f, pcm: make([]int16, samples(rate)), after: newMusic(rate)}, nil
}

// read is the clock's: it takes what is there and asks for more in time.
func (f *readAhead) read(dst []int16) int {
	n := f.ring.Read(dst)
	if f.ring.Room() > f.rate/2 {
		select {
		case f.wake <- struct{}{}:
		default:
		}
	}
	return n
}

// ended reports that the file was read to its end by the clock too.
func (f *readAhead) ended() bool { return f.done.Load() && f.ring.Len() == 0 }

func (f *readAhead) run() {
	defer f.reader.Close()
	defer f.done.Store(true)
	convert := resample.New(f.reader.Rate(), f.rate)
	in := make([]int16, max(1, f.reader.Rate()/framesPerSecond))
	var out []int16
	heard := false // a sample, in this pass of the file
	for !f.stopped() {
		n, err := f.reader.Read(in)
		heard = heard || n > 0
		if err == nil || n > 0 {
			out = f.convert(convert, out[:0], in[:n])
		}
		switch {
		case err == nil:
		case !errors.Is(err, io.EOF):
			f.failed(err)
			return
		case !f.loop:
			f.deliver(f.tail(convert, out[:0], in))
			return
		case !heard: // it was cut short since it was opened
			f.failed(errors.New("the file that plays holds no sound any more: it was cut short while it played"))
			return
		default:
			if err := f.reader.Rewind(); err != nil {
				f.failed(err)
				return
			}
			heard = false
			continue
		}
		if !f.deliver(out) {
			return
		}
		runtime.Gosched() // a slice is done: the clock shares this processor
	}
}

// convert brings samples to the rate that is played; where the rates are the
// same they stay untouched.
func (f *readAhead) convert(r *resample.Resampler, out, in []int16) []int16 {
	if f.reader.Rate() == f.rate {
		return append(out, in...)
	}
	return r.Process(out, in)
}

// tail is what the filter still holds at the end of the file.
func (f *readAhead) tail(r *resample.Resampler, out, in []int16) []int16 {
	if f.reader.Rate() == f.rate {
		return out
	}
	clear(in)
	return r.Process(out, in)
}

// stopped reports that nobody wants more.
func (f *readAhead) stopped() bool {
	select {
	case <-f.quit:
		return true
	default:
		return false
	}
}

// deliver waits for room, and reports false when nobody wants more.
func (f *readAhead) deliver(pcm []int16) bool {
	for {
		pcm = pcm[f.ring.Write(pcm):]
		if len(pcm) == 0 {
			return true
		}
		select {
		case <-f.quit:
			return false
		case <-f.wake:
		}
	}
}

// outgoing is this tick's frame of what s has to say, at the rate it sends:
// what plays, or the others of its conference, with the file that plays.
func (s *Stream) outgoing(tick uint64) []int16 {
	l := &s.leg
	playing, g := s.playing.Load(), s.group.Load()
	l.source = l.source[:samples(l.plan.Send.SampleRate)]
	clear(l.source)
	if playing != nil && (g == nil || playing.file != nil) {
		add(l.source, s.play(playing))
	}
	if g != nil {
		add(l.source, l.plan.fromGroup.frame(g.others(s, tick), g.rate))
	}
	return l.source
}

func add(dst, pcm []int16) {
	for i, x := range pcm {
		dst[i] = clip(int32(dst[i]) + int32(x))
	}
}

// play is the next frame of what plays, at the rate that is sent. After the end
// of a file there is music again.
func (s *Stream) play(p *playing) []int16 {
	pcm, more := p.next()
	if !more && s.playing.CompareAndSwap(p, p.after) {
		s.leg.plan.sink.PlayEnded(p.name)
		pcm, p = silence[:samples(p.rate)], p.after
	}
	return s.leg.plan.fromSource.frame(pcm, p.rate)
}
