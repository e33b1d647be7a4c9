package registration

import (
	"time"

	"ringmaster/proto/phone"
)

// flight is a REGISTER under way, by its purpose.
type flight int

const (
	grounded flight = iota
	registering
	unregistering
)

const (
	// maxRaises bounds how often one registration is raised by 423.
	maxRaises = 3
	// maxExpires bounds what 423 can raise it to, in seconds.
	maxExpires = 24 * 3600
	// cutPatience is how long an answer may take whose connection has ended.
	cutPatience = 2 * time.Second
	// closePatience bounds Close, for a registrar that has gone silent.
	closePatience = time.Second
)

// state is all that a registration remembers. The zero value, with asked set,
// has not begun.
type state struct {
	want    bool   // be registered
	closing bool   // leave, and be done
	asked   int    // seconds to ask for
	flight  flight // what is under way
	next    flight // what comes after it
	due     time.Time
	bound   time.Time // until when the registrar keeps a binding of ours; zero: none
	since   time.Time // of the last success
	cut     string    // why the connection ended that the REGISTER under way went through

	failures int // in a row
	raises   int // 423s of the REGISTER under way
	status   phone.Registration
}

// The inputs of step.
type (
	register   struct{}                // a fresh REGISTER is wanted
	unregister struct{}                // no registration is wanted any more
	leave      struct{}                // the same, and then the end
	timeout    struct{}                // the time in due has come
	dropped    struct{ reason string } // the connection to the registrar has ended
	inherit    struct{}                // there may be a binding that this phone did not make
	// answered is a final response.
	answered struct {
		status     int
		reason     string
		granted    int           // seconds, of a 2xx
		minExpires int           // of a 423; 0 when missing
		retryAfter time.Duration // 0 when missing
	}
	// unanswered is the end of a REGISTER without a response.
	unanswered struct{ reason string }
)

// environment is what a decision depends on besides state and input.
type environment struct {
	now    time.Time
	jitter float64 // from 0 to 1
	server string  // the registrar, for sentences
}

// effects is what is to be done, in the order of the fields.
type effects struct {
	reports []report
	landed  bool // whoever waited for the REGISTER under way is answered
	begun   bool // whoever waited for the next REGISTER waits for the one now under way
	send    bool // a REGISTER, for what the state says is under way
	nothing bool // there is nothing to send: whoever waits for it is answered
	closed  bool // the end
}

type report struct {
	event        string // "reg.success"
	registration phone.Registration
}

func (e *effects) report(event string, r phone.Registration) {
	e.reports = append(e.reports, report{event, r})
}

// step decides. Its input is one of the types above.
//
//	             register ─► registering ── 2xx ──► registered, due to refresh
//	grounded ──┤                         └─ else ─► not registered, due to retry
//	             unregister ► unregistering ──────► grounded
func step(s state, input any, env environment) (state, effects) {
	var e effects
	switch in := input.(type) {
	case register:
		if s.closing {
			e.nothing = true
			break
		}
		s.want, s.failures = true, 0
		s.ask(registering, env, &e)
	case inherit:
		s.bound = env.now.Add(maxExpires * time.Second)
		e.nothing = true
	case unregister:
		s.want = false
		s.ask(unregistering, env, &e)
	case leave:
		s.want, s.closing = false, true
		s.ask(unregistering, env, &e)
		if s.flight != grounded {
			s.due = env.now.Add(closePatience)
		}
	case timeout:
		s.due = time.Time{}
		switch {
		case s.closing:
			e.closed = true
		case s.flight != grounded:
			s.fail(0, s.cut, 0, env, &e)
		case s.want && s.flight == grounded:
			s.ask(registering, env, &e)
		}
	case dropped:
		switch {
		case s.flight == grounded && s.want && s.status.IsRegistered:
			s.due = earlier(s.due, env.now.Add(redialAfter(env.now.Sub(s.since), env.jitter)))
		case s.flight != grounded && !s.closing:
			// It may be an old one, and the answer come through another.
			s.cut, s.due = in.reason, env.now.Add(cutPatience)
		}
	case answered:
		s.answer(in, env, &e)
	case unanswered:
		s.fail(0, in.reason, 0, env, &e)
	}
	if s.closing && s.flight == grounded {
		s.due = time.Time{}
		e.closed = true
	}
	return s, e
}

// ask begins a REGISTER, now or when the one under way is over.
func (s *state) ask(what flight, env environment, e *effects) {
	if s.flight != grounded {
		s.next = what
		return
	}
	s.begin(what, env, e)
}

func (s *state) begin(what flight, env environment, e *effects) {
	s.due, s.next, s.raises = time.Time{}, grounded, 0
	if what == unregistering && !s.bound.After(env.now) {
		s.status.IsRegistered, s.status.Expires = false, 0
		e.nothing = true
		return
	}
	s.flight = what
	e.begun, e.send = true, true
	if what == registering {
		if s.status == (phone.Registration{}) { // so that a silent registrar has a reason at any time
			s.status.Reason = "no answer from " + env.server + " yet"
		}
		started := s.status
		started.Expires = s.asked
		e.report("reg.started", started)
	}
}

func (s *state) answer(in answered, env environment, e *effects) {
	ok := in.status >= 200 && in.status < 300
	switch {
	case in.status == 423 && s.flight == registering && in.minExpires > s.asked && in.minExpires <= maxExpires && s.raises < maxRaises:
		s.asked = in.minExpires
		s.raises++
		e.send = true
	case ok && s.flight == unregistering:
		s.bound = time.Time{}
		s.status = phone.Registration{StatusCode: in.status, Reason: in.reason}
		e.report("reg.unregistered", s.status)
		s.land(env, e)
	case ok && in.granted <= 0:
		s.fail(in.status, env.server+" answered "+in.reason+" but granted no time", in.retryAfter, env, e)
	case ok:
		granted := time.Duration(in.granted) * time.Second
		s.bound, s.since = env.now.Add(granted), env.now
		s.failures = 0
		s.status = phone.Registration{IsRegistered: true, StatusCode: in.status, Reason: in.reason, Expires: in.granted}
		e.report("reg.success", s.status)
		s.due = env.now.Add(refreshAfter(granted))
		s.land(env, e)
	default:
		s.fail(in.status, in.reason, in.retryAfter, env, e)
	}
}

// fail takes a REGISTER that did not succeed. Its binding, if there was one,
// stays with the registrar until its time is over.
func (s *state) fail(status int, reason string, asked time.Duration, env environment, e *effects) {
	s.failures++
	s.status = phone.Registration{StatusCode: status, Reason: reason}
	e.report("reg.failed", s.status)
	if s.want {
		s.due = env.now.Add(retryAfter(s.failures, status, asked, env.jitter))
	}
	s.land(env, e)
}

// land ends what was under way and begins what waits.
func (s *state) land(env environment, e *effects) {
	e.landed = true
	s.flight = grounded
	if s.next != grounded {
		s.begin(s.next, env, e)
		if s.closing && s.flight != grounded {
			s.due = env.now.Add(closePatience)
		}
	}
}
