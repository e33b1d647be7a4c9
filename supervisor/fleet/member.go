package fleet

import (
	"context"
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

	bound      chan struct{} // closed when the first worker is configured
	registered chan struct{} // closed when its first REGISTER is final, or it is bound and has none
	granting   chan phone.CallID

	// Only run uses these.
	block  phone.Block // granted and not yet handed over; Count 0 is none
	deaths []time.Time

	mu          sync.Mutex
	settings    phone.Settings
	hangup      bool // how to stop
	accepted    bool // the phone was added: from now on a death is followed by a restart
	resigned    error
	worker      Worker // nil while there is none
	incarnation int    // of the worker, or the last one
	localPort   int
	transportID int
	view        view
	updates     updates
	state       WorkerStatus
	killedFor   string // why the fleet killed the worker; "" when it did not
}

func newMember(f *Fleet, s phone.Settings, order int) *member {
	m := &member{
		f: f, id: s.PhoneID, order: order,
		done:       make(chan struct{}),
		bound:      make(chan struct{}),
		registered: make(chan struct{}),
		granting:   make(chan phone.CallID, 1), // one call id is as good as any other
		settings:   s,
		state:      WorkerStatus{State: Starting},
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
		var d restart.Decision
		m.deaths, d = restart.Died(m.deaths, m.f.o.Now())
		if !d.Restart {
			m.giveUp(d.Reason)
			return
		}
		backOff := time.NewTimer(d.Delay)
		select {
		case <-backOff.C:
		case <-m.ctx.Done():
			backOff.Stop()
			return
		}
	}
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

// giveUp keeps the phone down until it is stopped.
func (m *member) giveUp(reason string) {
	m.mu.Lock()
	m.state.State = Failed
	m.mu.Unlock()
	m.f.o.Log.Error("phone stays down", "phone_id", m.id, "reason", reason)
	m.emit("phone.failed", map[string]any{"reason": reason})
	<-m.ctx.Done()
}

// retire leaves nothing behind.
func (m *member) retire() {
	if m.block.Count > 0 {
		m.f.giveBack(m.block)
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

// learn takes over what an outcome of the worker tells of the registration: the
// events of it may still be on their way. Those that are newer than the command
// are in the view already, and may be newer than its outcome.
func (m *member) learn(w Worker, o phone.Outcome, err error) {
	if err != nil || o.Registration == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.worker == w && m.view.registrationSeq <= o.Cursor {
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
		return nil, phone.Errorf(phone.Gone, "phone %q is down after too many deaths of its worker, the last by %s: add it again", m.id, m.state.LastExit)
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
