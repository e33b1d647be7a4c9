package fleet_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringmaster/proto/artifact"
	"ringmaster/proto/phone"
	"ringmaster/supervisor/fleet"
	"ringmaster/tests/fakeworker"
)

// orphans are the Call-IDs of the dialogs that a worker was given.
func (w *memWorker) orphans() []string {
	var out []string
	for _, d := range w.got.Load().Orphans {
		out = append(out, d.SIPCallID)
	}
	return out
}

func TestTheSuccessorIsGivenTheOpenDialogs(t *testing.T) {
	run(t, &memory{knobs: knobs(fakeworker.Knobs{Dialogs: true})}, func(b *bench) {
		b.add("a")
		over := b.call("a")
		b.call("a")
		b.call("a")
		if _, err := b.f.Do(b.Context(), "a", phone.Hangup{CallID: &over}); err != nil {
			b.Fatal(err)
		}
		synctest.Wait()
		b.workers.last("a").Kill()
		synctest.Wait()
		b.want("orphans", b.workers.last("a").orphans(), []string{"sip-1", "sip-2"})
		b.want("last rites", b.workers.last("a").got.Load().LastRites, false)
		b.workers.last("a").Kill()
		pass(time.Second)
		b.want("orphans of the next", b.workers.last("a").orphans(), []string(nil))
	})
}

// What a successor has not ended when it dies itself is still to be ended.
func TestOrphansAreNotForgottenBeforeTheyAreOver(t *testing.T) {
	first := func(_ phone.ID, n int) fakeworker.Knobs { return fakeworker.Knobs{Dialogs: n != 2} }
	run(t, &memory{knobs: first}, func(b *bench) {
		b.add("a")
		b.call("a")
		synctest.Wait()
		for range 2 {
			b.workers.last("a").Kill()
			pass(time.Second)
			b.want("orphans", b.workers.last("a").orphans(), []string{"sip-0"})
		}
	})
}

// dieTooOften kills a phone's worker, in a call, until it stays down.
func (b *bench) dieTooOften() {
	b.Helper()
	for range 3 {
		b.workers.last("a").Kill()
		pass(2 * time.Second)
	}
	b.call("a")
	synctest.Wait()
	b.workers.last("a").Kill()
	pass(2 * time.Second)
	b.want("state", b.status("a").Worker.State, fleet.Failed)
}

func TestAPhoneThatStaysDownHasItsLastRites(t *testing.T) {
	run(t, &memory{knobs: knobs(fakeworker.Knobs{Dialogs: true})}, func(b *bench) {
		b.add("a")
		b.takeChanges()
		b.dieTooOften()
		last := b.workers.last("a")
		b.want("orphans", len(last.orphans()), 1)
		b.want("last rites", last.got.Load().LastRites, true)
		if s := last.shutdown.Load(); s == nil || !s.HangupCalls || !last.isGone() {
			b.Errorf("the last worker was shut down with %v, gone %v", s, last.isGone())
		}
		b.want("changes", len(b.takeChanges()), 7) // its tools did not return for that
		if s := b.status("a"); s.Worker.PID != 0 || s.Worker.Restarts != 3 {
			b.Errorf("status %+v", s.Worker)
		}
	})
}

// A binding is a trace as well: the registrar would send calls to a phone that
// is not there.
func TestAPhoneThatStaysDownIsRegisteredNoMore(t *testing.T) {
	for _, register := range []bool{true, false} {
		run(t, &memory{}, func(b *bench) {
			s := settings("a")
			s.Register = register
			if _, err := b.f.Add(b.Context(), s); err != nil {
				b.Fatal(err)
			}
			for range 4 {
				b.workers.last("a").Kill()
				pass(2 * time.Second)
			}
			b.want("state", b.status("a").Worker.State, fleet.Failed)
			b.want("last rites", b.workers.last("a").got.Load().LastRites, register)
		})
	}
}

