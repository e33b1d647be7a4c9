package e2e

import (
	"syscall"
	"testing"
	"time"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// kill kills the worker of a phone and waits until another one runs.
func kill(t *testing.T, c *mcpclient.Client, phone string) {
	t.Helper()
	killed := workerPID(c, phone)
	if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.Until(phones.Patience, "a new worker of "+phone, "get_phone", mcpclient.Args{"phone_id": phone}, func(a mcpclient.Answer) bool {
		w := a.Object("worker")
		return w.String("state") == "running" && w.Int("pid") != killed
	})
}

// The recording that a worker had open when it was killed is whole, and has a
// sidecar with what was known of the call, before another worker is there.
func TestRecordingOfAKilledWorkerIsWhole(t *testing.T) {
	t.Parallel()
	c, a, b := pair(t)
	atA, atB := phones.Talk(a, b, b.URI())
	a.Plays(atA, 600)
	a.Receives(atA, phones.Talking)
	b.Receives(atB, phones.Talking)
	heard := b.Do("get_call_info", mcpclient.Args{"call_id": atB}).Object("heard")
	talked := time.Duration(heard.Int("heard_ms")+heard.Int("silent_ms")+heard.Int("missing_ms")) * time.Millisecond
	kill(t, c, "b")
	r := b.Recording(atB)
	if r.Duration() < talked-200*time.Millisecond {
		t.Errorf("of %v of talk, %v are recorded", talked, r.Duration())
	}
	b.Heard(r, 600)
	s := b.Sidecar(atB)
	for key, want := range map[string]any{"direction": "inbound", "last_status": 200.0, "last_status_text": "worker exited", "codec": "PCMA"} {
		if s[key] != want {
			t.Errorf("the sidecar has %s %v, want %v", key, s[key], want)
		}
	}
	for _, key := range []string{"started_at", "ended_at", "remote_uri", "local_rtp_port", "remote_rtp_port"} {
		if s[key] == nil {
			t.Errorf("the sidecar knows no %s: %v", key, s)
		}
	}
	if d, _ := s["duration"].(float64); d < 2 {
		t.Errorf("the sidecar has duration %v", s["duration"])
	}
}

// Whatever a phone was doing with another one when its worker was killed, the
// other one is told that it is over, and both can call each other again.
func TestFarEndOfAKilledWorkerIsTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status int // that the other phone's call ends with
		// begin brings a, the one to be killed, and b into the situation and
		// returns b's call.
		begin func(a, b *phones.Phone) int
	}{
		{"called out", 200, func(a, b *phones.Phone) int {
			_, atB := phones.Talk(a, b, b.URI())
			return atB
		}},
		{"was called", 200, func(a, b *phones.Phone) int {
			atB, _ := phones.Talk(b, a, a.URI())
			return atB
		}},
		{"holds", 200, func(a, b *phones.Phone) int {
			atA, atB := phones.Talk(a, b, b.URI())
			a.Do("hold", mcpclient.Args{"call_id": atA})
			return atB
		}},
		{"is held", 200, func(a, b *phones.Phone) int {
			_, atB := phones.Talk(a, b, b.URI())
			b.Do("hold", mcpclient.Args{"call_id": atB})
			return atB
		}},
		{"rings at the other", 487, func(a, b *phones.Phone) int {
			a.Call(b.URI())
			return b.Rings()
		}},
		{"rings", 480, func(a, b *phones.Phone) int {
			atB := b.Call(a.URI())
			a.Rings()
			b.Reaches(atB, "EARLY")
			return atB
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, a, b := pair(t)
			atB := c.begin(a, b)
			kill(t, client, "a")
			b.Ends(atB, c.status)
			phones.Talk(a, b, b.URI())
		})
	}
}

// A phone whose worker dies in the middle of a transfer leaves nobody in a
// call with it.
func TestKilledInATransfer(t *testing.T) {
	t.Parallel()
	client, a, b := pair(t)
	third := phones.AddDirect(t, client, "c")
	atA, atB := phones.Talk(a, b, b.URI())
	a.Do("blind_transfer", mcpclient.Args{"call_id": atA, "dest_uri": third.URI()})
	third.Rings() // b calls it, and a waits for the end of that
	kill(t, client, "a")
	b.Ends(atB, 200)
	third.Answers()
}

