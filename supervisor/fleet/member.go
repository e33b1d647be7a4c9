package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/restart"
)

// member is one phone of the fleet. Its goroutine, run, owns its workers.
type member struct {
	f     *Fleet
	id    phone.ID
	order int

	// ctx ends when the phone is to be stopped.
	ctx    context.Context //nolint:containedctx // the phone's life, not a request's
	cancel context.CancelFunc
	done   chan struct{} // closed when run has ended

	granting chan phone.CallID
	restarts chan *trial // who wants another worker; one at a time, since restarting takes the phone's turn

	// Only run uses these.
	block  phone.Block // granted and not yet handed over; Count 0 is none
	deaths []time.Time

	mu          sync.Mutex
	trial       *trial // of the worker, or of the next one
	dialogs     dialogs
	bound       bool // a dead worker of the phone was registered when it died
	settings    phone.Settings
	hangup      bool // how to stop
	accepted    bool // the phone was added: from now on a death is followed by a restart
	resigned    error
	worker      Worker // nil while there is none
	incarnation int    // of the worker, or the last one
	localPort   int
	transportID int
	born        time.Time // just before that worker was started
	seq         uint64    // of that worker's newest entry
	known       uint64    // the newest number that it is known to have given one, whether or not that has come through
	view        view
	updates     updates
	state       WorkerStatus
	killedFor   string // why the fleet killed the worker; "" when it did not
}

func newMember(f *Fleet, s phone.Settings, order int) *member {
	m := &member{
		f: f, id: s.PhoneID, order: order,
		done:     make(chan struct{}),
		granting: make(chan phone.CallID, 1), // one call id is as good as any other
		restarts: make(chan *trial, 1),
		trial:    newTrial(),
		dialogs:  dialogs{},
		settings: s,
		state:    WorkerStatus{State: Starting},
	}
	m.ctx, m.cancel = context.WithCancel(f.hard)
	return m
}

// run is the phone's life.
func (m *member) run() {
	defer close(m.done)
	defer m.retire()
	for {
		w, err := m.bringUp()
		if err == nil {
			err = m.serve(w)
		}
		if m.ctx.Err() != nil || m.resign(err) {
			return
		}
		if errors.Is(err, errAsked) {
			m.deaths = nil
			continue
		}
		m.currentTrial().fail(err)
		var d restart.Decision
		m.deaths, d = restart.Died(m.deaths, m.f.o.Now())
		if !d.Restart {
			m.giveUp(d.Reason)
		}
		if !m.rest(d) {
			return
		}
	}
}

// rest waits until the next worker is due, or asked for; false means that the
// phone is to end.
func (m *member) rest(d restart.Decision) bool {
	var due <-chan time.Time // never, for a phone that stays down
	if d.Restart {
		backOff := time.NewTimer(d.Delay)
		defer backOff.Stop()
		due = backOff.C
	}
	select {
	case <-due:
		return true
	case t := <-m.restarts:
		m.tryAgain(t)
		m.deaths = nil
		return true
	case <-m.ctx.Done():
		return false
	}
}

// tryAgain makes t the trial of the worker that comes next.
func (m *member) tryAgain(t *trial) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trial = t
	m.state.State, m.state.Failed = Restarting, ""
}

func (m *member) currentTrial() *trial {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.trial
}

// accept makes the phone a lasting one, unless it has ended already.
func (m *member) accept() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.resigned == nil && m.ctx.Err() != nil {
		return fmt.Errorf("phone %q was stopped while it started: %w", m.id, errClosed)
	}
	m.accepted = m.resigned == nil
	return m.resigned
}

// resign ends a phone that is not accepted yet.
func (m *member) resign(err error) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.accepted {
		m.resigned = err
	}
	return !m.accepted
}

// giveUp leaves the phone down, and nobody in a call with it.
func (m *member) giveUp(reason string) {
	m.mu.Lock()
	m.state.State, m.state.Failed = Failed, reason
	m.mu.Unlock()
	m.f.o.Log.Error("phone stays down", "phone_id", m.id, "reason", reason)
	m.emit("phone.failed", map[string]any{"reason": reason})
	m.lastRites()
}

// retire leaves nothing behind.
func (m *member) retire() {
	if m.block.Count > 0 {
		m.f.giveBack(m.block)
	}
	m.mu.Lock()
	hangup := m.hangup
	m.mu.Unlock()
	if hangup {
		m.lastRites()
	}
	m.mu.Lock()
	m.state.State, m.state.PID, m.worker = Stopped, 0, nil
	ever := m.incarnation > 0
	m.mu.Unlock()
	if ever {
		m.emit("phone.stopped", nil)
	}
}

// stop ends the phone and returns when it has ended. The first caller's hangup
// counts.
func (m *member) stop(hangup bool) {
	m.mu.Lock()
	if m.ctx.Err() == nil {
		m.hangup = hangup
	}
	m.cancel()
	m.mu.Unlock()
	<-m.done
}

func (m *member) do(ctx context.Context, c phone.Command) (phone.Outcome, error) {
	w, err := m.use()
	if err != nil {
		return phone.Outcome{}, err
	}
	o, err := w.Do(ctx, c)
	m.learn(w, o, err)
	return o, err
}

func (m *member) give(ctx context.Context, c phone.Command) (phone.Pending, error) {
	w, err := m.use()
	if err != nil {
		return nil, err
	}
	pending, err := w.Begin(ctx, c)
	if err != nil {
		return nil, err
	}
	return func() (phone.Outcome, error) {
		o, err := pending()
		m.learn(w, o, err)
		return o, err
	}, nil
}

// learn takes over what an outcome of the worker tells of its journal and of the
// registration: the events of it may still be on their way. Those that are newer than the command
// are in the view already, and may be newer than its outcome.
func (m *member) learn(w Worker, o phone.Outcome, err error) {
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.worker != w {
		return
	}
	m.known = max(m.known, o.Cursor)
	if o.Registration != nil && m.view.registrationSeq <= o.Cursor {
		m.view.registration = *o.Registration
	}
}

// use returns the worker, or why there is none.
func (m *member) use() (Worker, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.worker != nil {
		return m.worker, nil
	}
	switch m.state.State {
	case Starting:
		return nil, phone.Errorf(phone.Precondition, "phone %q is still starting: wait for add_phone to answer", m.id)
	case Failed:
		return nil, phone.Errorf(phone.Gone, "phone %q is down after too many deaths of its worker, the last by %s: restart_phone or add_phone brings it back", m.id, m.state.LastExit)
	case Stopped:
		return nil, phone.Errorf(phone.Gone, "phone %q is stopped", m.id)
	default:
		return nil, phone.Errorf(phone.Gone, "phone %q is restarting after its worker ended by %s: try again in a moment", m.id, m.state.LastExit)
	}
}

// usable says whether the phone has tools.
func (m *member) usable() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.accepted && m.worker != nil
}

func (m *member) status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Status{
		Settings:     m.settings,
		LocalPort:    m.localPort,
		TransportID:  m.transportID,
		Registration: m.view.registration,
		ActiveCalls:  len(m.view.calls),
		Worker:       m.state,
	}
}

// emit adds an event of the fleet's own to the phone's entries.
func (m *member) emit(typ string, data map[string]any) {
	m.append(phone.Entry{Event: &phone.Event{Type: typ, PhoneID: m.id, Time: m.f.o.Now(), Data: data}})
}

func (m *member) append(e phone.Entry) {
	m.mu.Lock()
	incarnation := m.incarnation
	m.mu.Unlock()
	m.f.sink.Append(m.id, incarnation, e)
}
