package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/shelf"
)

// Limits of a worker's life.
const (
	configureLimit = 10 * time.Second
	healthEvery    = 2 * time.Second
	healthLimit    = 5 * time.Second // no answer for so long: it hangs
	shutdownLimit  = 2 * time.Second // for the phone; its process has up to 0.5 s more
	closeLimit     = 3 * time.Second // for all of them, last rites included
	leavingLimit   = time.Second     // no sign of life for so long, while it is to leave: it hangs
)

// bringUp starts a worker and configures it; then the phone works. After an
// error there is no worker.
func (m *member) bringUp() (Worker, error) {
	select {
	case m.f.starts <- struct{}{}:
		defer func() { <-m.f.starts }()
	case <-m.ctx.Done():
		return nil, m.ctx.Err()
	}
	m.mu.Lock()
	m.born = m.f.o.Now()
	m.mu.Unlock()
	w, err := m.f.starter.Start(m.ctx, m.id)
	if err != nil {
		m.startFailed(err)
		return nil, err
	}
	if m.block.Count == 0 {
		m.block = m.f.grant(m.id)
	}
	ctx, cancel := limited(m.ctx, w, configureLimit)
	defer cancel()
	configured, err := w.Configure(ctx, m.configuration())
	if err != nil {
		var e *phone.Error
		if !errors.As(err, &e) || e.Kind == phone.Gone {
			m.block = phone.Block{} // who knows whether a call was given an id of it
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("its worker did not take its settings within %v and was ended; try again, with less going on on this machine", configureLimit)
		}
		m.shutDown(w, true)
		m.startFailed(err)
		return nil, fmt.Errorf("phone %q could not be made: %w", m.id, err)
	}
	m.block = phone.Block{}
	m.begin(w, configured)
	return w, nil
}

// limited bounds what a worker may take, unless a person may have stopped it
// at a breakpoint.
func limited(ctx context.Context, w Worker, limit time.Duration) (context.Context, context.CancelFunc) {
	if w.Adopted() {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}

func (m *member) configuration() phone.Configuration {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.settings
	if m.localPort != 0 {
		s.LocalPort = m.localPort // where the far ends look for a worker that comes back
	}
	return phone.Configuration{
		Settings:       s,
		RecordingsDir:  m.f.o.RecordingsDir,
		CapturesDir:    m.f.o.CapturesDir,
		SDPSessionName: m.f.o.SDPSessionName,
		FilesUnder:     m.f.o.FilesUnder,
		CallIDs:        m.block,
		Orphans:        m.dialogs.all(),
	}
}

func (m *member) startFailed(err error) {
	m.mu.Lock()
	m.state.LastExit = err.Error()
	m.mu.Unlock()
	m.f.o.Log.Warn("phone did not start", "phone_id", m.id, "error", err)
}

// begin makes the worker the phone's.
func (m *member) begin(w Worker, c phone.Configured) {
	transportID, incarnation := m.f.newSocket(), m.f.newIncarnation(m.id)
	m.mu.Lock()
	restarted := m.transportID != 0
	m.worker, m.incarnation, m.transportID, m.localPort = w, incarnation, transportID, c.LocalPort
	m.killedFor, m.seq, m.known = "", 0, 0
	m.state.State, m.state.PID, m.state.StartedAt = Running, w.PID(), m.f.o.Now()
	typ := "phone.started"
	if restarted {
		typ = "phone.restarted"
		m.state.Restarts++
	}
	register, restarts, t := m.settings.Register, m.state.Restarts, m.trial
	m.mu.Unlock()

	reach(t.bound)
	if !register {
		reach(t.registered)
	}
	if restarted {
		m.f.tell()
	}
	m.emit(typ, map[string]any{"pid": int64(w.PID()), "local_port": int64(c.LocalPort), "restarts": int64(restarts)})
}

// serve watches the worker until it ends: with an error, because it died, or
// without, because it was stopped.
func (m *member) serve(w Worker) error {
	ctx, cancel := context.WithCancel(m.f.hard)
	watched := make(chan error, 1)
	go func() { watched <- w.Watch(ctx, 0, m.take) }()
	var attendant sync.WaitGroup
	attendant.Go(func() { m.attend(ctx, w) })
	defer attendant.Wait()
	defer cancel()

	var err error
	select {
	case <-m.ctx.Done():
		m.mu.Lock()
		hangup := m.hangup
		m.mu.Unlock()
		m.discharge(w, hangup, watched)
		return nil
	case t := <-m.restarts:
		m.discharge(w, true, watched)
		m.tryAgain(t)
		return errAsked
	case err = <-watched: // sooner than Gone, most often
		w.Kill()
	case <-w.Gone():
		err = <-watched
	}
	m.bury(w)
	if err == nil {
		err = fmt.Errorf("the worker of phone %q ended its journal", m.id)
	}
	return err
}

// discharge ends a worker in order, and does what one that does not end in
// order leaves undone.
func (m *member) discharge(w Worker, hangup bool, watched <-chan error) {
	inOrder := m.shutDown(w, hangup)
	if err := <-watched; err != nil {
		m.f.o.Log.Warn("a phone did not say how its calls ended", "phone_id", m.id, "error", err)
		inOrder = false
	}
	m.mu.Lock()
	m.worker, m.state.PID, m.state.LastExit = nil, 0, w.Exit().String()
	m.mu.Unlock()
	estate := m.endCalls()
	if inOrder {
		m.forgetTraces()
		return
	}
	m.closeFiles(estate)
}

// take passes an entry of the worker on. It runs on the watching goroutine.
func (m *member) take(e phone.Entry) error {
	m.append(e)
	registered := m.note(e)
	if e.Event == nil {
		return nil
	}
	if registered {
		reach(m.currentTrial().registered)
	}
	if c := e.Event.CallID; c != nil && m.f.halfUsed(*c) {
		select {
		case m.granting <- *c:
		default:
		}
	}
	return nil
}

// note keeps what the entry tells; registered reports that a REGISTER is final.
func (m *member) note(e phone.Entry) (registered bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state.EventsLost += e.Seq - m.seq - 1
	if e.Gap != nil {
		m.state.EventsLost++ // it stands for its own number too
	}
	m.seq = e.Seq
	if e.Dialog != nil {
		m.dialogs.apply(*e.Dialog)
	}
	return e.Event != nil && m.view.apply(e.Seq, e.Event)
}

// attend asks for signs of life and hands out further call ids, until ctx ends
// or the worker is gone.
func (m *member) attend(ctx context.Context, w Worker) {
	pulse := time.NewTicker(healthEvery)
	defer pulse.Stop()
	for {
		select {
		case <-pulse.C:
			m.checkHealth(ctx, w)
		case c := <-m.granting:
			if m.f.halfUsed(c) {
				m.grantMore(ctx, w)
			}
		case <-w.Gone():
			return
		case <-ctx.Done():
			return
		}
	}
}

func (m *member) checkHealth(ctx context.Context, w Worker) {
	if w.Adopted() {
		return // it may stand at a breakpoint
	}
	limited, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	health, err := w.Health(limited)
	if err == nil {
		m.mu.Lock()
		m.known = max(m.known, health.LastSeq)
		m.mu.Unlock()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		return
	}
	m.mu.Lock()
	m.killedFor = fmt.Sprintf("no answer for %v", healthLimit)
	m.mu.Unlock()
	w.Kill()
}

func (m *member) grantMore(ctx context.Context, w Worker) {
	bounded, cancel := limited(ctx, w, healthLimit)
	defer cancel()
	block := m.f.grant(m.id)
	_, err := w.Do(bounded, phone.GrantCallIDs{Block: block})
	var e *phone.Error
	if errors.As(err, &e) && e.Kind != phone.Gone {
		m.f.giveBack(block) // refused, so not used; the next call asks again
		m.f.o.Log.Warn("phone refused further call ids", "phone_id", m.id, "error", err)
	}
}

// shutDown ends the worker, whatever became of who asked for it, and tells
// whether it ended in order.
func (m *member) shutDown(w Worker, hangup bool) bool {
	ctx, cancel := context.WithTimeout(m.f.hard, shutdownLimit)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watching.Go(func() { killIfHanging(ctx, w) })
	if err := w.Shutdown(ctx, phone.Shutdown{HangupCalls: hangup}); err != nil {
		m.f.o.Log.Warn("phone did not shut down in order", "phone_id", m.id, "error", err)
		return false
	}
	return true
}

// killIfHanging kills a worker that is to leave and gives no sign of life: there
// is time then for another one to end its dialogs.
func killIfHanging(ctx context.Context, w Worker) {
	if w.Adopted() {
		return // it may stand at a breakpoint
	}
	limited, cancel := context.WithTimeout(ctx, leavingLimit)
	defer cancel()
	if _, err := w.Health(limited); errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		w.Kill()
	}
}

