package interop

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ringmaster/tests/asterisk"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

const (
	// deaths is how often a phone is killed in a call.
	deaths = 6
	// freedWithin is how long Asterisk may keep the call of a dead phone.
	freedWithin = 2 * time.Second
)

// TestKilledPhoneLeavesNoChannel kills the worker of a phone in a call through
// Asterisk, the caller's and the callee's in turn: Asterisk is rid of the call
// within 2 s, and the phone is registered again.
func TestKilledPhoneLeavesNoChannel(t *testing.T) {
	x := exchange{asterisk.Start(t)}
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	a, b := x.add(t, c, "a", "6001"), x.add(t, c, "b", "6002")
	var noticed, registered, told, freed []time.Duration
	for round := range deaths {
		atA, atB := phones.Talk(a, b, x.uri("6002"))
		if up := x.Channels(t); len(up) != 2 {
			t.Fatalf("of one call Asterisk has the channels %v", up)
		}
		dead, atDead, left, atLeft := a, atA, b, atB
		if round%2 == 1 {
			dead, atDead, left, atLeft = b, atB, a, atA
		}
		before := dead.Do("stop_audio", mcpclient.Args{"call_id": atDead}).Int("cursor")
		began := time.Now()
		if err := syscall.Kill(c.Must("get_phone", mcpclient.Args{"phone_id": dead.ID}).Object("worker").Int("pid"), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		noticed = append(noticed, dead.When(before, "phone.exited").Sub(began))
		registered = append(registered, dead.When(before, "reg.success").Sub(began))
		told = append(told, left.When(before, "call.state.disconnected").Sub(began))
		left.Ends(atLeft, 200)
		for up := x.Channels(t); len(up) > 0; up = x.Channels(t) {
			if time.Since(began) > freedWithin {
				t.Fatalf("%v after the death of %s Asterisk has the channels %v", time.Since(began), dead.ID, up)
			}
		}
		freed = append(freed, time.Since(began))
		if !x.HasContact(t, dead.User) {
			t.Errorf("Asterisk has no contact of %s", dead.User)
		}
		c.Must("restart_phone", mcpclient.Args{"phone_id": dead.ID}) // so that the next death counts as its first
	}
	report(t, "kill -9 to phone.exited", noticed)
	report(t, "kill -9 to registered again", registered)
	report(t, "kill -9 to the other phone's call ended by Asterisk", told)
	report(t, "kill -9 to no channel in Asterisk, as its console says", freed)
}

// TestKilledInEverySituation kills the worker of a phone that does this or that
// with Asterisk: its channels are gone within 2 s, and those who were in a call
// with it are told.
func TestKilledInEverySituation(t *testing.T) {
	x := exchange{asterisk.Start(t)}
	client, p := x.fleet(t, "6001", "6002", "6003")
	a, b, c := p[0], p[1], p[2]
	var freed []time.Duration
	for _, situation := range []struct {
		name string
		// begin brings a, which is to be killed, into the situation, and
		// returns what the others have to see then.
		begin func() (then func())
	}{
		{"is in a call", func() func() {
			_, atB := phones.Talk(a, b, x.uri("6002"))
			return func() { b.Ends(atB, 200) }
		}},
		{"was called", func() func() {
			atB, _ := phones.Talk(b, a, x.uri("6001"))
			return func() { b.Ends(atB, 200) }
		}},
		{"calls a phone that rings", func() func() {
			a.Call(x.uri("6002"))
			atB := b.Rings()
			return func() { b.Ends(atB, 487) }
		}},
		{"calls an extension that rings", func() func() {
			a.Reaches(a.Call(x.uri("7003")), "EARLY")
			return func() {}
		}},
		{"rings", func() func() {
			atB := b.Call(x.uri("6001"))
			a.Rings()
			return func() { b.Ends(atB, 480) }
		}},
		{"holds", func() func() {
			atA, atB := phones.Talk(a, b, x.uri("6002"))
			a.Do("hold", mcpclient.Args{"call_id": atA})
			return func() { b.Ends(atB, 200) }
		}},
		{"is held", func() func() {
			_, atB := phones.Talk(a, b, x.uri("6002"))
			b.Do("hold", mcpclient.Args{"call_id": atB})
			return func() { b.Ends(atB, 200) }
		}},
		{"has transferred its call, and the target rings", func() func() {
			atA, atB := phones.Talk(a, b, x.uri("6002"))
			a.Do("blind_transfer", mcpclient.Args{"call_id": atA, "dest_uri": x.uri("6003")})
			c.Rings()
			return func() { // Asterisk has let go of a; the transfer is its own matter, and goes on
				atC := c.Answers()
				b.Reaches(atB, "CONFIRMED")
				c.Reaches(atC, "CONFIRMED")
				c.Do("hangup", mcpclient.Args{"call_id": atC})
				b.Ends(atB, 200)
			}
		}},
		{"has two calls that it is about to join", func() func() {
			atA, atB := phones.Talk(a, b, x.uri("6002"))
			a.Do("hold", mcpclient.Args{"call_id": atA})
			_, atC := phones.Talk(a, c, x.uri("6003"))
			return func() {
				b.Ends(atB, 200)
				c.Ends(atC, 200)
			}
		}},
	} {
		ok := t.Run(situation.name, func(t *testing.T) {
			then := situation.begin()
			if len(x.channelsOf(t, "6001")) == 0 && !strings.Contains(situation.name, "transferred") {
				t.Fatal("Asterisk has no channel of the phone to be killed")
			}
			before := a.Do("send_message", mcpclient.Args{"dest_uri": x.uri("6003"), "body": "mark"}).Int("cursor")
			began := time.Now()
			if err := syscall.Kill(client.Must("get_phone", mcpclient.Args{"phone_id": "a"}).Object("worker").Int("pid"), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			for up := x.channelsOf(t, "6001"); len(up) > 0; up = x.channelsOf(t, "6001") {
				if time.Since(began) > freedWithin {
					t.Fatalf("%v after the death of the phone Asterisk has its channels %v", time.Since(began), up)
				}
			}
			freed = append(freed, time.Since(began))
			a.When(before, "reg.success")
			then()
			client.Must("restart_phone", mcpclient.Args{"phone_id": "a"}) // so that the next death counts as its first
		})
		if !ok {
			return // the next situation would be another one
		}
	}
	report(t, "kill -9 in nine situations to no channel of the phone in Asterisk", freed)
}

// channelsOf are the channels of one user.
func (x exchange) channelsOf(t *testing.T, user string) []string {
	t.Helper()
	return slices.DeleteFunc(x.Channels(t), func(name string) bool { return !strings.HasPrefix(name, "PJSIP/"+user+"-") })
}

// TestKilledServerLeavesNoChannel kills a server whose phones are in a call
// through Asterisk: they hang up and de-register, all within 3 s.
func TestKilledServerLeavesNoChannel(t *testing.T) {
	const within = 3 * time.Second
	x := exchange{asterisk.Start(t)}
	c, p := x.fleet(t, "6001", "6002", "6003")
	phones.Talk(p[0], p[1], x.uri("6002"))
	p[2].Reaches(p[2].Call(x.uri("7003")), "EARLY")
	if up := x.Channels(t); len(up) != 3 {
		t.Fatalf("Asterisk has the channels %v", up)
	}
	began := time.Now()
	c.Signal(os.Kill)
	for {
		left := x.Channels(t)
		for _, user := range []string{"6001", "6002", "6003"} {
			if x.HasContact(t, user) {
				left = append(left, "contact of "+user)
			}
		}
		took := time.Since(began)
		if took > within {
			t.Fatalf("%v after the death of the server Asterisk has %v", took, left)
		}
		if len(left) == 0 {
			t.Logf("kill -9 of the server to no channel and no contact in Asterisk: %v", took.Round(time.Millisecond))
			break
		}
	}
	c.WaitEnd(within)
}
