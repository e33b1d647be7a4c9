package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/fleet"
	"ringmaster/tests/fakeworker"
)

func TestADeadWorkerIsFollowedByAnother(t *testing.T) {
	run(t, &memory{}, func(b *bench) {
		before := b.add("a")
		b.add("b")
		b.call("a")
		synctest.Wait()
		b.want("active calls", b.status("a").ActiveCalls, 1)
		b.takeChanges()

		b.workers.last("a").Kill()
		synctest.Wait()

		after := b.status("a")
		if after.Worker.State != fleet.Running || after.Worker.Restarts != 1 || after.Worker.LastExit != "signal: killed; its last words: last words" ||
			after.Worker.PID == before.Worker.PID || after.ActiveCalls != 0 || !after.Registration.IsRegistered || after.TransportID == before.TransportID {
			b.Errorf("after: %+v", after)
		}
		b.want("port", after.LocalPort, before.LocalPort)
		b.want("configured port of the user", after.Settings.LocalPort, 0)
		b.want("changes", b.takeChanges(), []string{"+[] -[a]", "+[a] -[]"})
		b.want("entries", b.sink.lines("a"), []string{
			"1:0 phone.started", "1:1 reg.success", "1:2 call.state.calling", "1:3 call.state.confirmed",
			"1:0 phone.exited", "1:0 call.state.disconnected", "1:0 ended 0",
			"2:0 phone.restarted", "2:1 reg.success"})
		b.want("exited", b.sink.find("phone.exited").Data, map[string]any{
			"pid": int64(before.Worker.PID), "exit": "signal: killed", "reason": "signal: killed; its last words: last words", "stderr": []any{"last words"},
			"events_lost": int64(0)})
		b.want("disconnected", b.sink.find("call.state.disconnected").Data, map[string]any{
			"state": "disconnected", "remote_uri": "sip:x@127.0.0.1", "last_status": int64(200), "last_status_text": "worker exited",
			"direction": "outbound", "reason": "worker exited", "heard": nil, "sent": nil, "quality": nil,
			"sip_call_id": "", "codec": "", "remote_contact": "", "local_contact": "", "recording_file": "",
			"capture_file": "", "local_rtp_port": int64(0), "remote_rtp_port": int64(0)})
		b.want("call id of the successor", b.call("a"), phone.CallID(2000))

		b.want("the other's restarts", b.status("b").Worker.Restarts, 0)
		b.want("the other's call", b.call("b"), phone.CallID(1000))
		synctest.Wait()
		b.want("the other's entries", b.sink.lines("b"), []string{
			"1:0 phone.started", "1:1 reg.success", "1:2 call.state.calling", "1:3 call.state.confirmed"})
	})
}

// What a worker is known to have done, and could not tell any more, is lost, and
// said to be.
func TestWhatADeadWorkerDidNotTellIsLost(t *testing.T) {
	var dies chan struct{} // of the test's bubble
	workers := &memory{before: func(n int, e phone.Entry) error {
		if n > 1 || e.Seq < 3 {
			return nil
		}
		<-dies
		return errors.New("the connection broke")
	}}
	run(t, workers, func(b *bench) {
		dies = make(chan struct{})
		b.add("a")
		b.call("a")                                                            // entries 2 and 3
		if _, err := b.f.Do(b.Context(), "a", phone.ListCalls{}); err != nil { // answers that there are three
			b.Fatal(err)
		}
		synctest.Wait()
		close(dies)
		synctest.Wait()
		b.want("entries", b.sink.lines("a"), []string{
			"1:0 phone.started", "1:1 reg.success", "1:2 call.state.calling",
			"1:0 phone.exited", "1:3 gap 3-3", "1:0 call.state.disconnected", "1:0 ended 0",
			"2:0 phone.restarted", "2:1 reg.success"})
		b.want("events lost, as phone.exited says", b.sink.find("phone.exited").Data["events_lost"], int64(1))
		b.want("events lost while it lived", b.status("a").Worker.EventsLost, uint64(0))
	})
}

