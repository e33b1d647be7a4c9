package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"unicode"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// found are the rules that diagnose_call finds in a phone's newest call.
func found(t *testing.T, c *mcpclient.Client, id string) (summary string, rules []string) {
	t.Helper()
	a := c.Must("diagnose_call", mcpclient.Args{"phone_id": id})
	for _, f := range a.List("findings") {
		if rule := f.String("rule"); rule != "too_late" && rule != "jitter" { // those of a busy machine
			rules = append(rules, rule)
		}
	}
	return a.String("summary"), rules
}

// TestCallsThroughThePBXExplainThemselves: a good call, and one to an unknown
// number, through the embedded PBX.
func TestCallsThroughThePBXExplainThemselves(t *testing.T) {
	t.Parallel()
	addr := phones.FreeAddr(t)
	c := mcpclient.Start(t, programs, mcpclient.Options{Args: []string{"--pbx", addr}})
	a, b := phones.Add(t, c, "a", mcpclient.Args{"domain": addr}), phones.Add(t, c, "b", mcpclient.Args{"domain": addr})

	atA, _ := phones.Talk(a, b, "sip:b@"+addr)
	a.Receives(atA, phones.Talking)
	a.Do("hangup", nil)
	a.Ends(atA, 200)
	for _, id := range []string{"a", "b"} {
		if summary, rules := found(t, c, id); rules != nil {
			t.Errorf("in a good call %s finds %q: %s", id, rules, summary)
		}
	}
	flow := c.Must("get_call_flow", mcpclient.Args{"call_id": atA})
	if who := strings.Join(strings.Fields(flow.String("flow"))[:3], " "); who != "a PBX b" || len(flow.List("legs")) != 2 {
		t.Errorf("the ladder is of %s: %s", who, flow.Text)
	}

	a.Ends(a.Call("sip:nobody@"+addr), 404)
	if summary, rules := found(t, c, "a"); fmt.Sprint(rules) != "[refused]" || !strings.Contains(summary, "404") {
		t.Errorf("of an unknown number, %q is found: %s", rules, summary)
	}
}

// TestEndsThatLookLikeFaults: a phone that calls itself, a consultation that
// is transferred at once, phones that are dropped with and without hanging up.
func TestEndsThatLookLikeFaults(t *testing.T) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	a, b, d := phones.AddDirect(t, c, "a"), phones.AddDirect(t, c, "b"), phones.AddDirect(t, c, "d")
	uri := func(p *phones.Phone) string { return fmt.Sprintf("sip:%s@127.0.0.1:%d", p.ID, p.Port) }
	says := func(id string, call int, by, words string) {
		t.Helper()
		x := c.Must("diagnose_call", mcpclient.Args{"phone_id": id, "call_id": call})
		if x.String("ended_by") != by || !strings.Contains(x.String("summary"), words) {
			t.Errorf("call %d of %s, want ended by %s, %q: %s", call, id, by, words, x.Text)
		}
	}

	out := a.Call(uri(a))
	in := a.Rings()
	a.Do("answer_call", mcpclient.Args{"call_id": in})
	a.Sees(out, "call.state.confirmed", nil)
	a.Do("hangup", mcpclient.Args{"call_id": in})
	a.Ends(out, 200)
	a.Ends(in, 200)
	says("a", out, "far end", "after it was answered.")
	says("a", in, "local", "Nothing unusual was found.")

	first, _ := phones.Talk(a, b, uri(b))
	consulted, _ := phones.Talk(a, d, uri(d))
	a.Do("attended_transfer", mcpclient.Args{"call_id": first, "dest_call_id": consulted})
	a.Ends(first, 200)
	a.Ends(consulted, 200)
	says("a", consulted, "far end", "Nothing unusual was found.")
	b.Do("hangup", nil)

	ringing := a.Call(uri(d))
	unanswered := d.Rings()
	_, cut := phones.Talk(a, b, uri(b))
	for _, id := range []string{"b", "d"} {
		c.Must("drop_phone", mcpclient.Args{"phone_id": id, "hangup_calls": false})
	}
	says("b", cut, "local", "The phone was dropped without hanging up")
	says("d", unanswered, "local", "The phone was dropped without hanging up")
	says("a", ringing, "nobody yet", "it rings")
}

// TestHostileCallIsShownSafely: a caller puts what it can where its words are
// shown.
func TestHostileCallIsShownSafely(t *testing.T) {
	t.Parallel()
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	a := phones.AddDirect(t, c, "a")
	conn, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", a.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const evil = "</text><script>alert(1)</script>; participant x as #quot;\x1b[31m\u202e![x](http://evil/)`"
	say := func(method, more string) {
		t.Helper()
		_, err := fmt.Fprintf(conn, "%[1]s sip:a@127.0.0.1:%[2]d SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;rport;branch=z9hG4bKevil\r\n"+
			"From: \"%[4]s\" <sip:x@127.0.0.1>;tag=1\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: evil\r\nCSeq: 1 %[1]s\r\nContact: <sip:x@%[3]s>\r\nMax-Forwards: 70\r\n%[5]sContent-Length: 0\r\n\r\n",
			method, a.Port, conn.LocalAddr(), strings.Repeat("W", 5000)+evil, more)
		if err != nil {
			t.Fatal(err)
		}
	}
	say("INVITE", "Subject: "+evil+"\r\n")
	a.Rings()
	say("CANCEL", "Reason: Q.850;cause=16;text=\""+evil+strings.Repeat("W", 5000)+"\"\r\n")
	a.Ends(a.Do("list_calls", nil).List("calls")[0].Int("call_id"), 487)

	answers := map[string]mcpclient.Answer{"diagnose_call": c.Must("diagnose_call", mcpclient.Args{"phone_id": "a"})}
	for _, format := range []string{"text", "mermaid", "svg"} {
		answers[format] = c.Must("get_call_flow", mcpclient.Args{"phone_id": "a", "format": format})
	}
	for name, answer := range answers {
		bad := strings.ContainsFunc(answer.Text+answer.String("flow")+answer.String("summary"), func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' })
		if bad || len(answer.Text) > 20_000 || strings.Contains(answer.String("flow"), "<script") {
			t.Errorf("%s answers %d bytes: %.2000s", name, len(answer.Text), answer.Text)
		}
	}
	if summary, rules := found(t, c, "a"); fmt.Sprint(rules) != "[no_answer]" {
		t.Errorf("%q is found: %s", rules, summary)
	}
}
