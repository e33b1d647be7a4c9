package fleet

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"ringmaster/proto/phone"
)

// takeLimit is how long a worker may take to take an update in; the re-INVITEs
// and the REGISTER that follow are not counted.
const takeLimit = 5 * time.Second

// Update changes a phone, now and for the workers that may follow this one. It
// answers when what it started on the wire is decided, or when ctx ends. What
// the phone has taken is remembered, whatever becomes of ctx and of the worker
// after that; what it refused is not.
func (f *Fleet) Update(ctx context.Context, id phone.ID, u phone.Update) (Status, phone.Outcome, error) {
	m, err := f.member(id)
	if err != nil {
		return Status{}, phone.Outcome{}, err
	}
	outcome, err := m.update(ctx, u)
	if err != nil {
		return Status{}, phone.Outcome{}, err
	}
	return m.status(), outcome, nil
}

func (m *member) update(ctx context.Context, u phone.Update) (phone.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return phone.Outcome{}, err
	}
	// Whether the phone has taken it must be known, so ctx counts from then on.
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	pending, err := m.giveUpdate(lasting, cancel, &u)
	if err != nil {
		return phone.Outcome{}, err
	}
	defer context.AfterFunc(ctx, cancel)()
	outcome, err := pending()
	var e *phone.Error
	m.decided(&u, errors.As(err, &e) && e.Kind != phone.Gone)
	return outcome, err
}

// giveUpdate gives u to the worker and remembers it. One update is given after
// the other, so that they are remembered in the order in which they were taken.
func (m *member) giveUpdate(ctx context.Context, cancel func(), u *phone.Update) (phone.Pending, error) {
	m.updates.giving.Lock()
	defer m.updates.giving.Unlock()
	defer time.AfterFunc(takeLimit, cancel).Stop()
	m.offer(u)
	defer m.offer(nil)
	pending, err := m.give(ctx, phone.UpdateSettings{Update: *u})
	if err != nil {
		if ctx.Err() != nil {
			err = phone.Errorf(phone.Unreachable, "phone %q did not take the update within %v: see get_phone, and try again", m.id, takeLimit)
		}
		return nil, err
	}
	m.remember(u)
	return pending, nil
}

// offer notes what the worker is being given; nil when that is over.
func (m *member) offer(u *phone.Update) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.updates.offered = u
}

// account is the phone as its requests may already be: with an update that the
// worker may have taken, and acted upon, before we hear that it has.
func (m *member) account() phone.Settings {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.settings
	if m.updates.offered != nil {
		change(&s, m.updates.offered)
	}
	return s
}

// updates are those that the worker has taken while one of them is not decided.
type updates struct {
	giving  sync.Mutex    // held while one is given; before member.mu
	offered *phone.Update // that one

	before    phone.Settings // those of the phone without them
	taken     []*phone.Update
	undecided int
}

// remember makes u part of the settings.
func (m *member) remember(u *phone.Update) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.updates.undecided == 0 {
		m.updates.before, m.updates.taken = m.settings, nil
	}
	m.updates.taken = append(m.updates.taken, u)
	m.updates.undecided++
	change(&m.settings, u)
}

// decided ends what remember began; with refused, u never was.
func (m *member) decided(u *phone.Update, refused bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.updates.undecided--
	if !refused {
		return
	}
	m.updates.taken = slices.DeleteFunc(m.updates.taken, func(t *phone.Update) bool { return t == u })
	m.settings = m.updates.before
	for _, t := range m.updates.taken {
		change(&m.settings, t)
	}
}

func change(s *phone.Settings, u *phone.Update) {
	set(&s.AutoAnswer, u.AutoAnswer)
	set(&s.Codecs, u.Codecs)
	set(&s.Password, u.Password)
	set(&s.Realm, u.Realm)
	set(&s.SRTP, u.SRTP)
	set(&s.RecordingEnabled, u.RecordingEnabled)
	set(&s.CaptureEnabled, u.CaptureEnabled)
	set(&s.CaptureFilter, u.CaptureFilter)
}

func set[T any](field *T, to *T) {
	if to != nil {
		*field = *to
	}
}
