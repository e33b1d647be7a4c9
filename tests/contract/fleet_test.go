package contract_test

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/fleet"
)

// events hands the events of all phones to who waits for them.
type events struct {
	mu   sync.Mutex
	all  []*phone.Event
	more chan struct{} // closed and replaced with each event
}

func (l *events) Append(_ phone.ID, _ int, e phone.Entry) {
	if e.Event == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, e.Event)
	close(l.more)
	l.more = make(chan struct{})
}

// await waits for the n-th event of the type and phone, from 1.
func (l *events) await(t *testing.T, id phone.ID, typ string, n int) *phone.Event {
	t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for {
		l.mu.Lock()
		seen, more := 0, l.more
		for _, e := range l.all {
			if e.PhoneID == id && e.Type == typ {
				if seen++; seen == n {
					l.mu.Unlock()
					return e
				}
			}
		}
		l.mu.Unlock()
		select {
		case <-more:
		case <-limit.C:
			t.Fatalf("%s of %s was seen %d times, want %d", typ, id, seen, n)
		}
	}
}

// noticedWithin is how long a death may remain unknown.
const noticedWithin = 100 * time.Millisecond

// Real processes: one phone's kill -9 is noticed, the phone comes back on its
// port, and the others see nothing of it.
func TestAFleetOfProcessesSurvivesKills(t *testing.T) {
	sink := &events{more: make(chan struct{})}
	f := fleet.New(newStarter(t), sink, fleet.Options{})
	var s []phone.Settings
	for i := range 5 {
		id := phone.ID(fmt.Sprintf("p%d", i))
		s = append(s, phone.Settings{PhoneID: id, Domain: "127.0.0.1", Username: string(id), Transport: phone.UDP, Register: true})
	}
	r := f.Load(t.Context(), s, false)
	if len(r.Failed) > 0 || len(r.Added) != len(s) {
		t.Fatalf("%+v", r)
	}
	others := map[phone.ID]int{}
	for _, status := range r.Added[1:] {
		others[status.Settings.PhoneID] = status.Worker.PID
	}
	before := r.Added[0]
	if _, err := f.Do(t.Context(), "p0", phone.MakeCall{DestURI: "sip:x@127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	sink.await(t, "p0", "call.state.confirmed", 1)

	// A busy machine may notice one death late, but not the three that a phone
	// may die without being given up.
	var noticed time.Duration
	kills := 0
	for last := before.Worker.PID; kills == 0 || kills < 3 && noticed > noticedWithin; {
		killed := time.Now()
		if err := syscall.Kill(last, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		kills++
		noticed = sink.await(t, "p0", "phone.exited", kills).Time.Sub(killed)
		sink.await(t, "p0", "call.state.disconnected", 1)
		again := sink.await(t, "p0", "reg.success", kills+1)
		t.Logf("kill to noticed %v, to registered again %v", noticed, again.Time.Sub(killed))
		after, err := f.Status("p0")
		if err != nil || after.LocalPort != before.LocalPort || after.Worker.Restarts != kills || after.Worker.PID == last {
			t.Fatalf("after: %+v, %v", after, err)
		}
		last = after.Worker.PID
	}
	if noticed > noticedWithin {
		t.Errorf("the last of %d deaths was noticed after %v, want %v at most", kills, noticed, noticedWithin)
	}
	sink.await(t, "p1", "reg.success", 1)
	for id, pid := range others {
		if status, err := f.Status(id); err != nil || status.Worker.PID != pid || status.Worker.Restarts != 0 {
			t.Errorf("%s: %+v, %v", id, status, err)
		}
	}

	closing := time.Now()
	if err := f.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(closing); took > 3*time.Second {
		t.Errorf("Close took %v", took)
	}
	for id, pid := range others {
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("the worker of %s, pid %d, is left", id, pid)
		}
	}
}
