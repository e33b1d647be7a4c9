package fleet

import (
	"cmp"
	"context"
	"slices"
	"time"

	"ringmaster/proto/phone"
)

// ritesLimit bounds the life of a worker that only ends what another has left.
const ritesLimit = 8 * time.Second

// dialogs are the last that is known of each open dialog of a phone, whichever
// of its workers made it.
type dialogs map[dialogKey]phone.Dialog

type dialogKey struct{ callID, tag string }

func (ds dialogs) apply(d phone.Dialog) {
	k := dialogKey{d.SIPCallID, d.LocalTag}
	if d.Over {
		delete(ds, k)
		return
	}
	ds[k] = d
}

// all lists them in an order that does not change.
func (ds dialogs) all() []phone.Dialog {
	var out []phone.Dialog
	for _, d := range ds {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b phone.Dialog) int {
		return cmp.Or(cmp.Compare(a.SIPCallID, b.SIPCallID), cmp.Compare(a.LocalTag, b.LocalTag))
	})
	return out
}

// forgetTraces is for a worker that has ended its dialogs and its binding itself,
// or was not to.
func (m *member) forgetTraces() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.dialogs)
	m.bound = false
}

// lastRites runs a worker once for ending the dialogs and the binding that
// another has left, when there are any and no successor comes. What it cannot
// end is forgotten.
func (m *member) lastRites() {
	m.mu.Lock()
	left, bound := len(m.dialogs), m.bound
	m.mu.Unlock()
	if left == 0 && !bound {
		return
	}
	defer m.forgetTraces()
	ctx, cancel := context.WithTimeout(m.f.hard, ritesLimit)
	defer cancel()
	if err := m.performRites(ctx); err != nil {
		m.f.o.Log.Warn("the far ends of a dead worker's calls, and its registrar, were not told", "phone_id", m.id, "error", err)
		return
	}
	m.f.o.Log.Info("the far ends of a dead worker's calls, and its registrar, are told", "phone_id", m.id, "dialogs", left)
}

func (m *member) performRites(ctx context.Context) error {
	select {
	case m.f.starts <- struct{}{}:
		defer func() { <-m.f.starts }()
	case <-ctx.Done():
		return ctx.Err()
	}
	w, err := m.f.starter.Start(ctx, m.id)
	if err != nil {
		return err
	}
	defer w.Kill() // when it has not ended by itself
	c := m.configuration()
	c.LastRites = true
	if _, err := w.Configure(ctx, c); err != nil {
		return err
	}
	incarnation := m.f.newIncarnation(m.id)
	m.mu.Lock()
	m.incarnation = incarnation
	m.mu.Unlock()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		// It ends with the phone; its SIP is on record, as far as it came.
		_ = w.Watch(ctx, 0, func(e phone.Entry) error {
			m.append(e)
			return nil
		})
	}()
	err = w.Shutdown(ctx, phone.Shutdown{HangupCalls: true})
	w.Kill()
	<-watched
	return err
}
