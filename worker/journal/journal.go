// Package journal is a phone's numbered record of what happened: written from
// anywhere without waiting, read by cursor at the reader's own pace.
//
//	loop, media, socket ──Append──► state ring  (Event, Ended, Inbox)   ┐
//	                            └─► trace ring  (SIP, sip.*, media.*)   ┴─ Read by Seq ──► readers
//
// Both rings share one sequence, and are bounded by the number of their entries
// and by the bytes in them, for the far ends decide how long a message is. A
// reader that is too slow for a ring finds a Gap in place of what was
// overwritten.
package journal

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"ringmaster/proto/phone"
)

// Capacities that a phone uses. The trace ring holds 5,000 SIP messages even
// when each brings its sip.* event with it, and 2,000 media events beside.
const (
	StateCap = 4096
	TraceCap = 12000
)

// ringBytes bounds what each of the rings holds: 256 SIP messages of the
// greatest size, or TraceCap entries of 1.4 kB.
const ringBytes = 16 << 20

// ErrClosed is returned by Read when the journal is closed and everything in
// it has been read.
var ErrClosed = errors.New("the journal is closed")

// Journal holds the newest entries of one phone. Its methods may be called
// from any goroutine.
type Journal struct {
	now func() time.Time

	mu     sync.Mutex
	state  ring
	trace  ring
	last   uint64 // Seq of the newest entry
	acked  uint64 // highest cursor that a reader came back with
	closed bool
	wake   chan struct{} // closed by the next Append; nil while nobody waits
}

// New makes a journal that keeps the newest stateCap state entries and the
// newest traceCap trace entries, both at least 1, and 16 MiB of each. now stamps entries that come
// without a time; nil means time.Now.
func New(stateCap, traceCap int, now func() time.Time) *Journal {
	if now == nil {
		now = time.Now
	}
	return &Journal{now: now, state: newRing(stateCap, ringBytes), trace: newRing(traceCap, ringBytes)}
}

// Append gives e the next sequence number, keeps it, and returns the number.
// It never waits. What e points to belongs to the journal from now on and must
// not be changed.
func (j *Journal) Append(e phone.Entry) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stamp(&e)
	j.last++
	e.Seq = j.last
	if isTrace(e) {
		j.trace.push(e)
	} else {
		j.state.push(e)
	}
	j.wakeReaders()
	return e.Seq
}

func (j *Journal) stamp(e *phone.Entry) {
	switch {
	case e.Event != nil && e.Event.Time.IsZero():
		e.Event.Time = j.now()
	case e.SIP != nil && e.SIP.Time.IsZero():
		e.SIP.Time = j.now()
	case e.Inbox != nil && e.Inbox.Time.IsZero():
		e.Inbox.Time = j.now()
	}
}

// isTrace tells the entries that may come in floods.
func isTrace(e phone.Entry) bool {
	if e.SIP != nil {
		return true
	}
	return e.Event != nil && (strings.HasPrefix(e.Event.Type, "sip.") || strings.HasPrefix(e.Event.Type, "media."))
}

// Last is the sequence number of the newest entry; 0 when there is none.
func (j *Journal) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// Full reports that unread state entries take up three quarters of their ring,
// by their number or by their bytes:
// new commands are to be refused, so that the rest of the ring is left for
// what is already under way and nothing is overwritten unread.
//
// Read means acknowledged: a Read after n says that its caller has n and all
// before it. With several readers the furthest one counts. A phone has one
// that matters, its supervisor's Watch, and that reader comes back only when
// it has got rid of what it was given.
func (j *Journal) Full() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	read := j.state.after(j.acked)
	return (j.state.len()-read)*4 >= j.state.cap*3 || j.state.bytes*4 >= ringBytes*3 && j.state.bytesFrom(read)*4 >= ringBytes*3
}

// Read returns entries with a sequence number above after, oldest first, at
// least one and at most limit (at least 1). It waits while there is none. A
// Gap stands for entries that were overwritten; its own Seq is that of the
// last entry it stands for, so that the Seq of the last entry returned is the
// next cursor.
//
// The error is ErrClosed, when nothing is left and nothing will come, or the
// context's.
func (j *Journal) Read(ctx context.Context, after uint64, limit int) ([]phone.Entry, error) {
	for {
		entries, wake, err := j.poll(after, max(limit, 1))
		if err != nil || len(entries) > 0 {
			return entries, err
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// poll returns what there is, or else a channel that the next Append closes.
func (j *Journal) poll(after uint64, limit int) ([]phone.Entry, <-chan struct{}, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.acked = max(j.acked, min(after, j.last))
	if j.last > after {
		return j.merge(after, limit), nil, nil
	}
	if j.closed {
		return nil, nil, ErrClosed
	}
	if j.wake == nil {
		j.wake = make(chan struct{})
	}
	return nil, j.wake, nil
}

// merge walks both rings by sequence number and fills the holes with Gaps.
// The newest entry of all is always in its ring, so a hole has an end.
func (j *Journal) merge(after uint64, limit int) []phone.Entry {
	s, t := j.state.after(after), j.trace.after(after)
	var out []phone.Entry
	for next := after + 1; len(out) < limit && next <= j.last; {
		var e phone.Entry
		if t >= j.trace.len() || (s < j.state.len() && j.state.at(s).Seq < j.trace.at(t).Seq) {
			e = j.state.at(s)
		} else {
			e = j.trace.at(t)
		}
		if e.Seq > next {
			out = append(out, phone.Entry{Seq: e.Seq - 1, Gap: &phone.Gap{From: next, To: e.Seq - 1}})
			next = e.Seq
			continue
		}
		if isTrace(e) {
			t++
		} else {
			s++
		}
		out = append(out, e)
		next++
	}
	return out
}

// Close says that nothing will be appended any more. Readers get what is left,
// then ErrClosed. Closing twice is fine.
func (j *Journal) Close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	j.wakeReaders()
}

func (j *Journal) wakeReaders() {
	if j.wake != nil {
		close(j.wake)
		j.wake = nil
	}
}
