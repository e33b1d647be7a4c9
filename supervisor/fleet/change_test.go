package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/fleet"
	"ringmaster/tests/fakeworker"
)

func TestAddAnswersWhenRegistered(t *testing.T) {
	run(t, &memory{}, func(b *bench) {
		s := b.add("a")
		if s.Settings.PhoneID != "a" || s.LocalPort == 0 || s.TransportID != 1 || s.Worker.State != fleet.Running ||
			s.Worker.PID != 1 || s.Worker.Restarts != 0 || s.Worker.StartedAt.IsZero() || s.Worker.LastExit != "" {
			b.Errorf("status %+v", s)
		}
		b.want("registration", s.Registration, phone.Registration{IsRegistered: true, StatusCode: 200, Reason: "OK", Expires: 300})
		b.want("entries", b.sink.lines("a"), []string{"1:0 phone.started", "1:1 reg.success"})
		b.want("changes", b.takeChanges(), []string{"+[a] -[]"})
		c := b.workers.last("a").got.Load()
		b.want("configuration", *c, phone.Configuration{
			Settings: settings("a"), RecordingsDir: "/r", CapturesDir: "/c", SDPSessionName: "Ringmaster", CallIDs: phone.Block{First: 0, Count: 1000}})
		b.add("b")
		b.want("second block", b.workers.last("b").got.Load().CallIDs.First, phone.CallID(1000))
		var ids []phone.ID
		for _, s := range b.f.List() {
			ids = append(ids, s.Settings.PhoneID)
		}
		b.want("list", ids, []phone.ID{"a", "b"})
	})
}

func TestAddWaitsForTheRegistrarAsLongAsItMust(t *testing.T) {
	for _, tc := range []struct {
		registrar string
		register  bool
		takes     time.Duration
		want      phone.Registration
	}{
		{"refuses", true, 0, phone.Registration{StatusCode: 403, Reason: "Forbidden"}},
		{"silent", true, 5 * time.Second, phone.Registration{}},
		{"silent", false, 0, phone.Registration{}},
	} {
		run(t, &memory{knobs: knobs(fakeworker.Knobs{Registrar: tc.registrar})}, func(b *bench) {
			began := time.Now()
			s := settings("a")
			s.Register = tc.register
			status, err := b.f.Add(b.Context(), s)
			if err != nil {
				b.Fatal(err)
			}
			b.want("registration", status.Registration, tc.want)
			b.want("time", time.Since(began), tc.takes)
			b.want("changes", b.takeChanges(), []string{"+[a] -[]"})
		})
	}
}

func TestAFailedAddLeavesNothing(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.LocalAddr().(*net.UDPAddr).Port

	for name, tc := range map[string]struct {
		workers  *memory
		settings func(*phone.Settings)
		cancel   time.Duration
		want     string
	}{
		"port in use":    {workers: &memory{}, settings: func(s *phone.Settings) { s.LocalPort = port }, want: fmt.Sprintf("port %d is in use", port)},
		"does not start": {workers: &memory{fail: func(phone.ID, int) error { return errors.New("no such file") }}, want: "no such file"},
		"configure hangs": {workers: &memory{knobs: knobs(fakeworker.Knobs{StallConfigure: true})},
			want: `phone "a" could not be made: its worker did not take its settings within 10s and was ended`},
		"cancelled while it registers": {workers: &memory{knobs: knobs(fakeworker.Knobs{Registrar: "silent", HangAfter: time.Second, IgnoreShutdown: true})},
			cancel: 3 * time.Second, want: "context canceled"},
		"cancelled while it starts": {workers: &memory{gated: true}, cancel: time.Second, want: "context canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, tc.workers, func(b *bench) {
				ctx, cancel := context.WithCancel(b.Context())
				defer cancel()
				if tc.cancel > 0 {
					defer time.AfterFunc(tc.cancel, cancel).Stop()
				}
				s := settings("a")
				if tc.settings != nil {
					tc.settings(&s)
				}
				_, err := b.f.Add(ctx, s)
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					b.Errorf("got %v, want %q", err, tc.want)
				}
				if list := b.f.List(); len(list) != 0 {
					b.Errorf("left in the fleet: %v", list)
				}
				b.want("workers left", b.workers.left(), []string(nil))
				b.want("changes", b.takeChanges(), []string(nil))
			})
		})
	}
}

