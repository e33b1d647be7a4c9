package fleet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"ringmaster/proto/phone"
)

// registerLimit is how long adding a phone waits for its first REGISTER.
const registerLimit = 5 * time.Second

// Add adds a phone; one of the same id is shut down first, with its calls. It
// answers when the first REGISTER is final, whatever its result, or 5 s after
// it was called; without registration, when the socket is bound. When somebody
// else has its port, nothing is changed; after any other error there is no
// phone of that id, and nothing is left of it.
func (f *Fleet) Add(ctx context.Context, s phone.Settings) (Status, error) {
	done, err := f.turns.take(ctx, s.PhoneID)
	if err != nil {
		return Status{}, err
	}
	defer done()
	limit, cancel := context.WithTimeout(ctx, registerLimit)
	defer cancel()

	all := []phone.Settings{s}
	leaving, refused := f.makeRoom(all, true)
	result := f.addAll(ctx, limit, all, refused)[0]
	f.tell()
	return result.status, notReplaced(result, leaving)
}

// Drop shuts a phone down. hangup says whether its calls are ended on the wire
// or left to the far ends to find out. It answers when the worker is gone,
// whether or not ctx ends before.
func (f *Fleet) Drop(ctx context.Context, id phone.ID, hangup bool) error {
	done, err := f.turns.take(ctx, id)
	if err != nil {
		return err
	}
	defer done()
	m, err := f.member(id)
	if err != nil {
		return err
	}
	f.remove(m)
	f.tell()
	m.stop(hangup)
	return nil
}

// Restart puts another worker in the place of a phone's: one that runs is shut
// down first, with its calls; a phone that stays down comes back. It answers
// as Add does. After an error the phone is still in the fleet, and what the
// error says is treated as a death of its worker.
func (f *Fleet) Restart(ctx context.Context, id phone.ID) (Status, error) {
	done, err := f.turns.take(ctx, id)
	if err != nil {
		return Status{}, err
	}
	defer done()
	m, err := f.member(id)
	if err != nil {
		return Status{}, err
	}
	limit, cancel := context.WithTimeout(ctx, registerLimit)
	defer cancel()
	t := newTrial()
	select {
	case m.restarts <- t:
	default: // somebody who gave up waiting has asked for it already
		return Status{}, phone.Errorf(phone.Precondition, "phone %q is being restarted: try again in a moment", id)
	}
	m.await(ctx, limit, t)
	select {
	case <-t.failed:
		err = t.err
	case <-m.done:
		err = fmt.Errorf("phone %q was stopped while it restarted: %w", id, errClosed)
	default:
		err = ctx.Err()
	}
	f.tell()
	return m.status(), err
}

// Load adds all the phones at the same time, each as Add does, but 5 s in all
// for their registration. Without merge every phone that there was is shut
// down first; with merge only those of the same ids.
func (f *Fleet) Load(ctx context.Context, s []phone.Settings, merge bool) LoadResult {
	var result LoadResult
	if len(s) == 0 && merge {
		return result
	}
	var turn []phone.ID // none is everybody's
	if merge {
		for i := range s {
			turn = append(turn, s[i].PhoneID)
		}
	}
	done, err := f.turns.take(ctx, turn...)
	if err != nil {
		for i := range s {
			result.Failed = append(result.Failed, Failure{s[i].PhoneID, err})
		}
		return result
	}
	defer done()
	limit, cancel := context.WithTimeout(ctx, registerLimit)
	defer cancel()

	left, refused := f.makeRoom(s, merge)
	if !merge {
		for _, m := range left {
			result.Dropped = append(result.Dropped, m.id)
		}
	}
	for _, r := range f.addAll(ctx, limit, s, refused) {
		if r.err != nil {
			result.Failed = append(result.Failed, Failure{r.id, notReplaced(r, left)})
		} else {
			result.Added = append(result.Added, r.status)
		}
	}
	f.tell()
	return result
}

// stopAll shuts the members down at the same time.
func stopAll(members []*member, hangup bool) {
	var all sync.WaitGroup
	for _, m := range members {
		all.Go(func() { m.stop(hangup) })
	}
	all.Wait()
}

// addResult is what became of one phone of a batch.
type addResult struct {
	id     phone.ID
	status Status
	err    error
}

// addAll adds phones that are not in the fleet, but for those that are refused.
// limit bounds the wait for registration.
func (f *Fleet) addAll(ctx, limit context.Context, s []phone.Settings, refused []error) []addResult {
	results := make([]addResult, len(s))
	members := make([]*member, len(s))
	seen := map[phone.ID]bool{}
	for i := range s {
		id := s[i].PhoneID
		results[i].id = id
		if seen[id] {
			results[i].err = fmt.Errorf("phone_id %q is there twice: give each phone an id of its own", id)
			continue
		}
		seen[id] = true
		if results[i].err = refused[i]; refused[i] == nil {
			members[i], results[i].err = f.create(s[i])
		}
	}
	for i, m := range members {
		if m == nil {
			continue
		}
		results[i].err = f.settle(ctx, limit, m)
		results[i].status = m.status()
	}
	return results
}

// settle waits until m's matter is decided; after an error m is no more.
func (f *Fleet) settle(ctx, limit context.Context, m *member) error {
	m.await(ctx, limit, m.currentTrial())
	err := ctx.Err()
	if err == nil {
		err = m.accept()
	}
	if err != nil {
		f.remove(m)
		m.stop(true)
	}
	return err
}

// await waits until it is decided what becomes of a trial.
func (m *member) await(ctx, limit context.Context, t *trial) {
	select {
	case <-t.registered:
	case <-t.failed:
	case <-m.done:
	case <-limit.Done():
		select { // a slow start is waited for; it has limits of its own
		case <-t.bound:
		case <-t.failed:
		case <-m.done:
		case <-ctx.Done():
		}
	}
}
