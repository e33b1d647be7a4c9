package chaos

import (
	"flag"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringmaster/tests/mcpclient"
)

var (
	long = flag.Bool("long", false, "20 phones, 100 deaths; without it 8 and 12")
	seed = flag.Uint64("seed", 1, "of the random choices")
)

var programs mcpclient.Programs

func TestMain(m *testing.M) {
	flag.Parse()
	var err error
	if programs, err = mcpclient.FindPrograms(); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		if err := programs.Remove(); err != nil {
			panic(err)
		}
		os.Exit(status) //nolint:forbidigo // TestMain ends the tests
	}))
}

// plan is how much is done.
type plan struct {
	phones  int
	deaths  int
	hangs   int           // of the deaths: SIGSTOP instead of SIGKILL
	setups  int           // of the deaths: while a call is set up
	pause   time.Duration // at most, between one death and the next
	control time.Duration // of calls without deaths, to compare with
}

func plans() plan {
	if *long {
		return plan{phones: 20, deaths: 100, hangs: 6, setups: 30, pause: time.Second, control: 30 * time.Second}
	}
	return plan{phones: 8, deaths: 12, hangs: 1, setups: 4, pause: 500 * time.Millisecond, control: 5 * time.Second}
}

// noticedWithin is when a death is noticed, most often: a machine that is busy
// with other things may take its time now and then.
const noticedWithin = 100 * time.Millisecond

// TestDeathsTouchNobodyElse is the whole of it: calls without deaths, calls
// with deaths, and at last the death of a server itself.
func TestDeathsTouchNobodyElse(t *testing.T) {
	p := plans()
	r := newRig(t, p)
	r.addPhones()
	before := r.leavings()
	r.callAll()
	r.pass(p.control)
	r.endAll()
	control := r.takeTally()
	t.Logf("without deaths: %s", control)

	r.callAll()
	for _, d := range r.choose(p) {
		r.pass(d.after)
		r.die(d)
	}
	r.recoverHanging()
	r.endAll()
	chaos := r.takeTally()
	t.Logf("with %d deaths: %s", p.deaths, chaos)
	report(t, "kill -9 to phone.exited", r.noticed)
	report(t, "kill -9 to registered again, a phone's first death", r.registered)
	report(t, "kill -9 to registered again, its second and third (after a pause of 250 ms and 1 s)", r.registeredLater)
	report(t, "SIGSTOP to phone.exited", r.stopped)
	report(t, "kill -9 to the PBX freed: the other phone's call ended, a phone's first death", r.told)
	if typical := median(r.noticed); typical > noticedWithin {
		t.Errorf("a death is noticed after %v, want %v at most", typical, noticedWithin)
	}
	if chaos.lost*control.packets > control.lost*chaos.packets || chaos.unseen*control.packets > control.unseen*chaos.packets {
		t.Errorf("of %d RTP packets %d were lost and %d not seen, without deaths %d and %d of %d",
			chaos.packets, chaos.lost, chaos.unseen, control.lost, control.unseen, control.packets)
	}
	r.nothingLost()
	r.nothingLeft(before)
	r.filesAreWhole(r.c, p.phones)

	r.addPhones()
	r.otherServerDies()
	for _, p := range r.phones {
		r.c.Must("drop_phone", mcpclient.Args{"phone_id": p.ID})
	}
	r.addPhones()
	r.callAll()
	r.serverDies()
}
