package runs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringmaster/scenario/timeline"
)

// waits is a scenario that makes a call and then waits for what never comes.
const waits = `
name: waits
phones: [%s]
initial_actions: [{make_call: {phone_id: %s, to: "sip:x@h"}}, {emit: called}]
stop_on: [{phone_id: %s, event: dtmf.in}]
timeout_ms: 10s
`

func waitsOn(id string) string { return fmt.Sprintf(waits, id, id, id) }

// lasts is a scenario that runs as long as it is told.
func lasts(ms int) string { return fmt.Sprintf("phones: [a]\ntimeout_ms: %d\n", ms) }

// storeOf is a store, ended with the test.
func storeOf(t *testing.T) (*Store, *phones) {
	r, p := runner(t, time.Millisecond)
	s := NewStore(r)
	t.Cleanup(func() {
		s.Stop()
		s.Wait(context.Background())
	})
	return s, p
}

func (s *Store) mustStart(t *testing.T, text string) *Run {
	t.Helper()
	run, err := s.Start(load(t, text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// pause lets time pass.
func pause(t *testing.T, d time.Duration) {
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	<-ctx.Done()
}

func ended(t *testing.T, run *Run) timeline.Result {
	t.Helper()
	if err := run.Follow(t.Context(), 0, nil); err != nil {
		t.Fatal(err)
	}
	result, over := run.Result()
	if !over {
		t.Fatal("the run is not over after Follow")
	}
	return result
}

func TestARunByItsID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := storeOf(t)
		run := s.mustStart(t, waitsOn("a"))
		if found, err := s.Get("run_1"); err != nil || found != run || run.ID() != "run_1" || run.Name() != "waits" || len(run.Phones()) != 1 {
			t.Fatalf("%v, %v", found, err)
		}
		pause(t, time.Second)
		if _, over := run.Result(); over || len(run.Entries(0)) == 0 {
			t.Fatalf("over %v, with %d entries", over, len(run.Entries(0)))
		}
		var told []string
		if err := run.Follow(t.Context(), 2, func(e Entry) { told = append(told, e.Type) }); err != nil {
			t.Fatal(err)
		}
		result, over := run.Result()
		if !over || result.Status != timeline.Timeout {
			t.Fatalf("%v %s: %s", over, result.Status, result.Reason)
		}
		if len(told) != len(result.Timeline)-2 || told[len(told)-1] != "scenario.stopped" {
			t.Errorf("told %q of %d entries", told, len(result.Timeline))
		}
		if !run.Cancel() {
			t.Error("a run that is over is cancelled")
		}
		for _, e := range run.Entries(0) { // what came of an action is there at the end
			if e.Type == "make_call" && e.Data["elapsed_ms"] == nil {
				t.Errorf("the end of %s is not on the timeline: %v", e.Type, e.Data)
			}
		}
	})
}

func TestFollowingEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := storeOf(t)
		run := s.mustStart(t, waitsOn("a"))
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if err := run.Follow(ctx, 0, nil); err == nil || run.Over() {
			t.Errorf("%v, over %v", err, run.Over())
		}
	})
}

// Two runs on different phones do not see each other, and the end of one
// leaves the other alone. The call of a cancelled run is hung up.
func TestCancellingOneOfTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := storeOf(t)
		p.keepCalls = true
		one, other := s.mustStart(t, waitsOn("a")), s.mustStart(t, waitsOn("b"))
		pause(t, time.Second)
		if one.Cancel() {
			t.Error("it was cancelled already")
		}
		result := ended(t, one)
		if result.Status != timeline.Error || !strings.Contains(result.Reason, ErrCancelled.Error()) {
			t.Errorf("%s: %s", result.Status, result.Reason)
		}
		if !slices.ContainsFunc(p.done(), func(d string) bool { return strings.HasPrefix(d, "a {CallID:") }) {
			t.Errorf("the call was not hung up: %q", p.done())
		}
		if other.Over() {
			t.Fatal("the other run is over too")
		}
		if got := ended(t, other); got.Status != timeline.Timeout {
			t.Errorf("the other run ended %s: %s", got.Status, got.Reason)
		}
		for _, c := range []struct {
			run    *Run
			others string
		}{{one, "b"}, {other, "a"}} {
			called := 0
			for _, e := range c.run.Entries(0) {
				if e.PhoneID != nil && string(*e.PhoneID) == c.others {
					t.Errorf("%s sees %s on %s", c.run.ID(), e.Type, c.others)
				}
				if e.Type == "user.called" {
					called++
				}
			}
			if called != 1 {
				t.Errorf("%s sees user.called %d times", c.run.ID(), called)
			}
		}
	})
}

func TestARunEndsWithTheRequestItIsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := storeOf(t)
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		run, err := s.StartIn(ctx, load(t, waitsOn("a")), Options{})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if result := ended(t, run); result.Status != timeline.Error || time.Since(began) > 4*time.Second {
			t.Errorf("%s after %v: %s", result.Status, time.Since(began), result.Reason)
		}
	})
}

func TestStopEndsEveryRunAndLetsNoneBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := storeOf(t)
		all := []*Run{s.mustStart(t, waitsOn("a")), s.mustStart(t, lasts(60_000))}
		s.Stop()
		s.Wait(t.Context())
		for _, run := range all {
			if result, over := run.Result(); !over || !strings.Contains(result.Reason, ErrEnding.Error()) {
				t.Errorf("%s: over %v, %s", run.ID(), over, result.Reason)
			}
		}
		if _, err := s.Start(load(t, lasts(1)), Options{}); err == nil {
			t.Error("a run begins while the server ends")
		}
	})
}

func TestTheStoreIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := storeOf(t)
		var going []*Run
		for range maxGoing {
			going = append(going, s.mustStart(t, lasts(60_000)))
		}
		if _, err := s.Start(load(t, lasts(1)), Options{}); err == nil || !strings.Contains(err.Error(), "cancel_run") {
			t.Errorf("one run more than %d: %v", maxGoing, err)
		}
		for _, run := range going[1:] {
			run.Cancel()
			ended(t, run)
		}
		for range maxFinished {
			ended(t, s.mustStart(t, lasts(1)))
		}
		synctest.Wait()
		list := s.List()
		if len(list) != maxFinished+1 || list[0] != going[0] {
			t.Errorf("%d runs are kept, the first is %s", len(list), list[0].ID())
		}
		for id, want := range map[string]string{
			"run_2": "no longer kept", "run_9999": "list_runs", "run_02": "list_runs", "run_+2": "list_runs", "run_x": "not found", "": "not found",
		} {
			if _, err := s.Get(id); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %q", id, err, want)
			}
		}
		// A long timeline takes the place of older ones, but stays itself.
		last := list[len(list)-1]
		last.mu.Lock()
		last.entries = make([]Entry, maxRemembered+1)
		last.mu.Unlock()
		s.forget()
		if kept := s.List(); len(kept) != 2 || kept[1] != last {
			t.Errorf("%d runs are kept beside a very long one", len(kept))
		}
	})
}