func TestAPhoneThatIsDroppedWhileItsWorkerIsDeadHasItsLastRites(t *testing.T) {
	for _, hangup := range []bool{true, false} {
		run(t, &memory{knobs: knobs(fakeworker.Knobs{Dialogs: true})}, func(b *bench) {
			b.add("a")
			b.workers.last("a").Kill()
			synctest.Wait()
			b.call("a")
			synctest.Wait()
			b.workers.last("a").Kill() // the second time there is a delay
			synctest.Wait()
			if err := b.f.Drop(b.Context(), "a", hangup); err != nil {
				b.Fatal(err)
			}
			b.want("last rites", b.workers.last("a").got.Load().LastRites, hangup)
		})
	}
}

// A worker that hangs is not waited for as long as one that is only slow to
// leave: who ends the server has 3 s in all, and another worker needs some of
// them for the dialogs.
func TestAWorkerThatHangsWhenItIsToLeave(t *testing.T) {
	for hangs, takes := range map[bool]time.Duration{true: time.Second, false: 2 * time.Second} {
		knobs := func(_ phone.ID, n int) fakeworker.Knobs {
			k := fakeworker.Knobs{Dialogs: true, IgnoreShutdown: n == 1}
			if hangs && n == 1 {
				k.HangAfter = time.Second
			}
			return k
		}
		run(t, &memory{knobs: knobs}, func(b *bench) {
			b.add("a")
			b.call("a")
			pass(time.Second)
			synctest.Wait()
			began := time.Now()
			if err := b.f.Close(b.Context()); err != nil {
				b.Error(err)
			}
			b.want("time", time.Since(began), takes)
			b.want("orphans", b.workers.last("a").orphans(), []string{"sip-0"})
		})
	}
}

func TestAWorkerThatDoesNotShutDownInOrder(t *testing.T) {
	dir := t.TempDir()
	hangs := func(_ phone.ID, n int) fakeworker.Knobs {
		return fakeworker.Knobs{Dialogs: true, IgnoreShutdown: n == 1}
	}
	run(t, &memory{knobs: hangs, recordings: dir}, func(b *bench) {
		b.add("a")
		open := filepath.Join(dir, "a", artifact.CallName(int64(b.call("a")), time.Now())+artifact.WAV)
		synctest.Wait()
		if err := errors.Join(os.MkdirAll(filepath.Dir(open), 0o755), os.WriteFile(open, nil, 0o600)); err != nil {
			b.Fatal(err)
		}
		if err := b.f.Drop(b.Context(), "a", true); err != nil {
			b.Fatal(err)
		}
		b.want("orphans", b.workers.last("a").orphans(), []string{"sip-0"})
		if e := b.sink.find("call.state.disconnected"); e == nil || e.Data["reason"] != "worker exited" {
			b.Errorf("the call's end on record: %v", e)
		}
		if _, err := os.Stat(artifact.SidecarPath(open)); err != nil {
			b.Errorf("the recording is not closed: %v", err)
		}
	})
}

func TestRestartOfARunningPhone(t *testing.T) {
	run(t, &memory{knobs: knobs(fakeworker.Knobs{Dialogs: true})}, func(b *bench) {
		before := b.add("a")
		b.call("a")
		synctest.Wait()
		b.takeChanges()
		first := b.workers.last("a")
		s, err := b.f.Restart(b.Context(), "a")
		if err != nil {
			b.Fatal(err)
		}
		if s.Worker.State != fleet.Running || s.Worker.Restarts != 1 || s.Worker.PID == before.Worker.PID || !s.Registration.IsRegistered ||
			s.LocalPort != before.LocalPort || s.ActiveCalls != 0 || s.Worker.LastExit != "exit status 0; its last words: last words" {
			b.Errorf("after: %+v", s)
		}
		b.want("hangup", first.shutdown.Load().HangupCalls, true)
		b.want("orphans", b.workers.last("a").orphans(), []string(nil))
		b.want("changes", b.takeChanges(), []string(nil)) // a phone replaced by itself
		b.want("last event", b.sink.find("phone.restarted") != nil, true)
	})
}