// drop_phone while the phone starts: it waits for that, and then drops.
func TestDropDuringAStart(t *testing.T) {
	for name, fail := range map[string]func(phone.ID, int) error{
		"that succeeds": nil,
		"that fails":    func(phone.ID, int) error { return errors.New("no such file") },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, &memory{gated: true, fail: fail}, func(b *bench) {
				added, dropped := make(chan error, 1), make(chan error, 1)
				go func() {
					_, err := b.f.Add(b.Context(), settings("a"))
					added <- err
				}()
				pass(time.Second)
				go func() { dropped <- b.f.Drop(b.Context(), "a", true) }()
				pass(time.Second)
				close(b.workers.gate)
				if err := <-added; (err != nil) != (fail != nil) {
					b.Errorf("Add: %v", err)
				}
				if err := <-dropped; (err != nil) != (fail != nil) {
					b.Errorf("Drop: %v", err)
				} else if err != nil && !strings.Contains(err.Error(), `phone_id "a" not found`) {
					b.Errorf("Drop of a phone that did not start: %v", err)
				}
				b.want("phones", len(b.f.List()), 0)
				b.want("workers left", b.workers.left(), []string(nil))
			})
		})
	}
}

func TestAWorkerThatDiesBeforeAddAnswersFailsIt(t *testing.T) {
	run(t, &memory{knobs: knobs(fakeworker.Knobs{Registrar: "silent"})}, func(b *bench) {
		go func() {
			pass(time.Second)
			b.workers.last("a").Kill()
		}()
		_, err := b.f.Add(b.Context(), settings("a"))
		var e *phone.Error
		if !errors.As(err, &e) || e.Kind != phone.Gone || len(b.f.List()) != 0 {
			b.Errorf("got %v", err)
		}
		b.want("starts", len(b.workers.workers["a"]), 1)
	})
}

func TestTheBlockOfAPhoneThatNeverWasGoesToTheNext(t *testing.T) {
	run(t, &memory{fail: func(id phone.ID, _ int) error {
		if id == "bad" {
			return errors.New("no")
		}
		return nil
	}}, func(b *bench) {
		if _, err := b.f.Add(b.Context(), settings("bad")); err == nil {
			b.Fatal("bad was added")
		}
		b.add("a")
		b.want("first call", b.call("a"), phone.CallID(0))
	})
}

func TestDrop(t *testing.T) {
	for _, hangup := range []bool{true, false} {
		run(t, &memory{}, func(b *bench) {
			b.add("a")
			b.add("b")
			b.call("a")
			b.takeChanges()
			if err := b.f.Drop(b.Context(), "a", hangup); err != nil {
				b.Fatal(err)
			}
			b.want("hangup", b.workers.last("a").shutdown.Load().HangupCalls, hangup)
			b.want("changes", b.takeChanges(), []string{"+[] -[a]"})
			lines := b.sink.lines("a")
			b.want("hung up on the record", slices.Contains(lines, "1:4 call.state.disconnected"), hangup)
			b.want("last entry", lines[len(lines)-1], "1:0 phone.stopped")

			err := b.f.Drop(b.Context(), "a", hangup)
			var e *phone.Error
			if !errors.As(err, &e) || e.Kind != phone.NotFound || e.Sentence != `phone_id "a" not found; there are: b` {
				b.Errorf("second Drop: %v", err)
			}
			owner, _ := b.f.OwnerOf(0)
			b.want("owner of the dropped phone's call", owner, phone.ID("a"))
		})
	}
}

func TestAddOfTheSameIDReplaces(t *testing.T) {
	run(t, &memory{}, func(b *bench) {
		port := b.add("a").LocalPort
		b.call("a")
		b.takeChanges()
		s := settings("a")
		s.LocalPort = port // free only when the old worker is gone
		if _, err := b.f.Add(b.Context(), s); err != nil {
			b.Fatal(err)
		}
		b.want("changes", b.takeChanges(), []string(nil))
		b.want("entries", b.sink.lines("a"), []string{
			"1:0 phone.started", "1:1 reg.success", "1:2 call.state.calling", "1:3 call.state.confirmed",
			"1:4 call.state.disconnected", "1:5 ended 0", "1:6 reg.unregistered", "1:0 phone.stopped",
			"2:0 phone.started", "2:1 reg.success"})
		b.want("new block", b.call("a"), phone.CallID(1000))
	})
}

func TestAPhoneStaysWhenItsReplacementCannotHaveItsPort(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := settings("a")
	s.LocalPort = taken.LocalAddr().(*net.UDPAddr).Port
	want := fmt.Sprintf(`phone "a" is not replaced, and goes on as it was: SIP port %d is in use: choose another local_port, or 0 for a free one`, s.LocalPort)
	run(t, &memory{}, func(b *bench) {
		b.add("a")
		if _, err := b.f.Add(b.Context(), s); err == nil || err.Error() != want {
			b.Errorf("got %v\nwant %s", err, want)
		}
		r := b.f.Load(b.Context(), []phone.Settings{settings("b"), s}, true)
		if len(r.Added) != 1 || len(r.Failed) != 1 || r.Failed[0].Err.Error() != want {
			b.Errorf("loaded %+v", r)
		}
		b.want("workers of a", len(b.workers.workers["a"]), 1)
		b.call("a")
	})
}

