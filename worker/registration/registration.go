package registration

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"ringmaster/loop"
	"ringmaster/proto/phone"
	"ringmaster/worker/sipua"
)

// DefaultExpires is the lifetime that is asked for, in seconds.
const DefaultExpires = 300

// UA is what a registration uses of *sipua.UA.
type UA interface {
	Resolve(next sip.Uri, done func(targets []sipua.Target, err error))
	Contact(user string, t sipua.Target) sip.Uri
	Send(o sipua.Outgoing) *sipua.ClientTx
}

// Config is what a registration needs.
type Config struct {
	Loop     *loop.Loop
	UA       UA
	Username string // From, To and Contact write sip:<Username>@…
	Domain   string // the registrar: a host, or host:port
	Expires  int    // seconds to ask for; 0 means DefaultExpires
	// NewToken makes the unguessable part of the tag and the Call-ID.
	NewToken func() string
	// Random gives a number from 0 to n-1.
	Random func(n int) int
	// Report is told of reg.started, reg.success, reg.failed and
	// reg.unregistered, on the loop. With reg.started, Expires is what is
	// asked for and the rest is how it stood before.
	Report func(event string, r phone.Registration)
}

// Registration is one account at one registrar. Its methods belong to the
// loop, and so do all callbacks.
type Registration struct {
	cfg       Config
	registrar sip.Uri
	callID    string // the same for every REGISTER (RFC 3261 §10.2)
	tag       string
	cseq      uint32

	state   state
	timer   *loop.Timer
	armed   time.Time    // when timer fires
	attempt int          // which REGISTER is under way; the answers of others are ignored
	contact sip.Uri      // of the binding
	flow    sipua.Target // where the last REGISTER went
	closed  bool

	waiting []func(phone.Registration) // for the REGISTER under way
	queued  []func(phone.Registration) // for the one after it
	left    []func()                   // for the end
}

// New makes a registration that does nothing yet.
func New(cfg Config) *Registration {
	if cfg.Expires == 0 {
		cfg.Expires = DefaultExpires
	}
	return &Registration{
		cfg: cfg, registrar: parseDomain(cfg.Domain), callID: cfg.NewToken(), tag: cfg.NewToken(),
		state: state{asked: cfg.Expires},
	}
}

// Status is what was last learned.
func (r *Registration) Status() phone.Registration { return r.state.status }

// Register sends a fresh REGISTER, after the one under way if there is one,
// and keeps the phone registered from then on: it is refreshed in time, and
// tried again after a failure. Credentials are the UA's own: after a change,
// call it. done, which may be nil, hears the outcome once it is final.
func (r *Registration) Register(done func(phone.Registration)) {
	r.queue(done)
	r.take(register{})
}

// Unregister removes the binding and stops refreshing. Without a binding
// nothing is sent. done, which may be nil, hears the outcome once it is final.
func (r *Registration) Unregister(done func(phone.Registration)) {
	r.queue(done)
	r.take(unregister{})
}

// Inherit says that the registrar may have a binding for this phone's Contact
// that another one has made: Unregister and Close remove it.
func (r *Registration) Inherit() { r.take(inherit{}) }

// Close is Unregister for good: done is called when the binding is gone, or
// after a second of a silent registrar; nothing happens after that.
func (r *Registration) Close(done func()) {
	if r.closed {
		done()
		return
	}
	r.left = append(r.left, done)
	r.take(leave{})
}

// Lost tells of a connection that has ended, and why. If it is the one to the
// registrar, which may reach the phone through no other, the binding is made
// anew soon.
func (r *Registration) Lost(t sipua.Target, why error) {
	if t.Transport == r.flow.Transport && t.Addr == r.flow.Addr {
		r.take(dropped{reason: "registrar " + r.cfg.Domain + ": " + why.Error()})
	}
}

func (r *Registration) queue(done func(phone.Registration)) {
	if done != nil {
		r.queued = append(r.queued, done)
	}
}

// take puts an input to step and does what it says. Callbacks come last, when
// all is in order again, since they may call back.
func (r *Registration) take(input any) {
	env := environment{now: r.cfg.Loop.Now(), jitter: float64(r.cfg.Random(1000)) / 999, server: r.cfg.Domain}
	var e effects
	if r.closed {
		e.nothing = true
	} else {
		r.state, e = step(r.state, input, env)
	}

	var tell []func(phone.Registration)
	if e.landed {
		tell, r.waiting = r.waiting, nil
		r.attempt++ // what still comes of it is stale
	}
	if e.begun {
		r.waiting, r.queued = append(r.waiting, r.queued...), nil
	}
	if e.nothing || e.closed {
		tell, r.queued = append(tell, r.queued...), nil
	}
	var left []func()
	if e.closed {
		tell, r.waiting = append(tell, r.waiting...), nil
		left, r.left, r.closed = r.left, nil, true
	}
	r.arm()
	if e.send && !r.closed {
		r.send()
	}
	status := r.state.status
	for _, report := range e.reports {
		r.cfg.Report(report.event, report.registration)
	}
	for _, done := range tell {
		done(status)
	}
	for _, done := range left {
		done()
	}
}

// arm makes the timer agree with the state.
func (r *Registration) arm() {
	due := r.state.due
	if r.closed {
		due = time.Time{}
	}
	if due.Equal(r.armed) && r.timer.Pending() == !due.IsZero() {
		return
	}
	r.timer.Stop()
	if r.armed = due; due.IsZero() {
		return
	}
	r.timer = r.cfg.Loop.After(due.Sub(r.cfg.Loop.Now()), func() { r.take(timeout{}) })
}

func (r *Registration) nextCSeq() uint32 {
	r.cseq++
	return r.cseq
}

// send finds the registrar and sends what the state says is under way.
func (r *Registration) send() {
	r.attempt++
	attempt := r.attempt
	stale := func() bool { return r.closed || attempt != r.attempt }
	lost := func(err error) {
		if !stale() {
			r.take(unanswered{reason: "registrar " + r.cfg.Domain + ": " + err.Error()})
		}
	}
	r.cfg.UA.Resolve(r.registrar, func(targets []sipua.Target, err error) {
		switch {
		case stale():
			return
		case err != nil:
			lost(err)
			return
		}
		own, expires := r.contact, 0
		if r.state.flight == registering || own.Host == "" { // one that is inherited is that of our own socket
			own = r.cfg.UA.Contact(r.cfg.Username, targets[0])
		}
		if r.state.flight == registering {
			expires = r.state.asked
		}
		r.cfg.UA.Send(sipua.Outgoing{
			Request: r.newRequest(own, expires), Targets: targets, NextCSeq: r.nextCSeq, Authenticate: true,
			OnSent: func(_ *sip.Request, t sipua.Target) { r.flow = t },
			OnResponse: func(res *sip.Response, _ *sip.Request) {
				if res.IsProvisional() || stale() {
					return
				}
				if res.IsSuccess() {
					r.contact = own
				}
				r.take(read(res, own, expires))
			},
			OnFail: lost,
		})
	})
}