// bury says that the worker died, and how many entries of its journal are known
// to have died with it, ends its calls, takes its tools away and closes its
// files.
func (m *member) bury(w Worker) {
	<-w.Gone()
	exit := w.Exit()
	m.mu.Lock()
	m.worker, m.state.PID, m.state.State = nil, 0, Restarting
	m.state.LastExit = exit.String()
	if m.killedFor != "" {
		m.state.LastExit = m.killedFor + ", " + m.state.LastExit
	}
	reason := m.state.LastExit
	lost := phone.Gap{From: m.seq + 1, To: max(m.known, m.seq)}
	m.mu.Unlock()

	stderr := make([]any, len(exit.Stderr))
	for i, line := range exit.Stderr {
		stderr[i] = line
	}
	m.emit("phone.exited", map[string]any{
		"pid": int64(w.PID()), "exit": exit.Status, "reason": reason, "stderr": stderr,
		"events_lost": int64(lost.To - lost.From + 1),
	})
	if lost.From <= lost.To { // it had said more than came through
		m.append(phone.Entry{Seq: lost.To, Gap: &lost})
	}
	estate := m.endCalls()
	m.f.tell()
	m.closeFiles(estate)
	m.f.o.Log.Warn("worker ended", "phone_id", m.id, "pid", w.PID(), "exit", reason)
}

// endCalls ends on the record the calls of a worker that is gone, and gives
// what is known for closing its files.
func (m *member) endCalls() shelf.Estate {
	m.mu.Lock()
	now := m.f.o.Now()
	calls := m.view.burial(m.id, now)
	estate := shelf.Estate{PhoneID: m.id, Began: m.born, Died: now, Owns: m.owns, Calls: m.view.calls}
	m.bound = m.bound || m.view.registration.IsRegistered
	m.view = view{}
	m.mu.Unlock()
	for _, e := range calls {
		m.append(e)
	}
	return estate
}

func (m *member) closeFiles(e shelf.Estate) {
	closed, err := shelf.Close(m.f.o.RecordingsDir, m.f.o.CapturesDir, e)
	if err != nil {
		m.f.o.Log.Error("not every file of a dead worker is whole", "phone_id", m.id, "error", err)
	}
	if len(closed) > 0 {
		m.f.o.Log.Info("what a dead worker had open is closed", "phone_id", m.id, "files", len(closed))
	}
}

// owns tells whether a call is of the phone, by its id.
func (m *member) owns(c phone.CallID) bool {
	owner, given := m.f.OwnerOf(c)
	return given && owner == m.id
}
