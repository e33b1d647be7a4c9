package interop

import (
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
