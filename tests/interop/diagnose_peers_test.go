package interop

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"ringmaster/tests/asterisk"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/peers"
	"ringmaster/tests/phones"
)

// nothingUnusual is in the summary of a good call.
const nothingUnusual = "Nothing unusual was found"

// TestCallsThroughAsteriskExplainThemselves: good calls and broken ones, seen
// from both ends.
func TestCallsThroughAsteriskExplainThemselves(t *testing.T) {
	t.Parallel()
	x := exchange{asterisk.Start(t)}
	for _, c := range []struct {
		name string
		test func(*testing.T, exchange)
	}{
		{"explained: a good call, both ends, and its ladder across both legs", twoLegs},
		{"explained: busy, with a Q.850 cause", func(t *testing.T, x exchange) {
			x.explains(t, "6001", nil, x.uri("7002"), 486, "refused", "far end", "486 Busy Here (the called party is busy)")
		}},
		{"explained: unknown number", func(t *testing.T, x exchange) {
			x.explains(t, "6001", nil, x.uri("4711"), 404, "refused", "far end", "404 Not Found")
		}},
		{"explained: no circuit", func(t *testing.T, x exchange) {
			x.explains(t, "6001", nil, x.uri("7007"), 503, "refused", "far end", "503 Service Unavailable")
		}},
		{"explained: no common codec", func(t *testing.T, x exchange) {
			x.explains(t, "6006", mcpclient.Args{"codecs": []string{"G722"}}, x.uri("7001"), 488, "codec_mismatch", "far end", "refused the offer of G722 with 488")
		}},
		{"explained: wrong password", func(t *testing.T, x exchange) {
			x.explains(t, "6001", mcpclient.Args{"password": "wrong", "register": false}, x.uri("7001"), 401, "wrong_credentials", "far end", `user "6001" for realm "asterisk"`)
		}},
		{"explained: another realm", func(t *testing.T, x exchange) {
			x.explains(t, "6001", mcpclient.Args{"realm": "elsewhere", "register": false}, x.uri("7001"), 401, "unanswered_challenge", "far end", `challenge 401 of realm "asterisk"`)
		}},
		{"explained: rings until CANCEL, both ends", ringsOut},
	} {
		t.Run(c.name, func(t *testing.T) {
			covers(t, c.name, "Asterisk 22")
			c.test(t, x)
		})
	}
}

// explains lets a phone of a user make a call that fails, and has it explained.
func (x exchange) explains(t *testing.T, user string, more mcpclient.Args, uri string, status int, finds, by, says string) {
	t.Helper()
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	args := mcpclient.Args{"domain": x.Addr, "username": user, "password": x.Password}
	for k, v := range more {
		args[k] = v
	}
	a := phones.Add(t, c, "a", args)
	call := a.Call(uri)
	a.Ends(call, status)
	explained(t, c, "a", &call, finds, by, says)
}

// twoLegs: Asterisk gives each leg a Call-ID of its own.
func twoLegs(t *testing.T, x exchange) {
	c, p := x.fleet(t, "6001", "6002")
	a, b := p[0], p[1]
	atA, atB := phones.Talk(a, b, x.uri("6002"))
	a.Receives(atA, 2*time.Second)
	b.Receives(atB, echoed)
	explained(t, c, "a", &atA, "", "nobody yet", "they are talking")
	a.Do("hangup", mcpclient.Args{"call_id": atA})
	a.Ends(atA, 200)
	b.Ends(atB, 200)
	explained(t, c, "a", &atA, "", "local", nothingUnusual)
	explained(t, c, "b", &atB, "", "far end", nothingUnusual)

	for id, call := range map[string]int{"a": atA, "b": atB} {
		flow := c.Must("get_call_flow", mcpclient.Args{"phone_id": id, "call_id": call})
		legs := flow.List("legs")
		if len(legs) != 2 || legs[0].String("sip_call_id") == legs[1].String("sip_call_id") {
			t.Errorf("from %s the legs are %s", id, flow.Text)
			continue
		}
		ladder := flow.String("flow")
		if who := strings.Fields(ladder); len(who) < 3 || who[0] != "a" || who[1] != x.Addr || who[2] != "b" {
			t.Errorf("from %s the ladder is\n%s", id, ladder)
		}
		if n := strings.Count(ladder, "INVITE, SDP"); n < 2 || n > 3 { // one may have been challenged
			t.Errorf("from %s there are %d INVITEs:\n%s", id, n, ladder)
		}
		t.Log("\n" + ladder)
	}
	for format, begin := range map[string]string{"mermaid": "sequenceDiagram\n", "svg": "<svg xmlns="} {
		flow := c.Must("get_call_flow", mcpclient.Args{"call_id": atA, "format": format}).String("flow")
		if !strings.HasPrefix(flow, begin) || !strings.Contains(flow, "INVITE, SDP") {
			t.Errorf("as %s it is\n%s", format, flow)
		}
	}
	// What is on record stays when the phone has gone.
	c.Must("drop_phone", mcpclient.Args{"phone_id": "a"})
	explained(t, c, "a", &atA, "", "local", nothingUnusual)
}