func TestTooManyDeathsKeepAPhoneDown(t *testing.T) {
	run(t, &memory{}, func(b *bench) {
		b.add("a")
		b.takeChanges()
		for range 4 {
			b.workers.last("a").Kill()
			pass(2 * time.Second) // longer than any back-off
		}
		s := b.status("a")
		if s.Worker.State != fleet.Failed || s.Worker.Restarts != 3 || s.Worker.PID != 0 || s.Worker.LastExit == "" {
			b.Errorf("status %+v", s.Worker)
		}
		b.want("why", s.Worker.Failed, "its worker ended 4 times within 60 s")
		b.want("reason", b.sink.find("phone.failed").Data["reason"], any("its worker ended 4 times within 60 s"))
		b.want("number of changes", len(b.takeChanges()), 7)
		_, err := b.f.Do(b.Context(), "a", phone.Register{})
		if err == nil || !strings.Contains(err.Error(), `phone "a" is down after too many deaths`) {
			b.Errorf("Do: %v", err)
		}
		b.want("running again", b.add("a").Worker.State, fleet.Running)
		b.want("changes", b.takeChanges(), []string{"+[a] -[]"})
	})
}

func TestAWorkerThatHangsIsKilledAndReplaced(t *testing.T) {
	hangOnce := func(_ phone.ID, n int) fakeworker.Knobs {
		if n == 1 {
			return fakeworker.Knobs{HangAfter: time.Second}
		}
		return fakeworker.Knobs{}
	}
	run(t, &memory{knobs: hangOnce}, func(b *bench) {
		b.add("a")
		pass(8 * time.Second)
		s := b.status("a")
		if s.Worker.Restarts != 1 || !strings.HasPrefix(s.Worker.LastExit, "no answer for 5s, signal: killed") {
			b.Errorf("status %+v", s.Worker)
		}
	})
}

// Somebody debugs an adopted worker: it may stand still for longer than any
// limit. When it is gone, a worker of the server's own follows.
func TestAnAdoptedWorkerMayStandStill(t *testing.T) {
	hangOnce := func(_ phone.ID, n int) fakeworker.Knobs {
		if n == 1 {
			return fakeworker.Knobs{HangAfter: time.Second}
		}
		return fakeworker.Knobs{}
	}
	run(t, &memory{knobs: hangOnce, adopted: true}, func(b *bench) {
		pid := b.add("a").Worker.PID
		pass(time.Minute)
		s := b.status("a").Worker
		if s.State != fleet.Running || s.PID != pid {
			b.Errorf("after a minute: %+v", s)
		}
		b.workers.last("a").Kill()
		pass(time.Second)
		if s := b.status("a").Worker; s.State != fleet.Running || s.PID == pid {
			b.Errorf("after its end: %+v", s)
		}
	})
}

func TestUpdateIsRememberedForTheNextWorker(t *testing.T) {
	run(t, &memory{}, func(b *bench) {
		b.add("a")
		codecs, password, yes := []string{"PCMU"}, phone.NewSecret("new"), true
		s, o, err := b.f.Update(b.Context(), "a", phone.Update{Codecs: &codecs, Password: &password, AutoAnswer: &yes})
		if err != nil || !o.Updated.Reregistered || !s.Registration.IsRegistered {
			b.Errorf("%+v, %v, %v", s, o.Updated, err)
		}
		b.want("codecs", s.Settings.Codecs, codecs)
		b.workers.last("a").Kill()
		synctest.Wait()
		got := b.workers.last("a").got.Load()
		if got.Password.Reveal() != "new" || !got.AutoAnswer || !slices.Equal(got.Codecs, codecs) || got.SRTP {
			b.Errorf("successor was given %+v", got.Settings)
		}
		if _, _, err := b.f.Update(b.Context(), "x", phone.Update{}); err == nil {
			b.Error("an unknown phone was updated")
		}
	})
}

