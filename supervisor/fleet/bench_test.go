package fleet_test

import (
	"cmp"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/fleet"
	"ringmaster/tests/fakeworker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a fleet of phones in memory.
type bench struct {
	*testing.T
	f       *fleet.Fleet
	workers *memory
	sink    *log

	mu      sync.Mutex
	changes []string // "+a,b -c"
}

func (b *bench) takeChanges() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.changes
	b.changes = nil
	return out
}

// run runs a test in a time of its own. At the end the fleet is closed.
func run(t *testing.T, workers *memory, test func(b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, workers: workers, sink: &log{}}
		if workers.gated {
			workers.gate = make(chan struct{})
		}
		b.f = fleet.New(workers, b.sink, fleet.Options{
			RecordingsDir: cmp.Or(workers.recordings, "/r"), CapturesDir: "/c", SDPSessionName: "Ringmaster", Parallel: 2,
			OnChange: func(added, removed []phone.ID) {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.changes = append(b.changes, fmt.Sprintf("+%v -%v", added, removed))
			},
		})
		test(b)
		if err := b.f.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if left := workers.left(); len(left) > 0 {
			t.Errorf("workers left: %v", left)
		}
	})
}

// pass lets the bubble's own time pass.
func pass(d time.Duration) { <-time.After(d) }

func settings(id phone.ID) phone.Settings {
	return phone.Settings{PhoneID: id, Domain: "127.0.0.1", Username: string(id), Password: phone.NewSecret("x"), Transport: phone.UDP, Register: true}
}

func (b *bench) add(id phone.ID) fleet.Status {
	b.Helper()
	s, err := b.f.Add(b.Context(), settings(id))
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func (b *bench) status(id phone.ID) fleet.Status {
	b.Helper()
	s, err := b.f.Status(id)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func (b *bench) call(id phone.ID) phone.CallID {
	b.Helper()
	o, err := b.f.Do(b.Context(), id, phone.MakeCall{DestURI: "sip:x@127.0.0.1"})
	if err != nil {
		b.Fatal(err)
	}
	return o.Call.CallID
}

func (b *bench) want(what string, got, want any) {
	b.Helper()
	if !reflect.DeepEqual(got, want) {
		b.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

func knobs(k fakeworker.Knobs) func(phone.ID, int) fakeworker.Knobs {
	return func(phone.ID, int) fakeworker.Knobs { return k }
}
