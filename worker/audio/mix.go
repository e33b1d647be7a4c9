package audio

import (
	"errors"
	"slices"
)

// group is a conference: each of its streams hears all the others. It does not
// change; the clock alone uses what is below rate.
type group struct {
	rate    int
	members []*member

	tick uint64 // for which sum holds
	sum  []int32
}

// member is one stream's place in a group.
type member struct {
	stream *Stream
	in     *converter // to the group's rate
	heard  []int16    // what it said in this tick, at the group's rate
	mixed  []int16
}

// Mix joins streams into one conference, without an echo of oneself, in place
// of what each of them played or was joined with. A stream that plays a file
// goes on with it; it is added to what that stream sends. Each must have media.
func (e *Engine) Mix(streams ...*Stream) error {
	if len(streams) < 2 {
		return errors.New("a conference takes at least two calls")
	}
	g := &group{}
	for _, s := range streams {
		p := s.plan.Load()
		if p == nil {
			return ErrNoMedia
		}
		g.rate = max(g.rate, p.Send.SampleRate)
	}
	for _, s := range streams {
		g.members = append(g.members, newMember(s, g.rate))
	}
	g.sum = make([]int32, samples(g.rate))
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range streams {
		if !slices.Contains(e.all, s) {
			return ErrClosed
		}
	}
	for _, s := range streams {
		e.leave(s)
	}
	for _, s := range streams {
		s.group.Store(g)
	}
	return nil
}

// Unmix takes streams out of their conference; the others stay in it while
// they are two or more.
func (e *Engine) Unmix(streams ...*Stream) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range streams {
		e.leave(s)
	}
}

// leave takes one stream out of its group. The engine's lock must be held.
func (e *Engine) leave(s *Stream) {
	old := s.group.Swap(nil)
	if old == nil {
		return
	}
	rest := &group{rate: old.rate, sum: make([]int32, samples(old.rate))}
	for _, m := range old.members {
		if m.stream != s {
			rest.members = append(rest.members, newMember(m.stream, old.rate))
		}
	}
	if len(rest.members) < 2 {
		rest = nil
	}
	for _, m := range old.members {
		m.stream.group.CompareAndSwap(old, rest)
	}
}

func newMember(s *Stream, rate int) *member {
	return &member{
		stream: s,
		in:     newConverter(rate),
		heard:  make([]int16, samples(rate)),
		mixed:  make([]int16, samples(rate)),
	}
}

// hear adds up what all members said in this tick, once per tick.
func (g *group) hear(tick uint64) {
	if g.tick == tick {
		return
	}
	g.tick = tick
	clear(g.sum)
	for _, m := range g.members {
		l := &m.stream.leg
		copy(m.heard, m.in.frame(l.frame, l.rate))
		for i, x := range m.heard {
			g.sum[i] += int32(x)
		}
	}
}

// others is what the others of s's group said in this tick, at the group's rate.
func (g *group) others(s *Stream, tick uint64) []int16 {
	g.hear(tick)
	for _, m := range g.members {
		if m.stream != s {
			continue
		}
		for i, sum := range g.sum {
			m.mixed[i] = clip(sum - int32(m.heard[i]))
		}
		return m.mixed
	}
	return silence[:samples(g.rate)]
}