func ringsOut(t *testing.T, x exchange) {
	c, p := x.fleet(t, "6001", "6002")
	a, b := p[0], p[1]
	atA := a.Call(x.uri("6002"))
	atB := b.Rings()
	b.Do("answer_call", mcpclient.Args{"call_id": atB, "status_code": 180})
	a.Reaches(atA, "EARLY")
	a.Do("hangup", mcpclient.Args{"call_id": atA})
	a.Ends(atA, 487)
	b.Ends(atB, 487)
	explained(t, c, "a", &atA, "no_answer", "local", "nobody answered")
	explained(t, c, "b", &atB, "no_answer", "far end", "nobody answered")
}

// TestCallsWithOthersExplainThemselves: in good calls with every other peer
// nothing is found.
func TestCallsWithOthersExplainThemselves(t *testing.T) {
	if !peers.Wanted() {
		t.Skipf("%s is not 1: run this by `make interop`", peers.Variable)
	}
	direct := mcpclient.Args{"register": false}
	for _, c := range []struct {
		name, peer string
		test       func(*testing.T, *mcpclient.Client)
	}{
		{"explained: a good call", "Kamailio 5.6", func(t *testing.T, c *mcpclient.Client) {
			k := &proxied{t, c, peers.StartKamailio(t)}
			a, b := k.add("a", "a", nil), k.add("b", "b", nil)
			atA, atB := phones.Talk(a, b, k.k.URI("b"))
			changed(a, b, atA, atB)
			explained(t, c, "a", &atA, "", "far end", nothingUnusual)
			explained(t, c, "b", &atB, "", "local", nothingUnusual)
		}},
		{"explained: unknown user", "Kamailio 5.6", func(t *testing.T, c *mcpclient.Client) {
			k := &proxied{t, c, peers.StartKamailio(t)}
			a := k.add("a", "a", nil)
			a.Ends(a.Call(k.k.URI("nobody")), 404)
			explained(t, c, "a", nil, "refused", "far end", "404")
		}},
		{"explained: good calls both ways", "baresip", func(t *testing.T, c *mcpclient.Client) {
			for _, begin := range []func(*onward){(*onward).talk, (*onward).dialled} {
				o := &onward{t: t, c: c, far: peers.StartBaresip(t, 8000, phones.ToneLevel, "PCMU/8000/1"), a: phones.Add(t, c, "a", direct)}
				begin(o)
				o.a.Receives(o.atA, phones.Talking)
				o.a.Do("hangup", mcpclient.Args{"call_id": o.atA})
				o.a.Ends(o.atA, 200)
				explained(t, c, "a", &o.atA, "", "local", nothingUnusual)
			}
		}},
		{"explained: it plays silence", "baresip", func(t *testing.T, c *mcpclient.Client) {
			o := &onward{t: t, c: c, far: peers.StartBaresip(t, 8000, -120, "PCMU/8000/1"), a: phones.Add(t, c, "a", direct)}
			o.talk()
			o.a.Receives(o.atA, phones.Talking)
			o.a.Do("hangup", mcpclient.Args{"call_id": o.atA})
			o.a.Ends(o.atA, 200)
			explained(t, c, "a", &o.atA, "only_silence_in", "local", "only silence")
		}},
		{"explained: a good call", "linphone 5.1", func(t *testing.T, c *mcpclient.Client) {
			far, a := peers.StartLinphone(t, phones.ToneLevel), phones.Add(t, c, "a", direct)
			call := a.Call(far.URI())
			a.Reaches(call, "EARLY")
			far.Do("answer")
			a.Reaches(call, "CONFIRMED")
			a.Receives(call, phones.Talking)
			a.Do("hangup", mcpclient.Args{"call_id": call})
			a.Ends(call, 200)
			explained(t, c, "a", &call, "", "local", nothingUnusual)
		}},
		{"explained: a dead port", "nobody", func(t *testing.T, c *mcpclient.Client) {
			phones.Add(t, c, "a", direct).Call("sip:b@127.0.0.1:9")
			c.Until(40*time.Second, "the end of a call to a dead port", "a_list_calls", nil, func(a mcpclient.Answer) bool {
				return a.List("calls")[0].String("state") == "DISCONNECTED"
			})
			explained(t, c, "a", nil, "unreachable", "network", "could not be delivered: INVITE to 127.0.0.1:9 (udp) failed")
		}},
		{"explained: the phone is killed", "nobody", func(t *testing.T, c *mcpclient.Client) {
			a, b := phones.Add(t, c, "a", direct), phones.Add(t, c, "b", direct)
			atA, atB := phones.Talk(a, b, b.URI())
			a.Receives(atA, phones.Talking)
			if err := syscall.Kill(c.Must("get_phone", mcpclient.Args{"phone_id": "a"}).Object("worker").Int("pid"), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			b.Reaches(atB, "DISCONNECTED")
			explained(t, c, "a", &atA, "worker_died", "local", "The process of phone a died in the call")
			explained(t, c, "b", &atB, "", "far end", nothingUnusual)
		}},
	} {
		t.Run(c.name+", "+c.peer, func(t *testing.T) {
			t.Parallel()
			covers(t, c.name, c.peer)
			c.test(t, mcpclient.Start(t, programs, mcpclient.Options{}))
		})
	}
}
