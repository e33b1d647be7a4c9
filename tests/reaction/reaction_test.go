package reaction

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
	"ringmaster/tests/wire"
)

var measure = flag.Bool("measure", false, "take 500 samples of each and print their distribution")

var programs mcpclient.Programs

func TestMain(m *testing.M) {
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

type object = map[string]any

// Every event has its reaction on the wire, at the same phone and at another.
// With -measure it prints how long that takes.
func TestReactions(t *testing.T) {
	samples := 5
	if *measure {
		samples = 500
	}
	p := newPeer(t)
	tap, err := wire.OpenUDP(p.port())
	if errors.Is(err, unix.EPERM) {
		t.Skip("no right to open packet sockets: run as root")
	}
	if err != nil {
		t.Fatal(err)
	}
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	a, b := phones.AddDirect(t, c, "a"), phones.AddDirect(t, c, "b")
	react := func(body, reacts string) object {
		return object{
			"when": "im.received", "on_phone": "a", "match": object{"body": body}, "once": false,
			"then": []object{{"send_message": object{"phone_id": reacts, "to": p.uri(), "body": body}}},
		}
	}
	run := c.Must("start_scenario", mcpclient.Args{"scenario": object{
		"phones": []string{"a", "b"}, "timeout_ms": "10m",
		"hooks": []object{react("same", "a"), react("other", "b")},
	}})
	began := c.Must("wait_for_event", mcpclient.Args{"type": "scenario.started", "after": run.Int("cursor")})
	if began.Bool("timed_out") {
		t.Fatal("the run does not begin")
	}
	for range samples {
		for _, body := range []string{"same", "other"} {
			p.say(t, a.Port, body)
			select {
			case <-p.asked:
			case <-time.After(phones.Patience):
				t.Fatalf("no reaction to message %d (%s)", p.sent, body)
			}
		}
	}
	ended := c.Must("cancel_run", mcpclient.Args{"run_id": run.String("run_id")})
	if ended.String("run_status") != "error" || ended.Bool("already") {
		t.Errorf("the run had ended before: %s", ended.Text)
	}
	all, err := tap.Close()
	if err != nil {
		t.Fatal(err)
	}
	report(t, "a reacts to what a hears", times(t, all, p.port(), a.Port, "same"), samples)
	report(t, "b reacts to what a hears", times(t, all, p.port(), b.Port, "other"), samples)
}

// times pairs every MESSAGE of the peer with the next one, of the same body,
// from the phone that reacts.
func times(t *testing.T, all []wire.Datagram, peer, phone int, body string) []time.Duration {
	t.Helper()
	var took []time.Duration
	var in time.Time
	for _, d := range all {
		if !bytes.HasPrefix(d.Payload, []byte("MESSAGE ")) || !bytes.HasSuffix(d.Payload, []byte("\r\n\r\n"+body)) {
			continue
		}
		switch {
		case d.From == peer && in.IsZero():
			in = d.At
		case d.From == phone && !in.IsZero(): // not a retransmission
			took = append(took, d.At.Sub(in))
			in = time.Time{}
		}
	}
	return took
}

func report(t *testing.T, what string, took []time.Duration, want int) {
	t.Helper()
	if len(took) != want {
		t.Fatalf("%s: %d reactions are on the wire, want %d", what, len(took), want)
	}
	slices.Sort(took)
	if took[0] <= 0 {
		t.Errorf("%s: a reaction came %v before its event", what, -took[0])
	}
	at := func(share float64) time.Duration {
		return took[min(len(took)-1, int(share*float64(len(took))))].Round(time.Microsecond)
	}
	t.Logf("%s: median %v, p90 %v, p99 %v, max %v (%d samples, packet in to packet out)",
		what, at(0.5), at(0.9), at(0.99), took[len(took)-1].Round(time.Microsecond), len(took))
}
