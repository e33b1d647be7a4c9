package interop

import (
	"testing"
	"time"

	"ringmaster/tests/asterisk"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// TestCallsChangedThroughAsterisk holds, transfers and renegotiates calls that
// Asterisk has two legs of.
func TestCallsChangedThroughAsterisk(t *testing.T) {
	t.Parallel() // to the foreign peers' tests; its own cases share users
	x := exchange{asterisk.Start(t)}
	for _, c := range []struct {
		name string
		test func(*testing.T, exchange)
	}{
		{"hold and unhold, seen by the exchange", holdSeen},
		{"G722 call, audio both ways", wideband},
		{"different codecs on the two legs", transcoded},
		{"codec refusal: 488", codecRefused},
		{"codecs of a live call changed", recoded},
		{"blind transfer: our phones as transferor, transferee and target", blindTransfer},
		{"blind transfer to a number that there is not", transferFails},
		{"attended transfer: our phones as transferor, transferee and target", attendedTransfer},
		{"direct media: re-INVITEs of the exchange", directMedia},
		{"conference of two calls", confer},
	} {
		t.Run(c.name, func(t *testing.T) {
			covers(t, c.name, "Asterisk 22")
			c.test(t, x)
		})
	}
}

// fleet starts a server with phones of these users, named a, b, c…
func (x exchange) fleet(t *testing.T, users ...string) (*mcpclient.Client, []*phones.Phone) {
	t.Helper()
	client := mcpclient.Start(t, programs, mcpclient.Options{})
	var all []*phones.Phone
	for i, user := range users {
		all = append(all, x.add(t, client, string(rune('a'+i)), user))
	}
	return client, all
}

// holdSeen: Asterisk sends nothing to a phone that holds, and again when it
// does no more, however often; then both hear each other.
func holdSeen(t *testing.T, x exchange) {
	a, b := x.pair(t)
	atA, atB := phones.Talk(a, b, x.uri("6002"))
	for range 2 {
		a.Do("hold", mcpclient.Args{"call_id": atA})
		a.Silent(atA)
		a.Do("unhold", mcpclient.Args{"call_id": atA})
		a.Receives(atA, time.Second)
	}
	b.Do("hold", mcpclient.Args{"call_id": atB})
	b.Silent(atB)
	b.Do("unhold", mcpclient.Args{"call_id": atB})
	hear(a, b, atA, atB)
}

func wideband(t *testing.T, x exchange) {
	c, p := x.fleet(t, "6001", "6002")
	for _, id := range []string{"a", "b"} {
		c.Must("update_phone", mcpclient.Args{"phone_id": id, "codecs": []string{"G722"}})
	}
	atA, atB := phones.Talk(p[0], p[1], x.uri("6002"))
	for i, call := range []int{atA, atB} {
		if codec := p[i].Reaches(call, "CONFIRMED").String("codec"); codec != "G722" {
			t.Errorf("%s has codec %s, want G722", p[i].ID, codec)
		}
	}
	hear(p[0], p[1], atA, atB)
}

func transcoded(t *testing.T, x exchange) {
	c, p := x.fleet(t, "6001", "6002")
	c.Must("update_phone", mcpclient.Args{"phone_id": "a", "codecs": []string{"G722"}})
	c.Must("update_phone", mcpclient.Args{"phone_id": "b", "codecs": []string{"PCMU"}})
	atA, atB := phones.Talk(p[0], p[1], x.uri("6002"))
	hear(p[0], p[1], atA, atB)
}

// codecRefused: 6006 may only have PCMU.
func codecRefused(t *testing.T, x exchange) {
	c, p := x.fleet(t, "6006")
	c.Must("update_phone", mcpclient.Args{"phone_id": "a", "codecs": []string{"G722"}})
	p[0].Ends(p[0].Call(x.uri("7001")), 488)
}

// recoded: the exchange takes what our re-INVITE offers, and refuses what it
// may not have, after which the call goes on.
func recoded(t *testing.T, x exchange) {
	c, p := x.fleet(t, "6006")
	call := p[0].Call(x.uri("7001"))
	p[0].Reaches(call, "CONFIRMED")
	c.MustFail("update_phone", mcpclient.Args{"phone_id": "a", "codecs": []string{"G722"}}, "488")
	p[0].Receives(call, time.Second)

	c, p = x.fleet(t, "6001")
	call = p[0].Call(x.uri("7001"))
	p[0].Reaches(call, "CONFIRMED")
	for _, codec := range []string{"G722", "PCMU"} {
		c.Must("update_phone", mcpclient.Args{"phone_id": "a", "codecs": []string{codec}})
		if got := p[0].Reaches(call, "CONFIRMED").String("codec"); got != codec {
			t.Errorf("the codec is %s, want %s", got, codec)
		}
		p[0].Receives(call, time.Second)
	}
	// Asterisk counts its timestamps anew, which is no jitter.
	info := p[0].Do("get_call_info", mcpclient.Args{"call_id": call})
	if got := info.Object("rtp").Int("rx_jitter_usec"); got > 100_000 {
		t.Errorf("rx_jitter_usec is %d after the changes: %s", got, info.Text)
	}
}

// blindTransfer: a talks to b and sends b to c.
func blindTransfer(t *testing.T, x exchange) {
	_, p := x.fleet(t, "6001", "6002", "6003")
	a, b, c := p[0], p[1], p[2]
	atA, atB := phones.Talk(a, b, x.uri("6002"))
	after := a.Do("blind_transfer", mcpclient.Args{"call_id": atA, "dest_uri": x.uri("6003")}).Int("cursor")
	atC := c.Answers()
	a.Sees(after, "transfer.succeeded", nil)
	a.Ends(atA, 200)
	b.Reaches(atB, "CONFIRMED")
	c.Reaches(atC, "CONFIRMED")
	hear(b, c, atB, atC)
}

// transferFails: Asterisk accepts the REFER, tells of the failure by NOTIFY,
// and leaves the call as it is.
func transferFails(t *testing.T, x exchange) {
	a, b := x.pair(t)
	atA, atB := phones.Talk(a, b, x.uri("6002"))
	after := a.Do("blind_transfer", mcpclient.Args{"call_id": atA, "dest_uri": x.uri("4711")}).Int("cursor")
	a.Sees(after, "transfer.failed", nil)
	hear(a, b, atA, atB)
}

// attendedTransfer: a talks to b, then to c, and joins them.
func attendedTransfer(t *testing.T, x exchange) {
	_, p := x.fleet(t, "6001", "6002", "6003")
	a, b, c := p[0], p[1], p[2]
	toB, atB := phones.Talk(a, b, x.uri("6002"))
	a.Do("hold", mcpclient.Args{"call_id": toB})
	toC, atC := phones.Talk(a, c, x.uri("6003"))
	after := a.Do("attended_transfer", mcpclient.Args{"call_id": toB, "dest_call_id": toC}).Int("cursor")
	a.Sees(after, "transfer.succeeded", nil)
	a.Ends(toB, 200)
	a.Ends(toC, 200)
	hear(b, c, atB, atC)
}

// directMedia: 6007 and 6008 are told to send to each other. When a hangs up,
// Asterisk calls b's sound back to itself, so a's side is the one to look at.
func directMedia(t *testing.T, x exchange) {
	_, p := x.fleet(t, "6007", "6008")
	a, b := p[0], p[1]
	atA, atB := phones.Talk(a, b, x.uri("6008"))
	a.Plays(atA, 600)
	b.Plays(atB, 1000)
	port := func(p *phones.Phone, call int) float64 {
		return p.Sidecar(call)["remote_rtp_port"].(float64)
	}
	own := func(p *phones.Phone, call int) float64 {
		return p.Sidecar(call)["local_rtp_port"].(float64)
	}
	a.Receives(atA, 2*phones.Talking)
	b.Receives(atB, phones.Talking)
	a.Do("hangup", mcpclient.Args{"call_id": atA})
	a.Ends(atA, 200)
	b.Ends(atB, 200)
	if port(a, atA) != own(b, atB) {
		t.Errorf("the sound did not go past the exchange: a sent to port %v, and b was at %v", port(a, atA), own(b, atB))
	}
	a.Heard(a.Recording(atA), 1000)
	b.Heard(b.Recording(atB), 600)
}

// confer: a joins its calls to b and c.
func confer(t *testing.T, x exchange) {
	_, p := x.fleet(t, "6001", "6002", "6003")
	a, b, c := p[0], p[1], p[2]
	toB, atB := phones.Talk(a, b, x.uri("6002"))
	toC, atC := phones.Talk(a, c, x.uri("6003"))
	a.Do("conference", mcpclient.Args{"call_ids": []int{toB, toC}})
	b.Plays(atB, 1000)
	c.Plays(atC, 1700)
	b.Receives(atB, phones.Talking)
	c.Receives(atC, phones.Talking)
	for _, call := range []int{toB, toC} {
		a.Do("hangup", mcpclient.Args{"call_id": call})
	}
	b.Ends(atB, 200)
	c.Ends(atC, 200)
	b.Heard(b.Recording(atB), 1700)
	c.Heard(c.Recording(atC), 1000)
}