func TestRestartOfAPhoneThatStaysDown(t *testing.T) {
	run(t, &memory{knobs: knobs(fakeworker.Knobs{Dialogs: true})}, func(b *bench) {
		b.add("a")
		b.dieTooOften()
		b.takeChanges()
		s, err := b.f.Restart(b.Context(), "a")
		if err != nil || s.Worker.State != fleet.Running || s.Worker.Restarts != 4 || s.Worker.LastExit == "" {
			b.Errorf("after: %+v, %v", s.Worker, err)
		}
		b.want("changes", b.takeChanges(), []string{"+[a] -[]"})
		b.workers.last("a").Kill() // the deaths before do not count any more
		synctest.Wait()
		b.want("state", b.status("a").Worker.State, fleet.Running)
	})
}

func TestRestartThatFails(t *testing.T) {
	fail := func(_ phone.ID, n int) error {
		if n == 2 {
			return errors.New("no such program")
		}
		return nil
	}
	run(t, &memory{fail: fail}, func(b *bench) {
		b.add("a")
		_, err := b.f.Restart(b.Context(), "a")
		if err == nil || !strings.Contains(err.Error(), "no such program") {
			b.Errorf("error %v", err)
		}
		pass(time.Second)
		b.want("state", b.status("a").Worker.State, fleet.Running) // it was tried again
		if _, err := b.f.Restart(b.Context(), "x"); err == nil || !strings.Contains(err.Error(), `"x" not found`) {
			b.Errorf("of an unknown phone: %v", err)
		}
	})
}

func TestCloseDuringARestart(t *testing.T) {
	run(t, &memory{gated: true}, func(b *bench) {
		close(b.workers.gate)
		b.add("a")
		b.workers.mu.Lock()
		b.workers.gate = make(chan struct{})
		b.workers.mu.Unlock()
		failed := make(chan error, 1)
		go func() {
			_, err := b.f.Restart(b.Context(), "a")
			failed <- err
		}()
		synctest.Wait()
		if err := b.f.Close(b.Context()); err != nil {
			b.Error(err)
		}
		if err := <-failed; err == nil {
			b.Error("the restart succeeded")
		}
	})
}

// A phone that is dropped still has to de-register.
func TestAPhoneThatLeavesIsStillAnAccount(t *testing.T) {
	run(t, &memory{knobs: knobs(fakeworker.Knobs{IgnoreShutdown: true})}, func(b *bench) {
		b.add("a")
		b.add("b")
		accounts := func() (names []string) {
			for _, s := range b.f.Accounts() {
				names = append(names, s.Username)
			}
			return names
		}
		b.want("accounts", accounts(), []string{"a", "b"})
		dropped := make(chan error, 1)
		go func() { dropped <- b.f.Drop(b.Context(), "a", true) }()
		synctest.Wait()
		b.want("accounts while a leaves", accounts(), []string{"b", "a"})
		if err := <-dropped; err != nil {
			b.Error(err)
		}
		synctest.Wait()
		b.want("accounts after it has left", accounts(), []string{"b"})
	})
}

func TestLostEventsAreCounted(t *testing.T) {
	const flood = 5000 // more than a worker keeps
	run(t, &memory{knobs: knobs(fakeworker.Knobs{Flood: flood})}, func(b *bench) {
		b.add("a")
		b.call("a")
		synctest.Wait()
		came := 0
		for _, line := range b.sink.lines("a") {
			if strings.HasSuffix(line, "user.flood") {
				came++
			}
		}
		lost := b.status("a").Worker.EventsLost
		if lost == 0 || came+int(lost) != flood {
			b.Errorf("%d of %d came and %d are said to be lost", came, flood, lost)
		}
	})
}