func TestAFailedReplacementSaysThatThePhoneIsGone(t *testing.T) {
	workers := &memory{fail: func(_ phone.ID, n int) error {
		if n > 1 {
			return errors.New("no such file")
		}
		return nil
	}}
	run(t, workers, func(b *bench) {
		b.add("a")
		const want = "no such file; the phone that it was to replace is gone"
		if _, err := b.f.Add(b.Context(), settings("a")); err == nil || err.Error() != want {
			b.Errorf("got %v", err)
		}
		b.want("phones", len(b.f.List()), 0)
	})
}

func TestAddsOfOneIDGoOneAfterTheOther(t *testing.T) {
	run(t, &memory{}, func(b *bench) {
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if _, err := b.f.Add(b.Context(), settings("a")); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
		b.want("phones", len(b.f.List()), 1)
		b.want("workers", len(b.workers.left()), 1)
		b.want("incarnations", len(b.workers.workers["a"]), 5)
	})
}

func TestLoad(t *testing.T) {
	list := func(ids ...phone.ID) (out []phone.Settings) {
		for _, id := range ids {
			out = append(out, settings(id))
		}
		return out
	}
	workers := &memory{fail: func(id phone.ID, _ int) error {
		if id == "bad" {
			return errors.New("no")
		}
		return nil
	}}
	run(t, workers, func(b *bench) {
		b.add("b")
		b.add("a")
		b.takeChanges()

		r := b.f.Load(b.Context(), list("c", "bad", "b", "c"), false)
		b.want("dropped", r.Dropped, []phone.ID{"b", "a"})
		var added []phone.ID
		for _, s := range r.Added {
			added = append(added, s.Settings.PhoneID)
			b.want("registered", s.Registration.IsRegistered, true)
		}
		b.want("added", added, []phone.ID{"c", "b"})
		if len(r.Failed) != 2 || r.Failed[0].PhoneID != "bad" || r.Failed[1].PhoneID != "c" || !strings.Contains(r.Failed[1].Err.Error(), "twice") {
			b.Errorf("failed: %v", r.Failed)
		}
		b.want("changes", b.takeChanges(), []string{"+[c] -[a]"})

		r = b.f.Load(b.Context(), list("d", "b"), true)
		if len(r.Dropped) != 0 || len(r.Added) != 2 || len(r.Failed) != 0 {
			b.Errorf("merge: %+v", r)
		}
		b.want("changes", b.takeChanges(), []string{"+[d] -[]"})
		b.want("phones", len(b.f.List()), 3)

		r = b.f.Load(b.Context(), nil, false)
		b.want("dropped by an empty list", r.Dropped, []phone.ID{"c", "d", "b"})
		b.want("changes", b.takeChanges(), []string{"+[] -[b c d]"})
	})
}

func TestLoadStartsInParallelWithinBoundsAndGrantsIDsInOrder(t *testing.T) {
	workers := &memory{gated: true}
	run(t, workers, func(b *bench) {
		var s []phone.Settings
		for i := range 6 {
			s = append(s, settings(phone.ID(fmt.Sprintf("p%d", i))))
		}
		done := make(chan fleet.LoadResult)
		go func() { done <- b.f.Load(b.Context(), s, false) }()
		synctest.Wait()
		b.want("starts at once", workers.most, 2)
		close(workers.gate)
		r := <-done
		b.want("starts at once", workers.most, 2)
		b.want("failed", r.Failed, []fleet.Failure(nil))
		for i, status := range r.Added {
			id := status.Settings.PhoneID
			b.want("order", id, s[i].PhoneID)
			b.want("block", workers.last(id).got.Load().CallIDs.First, phone.CallID(i*1000))
		}
	})
}

func TestLoadWaitsFiveSecondsInAll(t *testing.T) {
	run(t, &memory{knobs: knobs(fakeworker.Knobs{Registrar: "silent"})}, func(b *bench) {
		began := time.Now()
		r := b.f.Load(b.Context(), []phone.Settings{settings("a"), settings("b"), settings("c")}, false)
		b.want("added", len(r.Added), 3)
		b.want("time", time.Since(began), 5*time.Second)
	})
}

func TestLoadWaitsForAnAddUnderWay(t *testing.T) {
	run(t, &memory{knobs: knobs(fakeworker.Knobs{Registrar: "silent"})}, func(b *bench) {
		added := make(chan error, 1)
		go func() {
			_, err := b.f.Add(b.Context(), settings("a"))
			added <- err
		}()
		synctest.Wait()
		r := b.f.Load(b.Context(), nil, false)
		b.want("dropped", r.Dropped, []phone.ID{"a"})
		if err := <-added; err != nil {
			b.Errorf("Add: %v", err)
		}
	})
}

// A command's answer may overtake its events.