func TestACancelledUpdateIsRememberedWhenThePhoneHasTakenIt(t *testing.T) {
	workers := &memory{undecided: func(phone.Command) <-chan struct{} { return make(chan struct{}) }}
	run(t, workers, func(b *bench) {
		b.add("a")
		ctx, cancel := context.WithCancel(b.Context())
		time.AfterFunc(time.Second, cancel)
		yes := true
		if _, _, err := b.f.Update(ctx, "a", phone.Update{AutoAnswer: &yes}); !errors.Is(err, context.Canceled) {
			b.Errorf("got %v", err)
		}
		b.want("auto_answer", b.status("a").Settings.AutoAnswer, true)
		if _, _, err := b.f.Update(ctx, "a", phone.Update{SRTP: &yes}); !errors.Is(err, context.Canceled) {
			b.Errorf("got %v", err)
		}
		b.want("srtp, which was cancelled before", b.status("a").Settings.SRTP, false)
	})
}

// The worker may register with the new password before it has said that it took
// the update: the embedded PBX must know it by then.
func TestANewPasswordCountsFromWhenItIsGiven(t *testing.T) {
	var accounts func() []phone.Settings
	var seen []string
	workers := &memory{refuse: func(c phone.Command) error {
		if _, ok := c.(phone.UpdateSettings); ok {
			seen = append(seen, accounts()[0].Password.Reveal())
			return phone.Errorf(phone.Invalid, "no")
		}
		return nil
	}}
	run(t, workers, func(b *bench) {
		accounts = b.f.Accounts
		b.add("a")
		before, password := accounts()[0].Password.Reveal(), phone.NewSecret("new")
		if _, _, err := b.f.Update(b.Context(), "a", phone.Update{Password: &password}); err == nil {
			b.Error("the update was not refused")
		}
		b.want("password while it is given", seen, []string{"new"})
		b.want("password after the refusal", accounts()[0].Password.Reveal(), before)
	})
}

func TestARefusedUpdateLeavesTheOthers(t *testing.T) {
	var decide chan struct{} // made in the bubble
	workers := &memory{
		undecided: func(phone.Command) <-chan struct{} { return decide },
		refuse: func(c phone.Command) error {
			if u, ok := c.(phone.UpdateSettings); ok && u.Update.AutoAnswer != nil && !*u.Update.AutoAnswer {
				return phone.Errorf(phone.Invalid, "no")
			}
			return nil
		},
	}
	run(t, workers, func(b *bench) {
		decide = make(chan struct{})
		b.add("a")
		yes, no := true, false
		failed := make(chan error, 3)
		update := func(u phone.Update) {
			go func() {
				_, _, err := b.f.Update(b.Context(), "a", u)
				failed <- err
			}()
			synctest.Wait()
		}
		update(phone.Update{AutoAnswer: &yes})
		update(phone.Update{AutoAnswer: &no, RecordingEnabled: &yes})
		update(phone.Update{SRTP: &yes})
		close(decide)
		refused := 0
		for range 3 {
			if <-failed != nil {
				refused++
			}
		}
		b.want("refused", refused, 1)
		s := b.status("a").Settings
		b.want("settings", []bool{s.AutoAnswer, s.RecordingEnabled, s.SRTP}, []bool{true, false, true})
	})
}

func TestFurtherCallIDsComeBeforeTheyAreNeeded(t *testing.T) {
	refused := false
	refuseOnce := func(c phone.Command) error {
		if _, ok := c.(phone.GrantCallIDs); !ok || refused {
			return nil
		}
		refused = true
		return phone.Errorf(phone.Exhausted, "not now")
	}
	run(t, &memory{refuse: refuseOnce}, func(b *bench) {
		b.add("a")
		b.add("b")
		for i := range 2500 {
			want := phone.CallID(i)
			if i >= 1000 {
				want += 1000 // b's block
			}
			if got := b.call("a"); got != want {
				b.Fatalf("call %d has id %d, want %d", i, got, want)
			}
			synctest.Wait()
			if _, err := b.f.Do(b.Context(), "a", phone.HangupAll{}); err != nil {
				b.Fatal(err)
			}
		}
		for c, want := range map[phone.CallID]phone.ID{999: "a", 1000: "b", 2000: "a", 3500: "a"} {
			owner, _ := b.f.OwnerOf(c)
			b.want(fmt.Sprintf("owner of %d", c), owner, want)
		}
		if owner, ok := b.f.OwnerOf(9999); ok {
			b.Errorf("9999 belongs to %s", owner)
		}
	})
}

