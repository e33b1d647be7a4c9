// Package fleet owns the phones: one goroutine for each starts its worker,
// watches it, starts another when it dies, and stops it.
//
//	Add, Drop, Load ──► member.run ──Starter──► Worker
//	                        │  ▲
//	                        │  └── Watch: every entry ──► view, Sink
//	                        └── death: phone.exited, calls ended, OnChange,
//	                            restart or phone.failed
package fleet

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/callid"
)

// Fleet is all phones of one server. Its methods may be called from any
// goroutine.
type Fleet struct {
	starter Starter
	sink    Sink
	o       Options
	starts  chan struct{} // holds one token for each start under way
	turns   turns

	// hard ends when nothing may be waited for any more.
	hard     context.Context //nolint:containedctx // the fleet's life, not a request's
	cutShort context.CancelFunc

	telling sync.Mutex        // held while OnChange is told
	told    map[phone.ID]bool // the phones that OnChange knows; under telling

	mu           sync.Mutex
	closed       bool
	members      map[phone.ID]*member
	leaving      map[*member]bool // no longer in members, but not yet ended
	added        int              // members so far; gives them their order
	sockets      int              // bound so far
	ids          callid.Blocks
	incarnations map[phone.ID]int
	running      sync.WaitGroup // the members' goroutines; none is added once closed
}

// New makes an empty fleet. Close must be called.
func New(s Starter, sink Sink, o Options) *Fleet {
	if o.OnChange == nil {
		o.OnChange = func(_, _ []phone.ID) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	if o.Parallel <= 0 {
		o.Parallel = runtime.NumCPU()
	}
	f := &Fleet{
		starter: s, sink: sink, o: o,
		starts:       make(chan struct{}, o.Parallel),
		told:         map[phone.ID]bool{},
		members:      map[phone.ID]*member{},
		leaving:      map[*member]bool{},
		incarnations: map[phone.ID]int{},
	}
	f.hard, f.cutShort = context.WithCancel(context.Background())
	return f
}

// Close shuts all phones down at the same time, with their calls, and returns
// when every worker is gone: within 3 s, or as soon as ctx ends, which kills
// what is left. Nothing can be added any more. Closing twice is fine.
func (f *Fleet) Close(ctx context.Context) error {
	f.mu.Lock()
	f.closed = true
	members := f.inOrder()
	f.mu.Unlock()

	ctx, stop := context.WithTimeout(ctx, closeLimit)
	defer stop()
	defer context.AfterFunc(ctx, f.cutShort)()
	stopAll(members, true)
	f.running.Wait()
	f.cutShort()
	return nil
}

// Do performs one command on a phone. Beside the phone's own errors there are
// NotFound, for a phone that is not in the fleet, and Gone, while its worker
// is dead or when it dies.
func (f *Fleet) Do(ctx context.Context, id phone.ID, c phone.Command) (phone.Outcome, error) {
	m, err := f.member(id)
	if err != nil {
		return phone.Outcome{}, err
	}
	return m.do(ctx, c)
}

// Begin gives one command to a phone and returns when the phone has taken it;
// see phone.Phone. The errors are Do's.
func (f *Fleet) Begin(ctx context.Context, id phone.ID, c phone.Command) (phone.Pending, error) {
	m, err := f.member(id)
	if err != nil {
		return nil, err
	}
	return m.give(ctx, c)
}

// Status is what is known of one phone.
func (f *Fleet) Status(id phone.ID) (Status, error) {
	m, err := f.member(id)
	if err != nil {
		return Status{}, err
	}
	return m.status(), nil
}

// List is what is known of every phone, in order of adding.
func (f *Fleet) List() []Status {
	f.mu.Lock()
	members := f.inOrder()
	f.mu.Unlock()
	out := make([]Status, len(members))
	for i, m := range members {
		out[i] = m.status()
	}
	return out
}

// Accounts are the settings of every phone, those too that are just being shut
// down and still have to say so to their registrar.
func (f *Fleet) Accounts() []phone.Settings {
	f.mu.Lock()
	members := f.inOrder()
	for m := range f.leaving {
		members = append(members, m)
	}
	f.mu.Unlock()
	out := make([]phone.Settings, len(members))
	for i, m := range members {
		out[i] = m.account()
	}
	return out
}

// OwnerOf says to which phone the block of ids that c is in was given, whether
// or not there was such a call. The phone may have been dropped since.
func (f *Fleet) OwnerOf(c phone.CallID) (phone.ID, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ids.Owner(c)
}

func (f *Fleet) member(id phone.ID) (*member, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.members[id]; m != nil {
		return m, nil
	}
	return nil, f.notFound(id)
}

// notFound names the phones that there are. f.mu must be held.
func (f *Fleet) notFound(id phone.ID) *phone.Error {
	if len(f.members) == 0 {
		return phone.Errorf(phone.NotFound, "phone_id %q not found; there are none: add one with add_phone", id)
	}
	var names []string
	for _, m := range f.inOrder() {
		names = append(names, string(m.id))
	}
	return phone.Errorf(phone.NotFound, "phone_id %q not found; there are: %s", id, strings.Join(names, ", "))
}

// inOrder lists the members by order of adding. f.mu must be held.
func (f *Fleet) inOrder() []*member {
	out := make([]*member, 0, len(f.members))
	for _, m := range f.members {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b *member) int { return a.order - b.order })
	return out
}

// tell compares the phones that have tools now with those OnChange knows, and
// tells it the difference.
func (f *Fleet) tell() {
	f.telling.Lock()
	defer f.telling.Unlock()
	f.mu.Lock()
	members := f.inOrder()
	f.mu.Unlock()

	var added, removed []phone.ID
	now := map[phone.ID]bool{}
	for _, m := range members {
		if m.usable() {
			now[m.id] = true
			if !f.told[m.id] {
				added = append(added, m.id)
			}
		}
	}
	for id := range f.told {
		if !now[id] {
			removed = append(removed, id)
		}
	}
	slices.Sort(removed)
	f.told = now
	if len(added)+len(removed) > 0 {
		f.o.OnChange(added, removed)
	}
}

var errClosed = errors.New("the server is ending")

// create makes a member for s, gives it its place and its first call ids, and
// lets it run.
func (f *Fleet) create(s phone.Settings) (*member, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, fmt.Errorf("phone %q cannot be added: %w", s.PhoneID, errClosed)
	}
	f.added++
	m := newMember(f, s, f.added)
	m.block = f.ids.Grant(s.PhoneID)
	f.members[s.PhoneID] = m
	f.running.Go(func() {
		m.run()
		f.left(m)
	})
	return m, nil
}

// remove takes m out of the fleet. Only its tools and its goroutine are left.
func (f *Fleet) remove(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.members[m.id] == m {
		delete(f.members, m.id)
		select {
		case <-m.done:
		default:
			f.leaving[m] = true
		}
	}
}

// left forgets a member that has ended.
func (f *Fleet) left(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.leaving, m)
}

func (f *Fleet) grant(id phone.ID) phone.Block {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ids.Grant(id)
}

func (f *Fleet) giveBack(b phone.Block) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids.Return(b)
}

func (f *Fleet) halfUsed(c phone.CallID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ids.HalfUsed(c)
}

// newSocket numbers a worker that has bound its socket.
func (f *Fleet) newSocket() (transportID int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sockets++
	return f.sockets
}

// newIncarnation numbers a worker of the phone.
func (f *Fleet) newIncarnation(id phone.ID) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.incarnations[id]++
	return f.incarnations[id]
}
