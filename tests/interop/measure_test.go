package interop

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ringmaster/tests/asterisk"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
	"ringmaster/tests/wire"
)

var measure = flag.Bool("measure", false, "measure, instead of testing")

const (
	rounds    = 20
	listening = 20 * time.Second
)

// TestMeasurements prints what `make bench` promises: medians of 20 through
// Asterisk, the spacing of one call's RTP packets over 20 s, and what 20 calls
// cost.
func TestMeasurements(t *testing.T) {
	if !*measure {
		t.Skip("measuring is done by `make bench`")
	}
	x := exchange{asterisk.Start(t)}
	x.Quiet(t)
	t.Run("add_phone", func(t *testing.T) { measureAdding(t, x) })
	t.Run("make_call", func(t *testing.T) { measureCalling(t, x) })
	t.Run("rtp", func(t *testing.T) { measureSpacing(t, x) })
	t.Run("load", measureLoad)
}

// measureAdding takes the time from add_phone to its answer, which comes when
// the phone is registered.
func measureAdding(t *testing.T, x exchange) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	var took []time.Duration
	for range rounds {
		began := time.Now()
		x.add(t, c, "a", "6001")
		took = append(took, time.Since(began))
		c.Must("drop_phone", mcpclient.Args{"phone_id": "a"})
	}
	report(t, "add_phone to its answer, registered", took)
}

// measureCalling takes the time from make_call until both sides are confirmed;
// the callee answers by itself.
func measureCalling(t *testing.T, x exchange) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	a, b := x.add(t, c, "a", "6001"), x.add(t, c, "b", "6002")
	c.Must("update_phone", mcpclient.Args{"phone_id": "b", "auto_answer": true})
	var took []time.Duration
	for range rounds {
		began := time.Now()
		call := a.Call(x.uri("6002"))
		a.Reaches(call, "CONFIRMED")
		at := b.Confirmed()
		took = append(took, time.Since(began))
		a.Do("hangup", mcpclient.Args{"call_id": call})
		b.Reaches(at, "DISCONNECTED")
	}
	report(t, "make_call to both sides confirmed", took)
}

func measureSpacing(t *testing.T, x exchange) {
	tap, err := wire.Open()
	if errors.Is(err, unix.EPERM) {
		t.Skip("no right to open packet sockets: run as root")
	}
	if err != nil {
		t.Fatal(err)
	}
	a, b := x.pair(t)
	atA, atB := phones.Talk(a, b, x.uri("6002"))
	a.Receives(atA, listening)
	a.Do("hangup", nil)
	all, err := tap.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []struct {
		phone *phones.Phone
		call  int
	}{{a, atA}, {b, atB}} {
		port := end.phone.Sidecar(end.call)["local_rtp_port"].(float64)
		s := wire.Space(wire.From(all, int(port)))
		t.Logf("RTP of %s: %d packets, %d missing, spacing p50 %s p99 %s max %s ms", end.phone.ID, s.Packets, s.Missing, ms(s.Median), ms(s.P99), ms(s.Max))
	}
}

func report(t *testing.T, what string, took []time.Duration) {
	t.Helper()
	slices.Sort(took)
	t.Logf("%s: median %s ms, least %s, most %s (%d rounds)", what, ms(took[len(took)/2]), ms(took[0]), ms(took[len(took)-1]), len(took))
}

// ms writes a duration in milliseconds.
func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond)) }
