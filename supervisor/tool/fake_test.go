package tool

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/fleet"
	"ringmaster/supervisor/hub"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// fakeFleet is a fleet without processes. What a phone answers to a command is
// in outcomes, by the command's type.
type fakeFleet struct {
	order    []phone.ID
	phones   map[phone.ID]fleet.Status
	outcomes map[string]any // a phone.Outcome or an error
	updated  phone.Updated
	addErr   error
	loadErrs []fleet.Failure

	mu  sync.Mutex
	did []string // the commands, as Go writes them
}

func newFake(ids ...phone.ID) *fakeFleet {
	f := &fakeFleet{phones: map[phone.ID]fleet.Status{}, outcomes: map[string]any{
		"phone.GetRegistration": phone.Outcome{}, // with nothing in the journal
	}}
	for i, id := range ids {
		f.put(fleet.Status{
			Settings:  phone.Settings{PhoneID: id, Domain: "pbx.example", Username: string(id), Password: phone.NewSecret("sesame"), Transport: phone.UDP, Register: true},
			LocalPort: 40000 + i, TransportID: i + 1,
			Registration: phone.Registration{IsRegistered: true, StatusCode: 200, Reason: "OK", Expires: 300},
			Worker:       fleet.WorkerStatus{PID: 100 + i, State: "running", StartedAt: now.Add(-time.Minute)},
		})
	}
	return f
}

func (f *fakeFleet) put(st fleet.Status) {
	if _, known := f.phones[st.Settings.PhoneID]; !known {
		f.order = append(f.order, st.Settings.PhoneID)
	}
	f.phones[st.Settings.PhoneID] = st
}

func (f *fakeFleet) Status(id phone.ID) (fleet.Status, error) {
	st, ok := f.phones[id]
	if !ok {
		names := make([]string, len(f.order))
		for i, o := range f.order {
			names[i] = string(o)
		}
		return fleet.Status{}, phone.Errorf(phone.NotFound, "phone_id %q not found; there are: %s", string(id), strings.Join(names, ", "))
	}
	return st, nil
}

func (f *fakeFleet) List() []fleet.Status {
	var list []fleet.Status
	for _, id := range f.order {
		list = append(list, f.phones[id])
	}
	return list
}

func (f *fakeFleet) Add(_ context.Context, s phone.Settings) (fleet.Status, error) {
	if f.addErr != nil {
		return fleet.Status{}, f.addErr
	}
	st := fleet.Status{Settings: s, LocalPort: 40100, TransportID: 9, Worker: fleet.WorkerStatus{PID: 7, State: "running", StartedAt: now}}
	f.put(st)
	return st, nil
}

func (f *fakeFleet) Drop(_ context.Context, id phone.ID, hangup bool) error {
	f.did = append(f.did, fmt.Sprintf("drop %s hangup=%v", id, hangup))
	f.order = slices.DeleteFunc(f.order, func(o phone.ID) bool { return o == id })
	delete(f.phones, id)
	return nil
}

func (f *fakeFleet) Restart(_ context.Context, id phone.ID) (fleet.Status, error) {
	st := f.phones[id]
	if f.addErr != nil {
		return st, f.addErr
	}
	st.Worker = fleet.WorkerStatus{PID: st.Worker.PID + 1000, State: "running", Restarts: st.Worker.Restarts + 1, StartedAt: now, LastExit: "exit status 0"}
	f.put(st)
	return st, nil
}

func (f *fakeFleet) Load(ctx context.Context, s []phone.Settings, merge bool) fleet.LoadResult {
	var l fleet.LoadResult
	if !merge {
		l.Dropped = slices.Clone(f.order)
		for _, id := range l.Dropped {
			_ = f.Drop(ctx, id, true)
		}
	}
	for _, settings := range s {
		failed := slices.ContainsFunc(f.loadErrs, func(e fleet.Failure) bool { return e.PhoneID == settings.PhoneID })
		if !failed {
			st, _ := f.Add(ctx, settings)
			l.Added = append(l.Added, st)
		}
	}
	l.Failed = f.loadErrs
	return l
}

func (f *fakeFleet) Update(_ context.Context, id phone.ID, u phone.Update) (fleet.Status, phone.Outcome, error) {
	st := f.phones[id]
	if u.Codecs != nil {
		st.Settings.Codecs = *u.Codecs
	}
	if u.RecordingEnabled != nil {
		st.Settings.RecordingEnabled = *u.RecordingEnabled
	}
	f.put(st)
	return st, phone.Outcome{Cursor: 5, Updated: &f.updated, Registration: &st.Registration}, nil
}

func (f *fakeFleet) Do(_ context.Context, id phone.ID, c phone.Command) (phone.Outcome, error) {
	f.mu.Lock()
	f.did = append(f.did, fmt.Sprintf("%s %T", id, c))
	f.mu.Unlock()
	if _, err := f.Status(id); err != nil {
		return phone.Outcome{}, err
	}
	switch o := f.outcomes[fmt.Sprintf("%T", c)].(type) {
	case phone.Outcome:
		return o, nil
	case error:
		return phone.Outcome{}, o
	}
	return phone.Outcome{Cursor: 3}, nil
}

func (f *fakeFleet) OwnerOf(c phone.CallID) (phone.ID, bool) {
	i := int(c / phone.BlockSize)
	if i >= len(f.order) {
		return "", false
	}
	return f.order[i], true
}

func newSet(f *fakeFleet) *Set {
	return New(Options{
		Phones: f, Hub: hub.New(), Now: func() time.Time { return now }, Profile: "testdata/phones.yaml",
		Getenv: func(string) (string, bool) { return "", false },
		Codecs: func(context.Context) []string { return []string{"PCMA", "PCMU"} },
	})
}