// A phone whose worker dies again and again stays down, with the reason, and
// with nobody left in a call with it, until it is brought back.
func TestPhoneThatDiesTooOften(t *testing.T) {
	t.Parallel()
	client, a, b := pair(t)
	down := func() mcpclient.Answer {
		t.Helper()
		for range 3 {
			kill(t, client, "a")
		}
		_, atB := phones.Talk(a, b, b.URI())
		if err := syscall.Kill(workerPID(client, "a"), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		b.Ends(atB, 200)
		return client.Until(phones.Patience, "a is down", "get_phone", mcpclient.Args{"phone_id": "a"}, func(a mcpclient.Answer) bool {
			return a.Object("worker").String("state") == "failed"
		})
	}
	worker := down().Object("worker")
	if worker.Int("restarts") != 3 || worker.String("last_exit") != "signal: killed" || worker.String("failed_because") != "its worker ended 4 times within 60 s" || worker.Fields["pid"] != nil {
		t.Errorf("its worker is %s", worker.Text)
	}
	if tools := client.ToolsOf("a"); len(tools) > 0 {
		t.Errorf("it still has the tools %v", tools)
	}
	client.MustFail("phone_action", mcpclient.Args{"phone_id": "a", "action": "make_call", "arguments": mcpclient.Args{"dest_uri": b.URI()}}, "restart_phone")

	back := client.Must("restart_phone", mcpclient.Args{"phone_id": "a"})
	if back.Object("worker").String("state") != "running" || back.Int("local_port") != a.Port || len(client.ToolsOf("a")) != back.Int("tools_registered") {
		t.Errorf("restart_phone answers %s", back.Text)
	}
	phones.Talk(a, b, b.URI())
	a.Do("hangup", nil)

	down()
	a = phones.AddDirect(t, client, "a")
	phones.Talk(a, b, b.URI())
}

// restart_phone ends the calls of a phone that runs.
func TestRestartOfAPhoneInACall(t *testing.T) {
	t.Parallel()
	client, a, b := pair(t)
	atA, atB := phones.Talk(a, b, b.URI())
	before := workerPID(client, "a")
	restarted := client.Must("restart_phone", mcpclient.Args{"phone_id": "a"})
	b.Ends(atB, 200)
	if w := restarted.Object("worker"); w.Int("pid") == before || w.Int("restarts") != 1 {
		t.Errorf("restart_phone answers %s", restarted.Text)
	}
	a.Ends(atA, 200)
	phones.Talk(a, b, b.URI())
}

// A phone that stays down, and one that is dropped while its worker hangs, are
// not registered any more: who calls them learns so at once.
func TestDeadPhonesAreRegisteredNoMore(t *testing.T) {
	t.Parallel()
	c, a, b := registered(t)
	calls := func() {
		t.Helper()
		for began := time.Now(); ; {
			call := b.Call("sip:a@" + a.Added.String("domain"))
			why := b.Ends(call, 480).String("last_status_text")
			if why == "User is not registered" {
				return
			}
			if time.Since(began) > phones.Patience { // phone.failed comes first, then the registrar is told
				t.Fatalf("a call to a ends with %q", why)
			}
		}
	}
	for range 3 {
		kill(t, c, "a")
	}
	// The fourth finds it registered again.
	c.Until(phones.Patience, "a registered", "get_phone", mcpclient.Args{"phone_id": "a"}, func(a mcpclient.Answer) bool { return a.Bool("is_registered") })
	if err := syscall.Kill(workerPID(c, "a"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.Until(phones.Patience, "a down", "get_phone", mcpclient.Args{"phone_id": "a"}, func(a mcpclient.Answer) bool {
		return a.Object("worker").String("state") == "failed"
	})
	calls()

	c.Must("restart_phone", mcpclient.Args{"phone_id": "a"})
	phones.Talk(b, a, "sip:a@"+a.Added.String("domain"))
	b.Do("hangup", nil)
	stop(t, workerPID(c, "a"))
	c.Must("drop_phone", mcpclient.Args{"phone_id": "a"})
	c.Must("add_phone", mcpclient.Args{"phone_id": "a", "username": "a", "password": secret, "domain": a.Added.String("domain"), "register": false}) // the PBX's account
	calls()
}