func TestCloseIsDoneInTimeWhateverTheWorkersDo(t *testing.T) {
	run(t, &memory{knobs: knobs(fakeworker.Knobs{IgnoreShutdown: true})}, func(b *bench) {
		for _, id := range []phone.ID{"a", "b", "c"} {
			b.add(id)
		}
		began := time.Now()
		if err := b.f.Close(b.Context()); err != nil {
			b.Error(err)
		}
		if took := time.Since(began); took > 3*time.Second {
			b.Errorf("took %v", took)
		}
		b.want("state", b.status("a").Worker.State, fleet.Stopped)
		if _, err := b.f.Add(b.Context(), settings("d")); err == nil {
			b.Error("a closed fleet must not add")
		}
	})
}

func TestCloseWaitsForADropUnderWay(t *testing.T) {
	run(t, &memory{knobs: knobs(fakeworker.Knobs{IgnoreShutdown: true})}, func(b *bench) {
		b.add("a")
		dropped := make(chan error, 1)
		go func() { dropped <- b.f.Drop(b.Context(), "a", true) }()
		synctest.Wait()
		if err := b.f.Close(b.Context()); err != nil {
			b.Error(err)
		}
		b.want("workers left", b.workers.left(), []string(nil))
		if err := <-dropped; err != nil {
			b.Error(err)
		}
	})
}

func TestAWorkerWhoseJournalEndsIsReplaced(t *testing.T) {
	failOnce := func(n int, e phone.Entry) error {
		if n == 1 && e.Event.Type == "call.state.calling" {
			return errors.New("the stream broke")
		}
		return nil
	}
	run(t, &memory{before: failOnce}, func(b *bench) {
		b.add("a")
		b.call("a")
		synctest.Wait()
		b.want("restarts", b.status("a").Worker.Restarts, 1)
		b.want("workers left", len(b.workers.left()), 1)
	})
}

func TestARegistrationThatACommandAnswersIsKnownAtOnce(t *testing.T) {
	var release chan struct{} // made in the bubble
	hold := func(_ int, e phone.Entry) error {
		if e.Seq > 1 {
			<-release
		}
		return nil
	}
	run(t, &memory{before: hold}, func(b *bench) {
		release = make(chan struct{})
		b.add("a")
		if _, err := b.f.Do(b.Context(), "a", phone.Unregister{}); err != nil {
			b.Fatal(err)
		}
		if _, err := b.f.Do(b.Context(), "a", phone.GetRegistration{}); err != nil {
			b.Fatal(err)
		}
		b.want("registered", b.status("a").Registration.IsRegistered, false)
		close(release)
	})
}

func TestAnOutcomeThatIsOlderThanAnEventTellsNothingNew(t *testing.T) {
	run(t, &memory{}, func(b *bench) {
		b.add("a")
		pending, err := b.f.Begin(b.Context(), "a", phone.Register{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := b.f.Do(b.Context(), "a", phone.Unregister{}); err != nil {
			b.Fatal(err)
		}
		synctest.Wait()
		if o, err := pending(); err != nil || !o.Registration.IsRegistered {
			b.Fatal(o.Registration, err)
		}
		b.want("registered", b.status("a").Registration.IsRegistered, false)
	})
}

func TestCloseEndsAnAddUnderWay(t *testing.T) {
	run(t, &memory{knobs: knobs(fakeworker.Knobs{Registrar: "silent"})}, func(b *bench) {
		failed := make(chan error)
		go func() {
			_, err := b.f.Add(b.Context(), settings("a"))
			failed <- err
		}()
		synctest.Wait()
		if err := b.f.Close(b.Context()); err != nil {
			b.Error(err)
		}
		if err := <-failed; err == nil || !strings.Contains(err.Error(), "the server is ending") {
			b.Errorf("Add: %v", err)
		}
	})
}
