package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"ringmaster/listen"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// Everything that the contract names as an event (§7) is told by real phones,
// with the fields it names, as wait_for_event gives it.
func TestEveryEventOfTheContract(t *testing.T) {
	t.Parallel()
	c, a, b := registered(t)
	domain := a.Added.String("domain")
	atA, atB := phones.Talk(a, b, "sip:b@"+domain)
	talkOfAllKinds(t, c, a, b, atA, atB)
	transfers(t, c, a, b, domain, atA)
	lives(t, c, domain)
	c.Must("run_scenario", mcpclient.Args{"scenario": map[string]any{
		"initial_actions": []any{map[string]any{"emit": "ward"}}, "stop_on": []any{map[string]any{"event": "user.ward"}},
	}})

	call := []string{"state", "remote_uri", "last_status", "last_status_text", "direction"}
	registration := []string{"status_code", "reason", "expires"}
	request := []string{"direction", "method", "cseq", "headers", "sip_call_id", "from", "to", "request_uri"}
	response := []string{"direction", "method", "cseq", "headers", "sip_call_id", "from", "to", "status_code", "reason"}
	for _, row := range []struct {
		types  string
		ofCall bool
		data   []string
	}{
		{"call.state.calling call.state.incoming call.state.early call.state.connecting call.state.confirmed call.state.disconnected", true, call},
		{"dtmf.in", true, []string{"digit", "method"}},
		{"dtmf.out", true, []string{"digits", "method"}},
		{"reg.started reg.success reg.failed reg.unregistered", false, registration},
		{"im.received", false, []string{"from", "to", "body", "content_type"}},
		{"scenario.started scenario.stopped user.ward", false, nil},
		{"sip.request.register sip.request.message sip.response.401", false, nil},
		{"sip.request.invite sip.request.ack sip.request.bye sip.request.refer sip.request.notify", true, request},
		{"sip.response.180 sip.response.200 sip.response.202 sip.response.603", true, response},
		{"media.started media.stopped media.resumed", true, nil},
		{"media.silence", true, []string{"reason"}},
		{"transfer.accepted transfer.progress transfer.succeeded transfer.failed", true, nil},
		{"phone.started phone.exited phone.restarted phone.failed phone.stopped", false, nil},
	} {
		for kind := range strings.FieldsSeq(row.types) {
			match := mcpclient.Args{}
			if row.ofCall && strings.HasPrefix(kind, "sip.response.") {
				match["method"] = []string{"INVITE", "REFER"} // others have no call
			}
			got := c.Must("wait_for_event", mcpclient.Args{
				"type": kind, "match": match, "after": 0, "timeout_ms": int(phones.Patience.Milliseconds()),
			})
			if got.Bool("timed_out") {
				t.Errorf("nobody has told %s", kind)
				continue
			}
			event := got.Object("event")
			if _, ofCall := event.Fields["call_id"].(float64); ofCall != row.ofCall {
				t.Errorf("%s is of call %v", kind, event.Fields["call_id"])
			}
			for _, field := range row.data {
				if _, there := event.Object("data").Fields[field]; !there {
					t.Errorf("%s has no %s: %s", kind, field, event.Text)
				}
			}
		}
	}
	// Each INVITE is of the call that it began at its phone.
	for phone, call := range map[*phones.Phone]int{a: atA, b: atB} {
		invite, _ := phone.Sees(0, "sip.request.invite", mcpclient.Args{"headers.contact": "~sip:a@"})
		if got := invite.Int("call_id"); got != call {
			t.Errorf("the INVITE of %s is of call %d, want %d", phone.ID, got, call)
		}
	}
}

// talkOfAllKinds sends digits and a message, and falls silent for a while.
func talkOfAllKinds(t *testing.T, c *mcpclient.Client, a, b *phones.Phone, atA, atB int) {
	t.Helper()
	digits := a.Sends(atA, "1")
	b.Digits(digits, atB, "1")
	a.Do("send_message", mcpclient.Args{"dest_uri": "sip:b@" + a.Added.String("domain"), "body": "good morning"})
	b.Messages(1)
	quiet := t.TempDir() + "/quiet.wav"
	if err := listen.Tone(8000, 440, -90, phones.Talking).Write(quiet, 1); err != nil {
		t.Fatal(err)
	}
	a.PlaysFile(atA, quiet)
	silence, cursor := b.Sees(digits, "media.silence", nil)
	if why := silence.Object("data").String("reason"); why != "quiet" || silence.Int("call_id") != atB {
		t.Errorf("b fell silent: %s", silence.Text)
	}
	a.Do("stop_audio", nil)
	b.Sees(cursor, "media.resumed", nil)
	if again := c.Must("wait_for_event", mcpclient.Args{"type": "media.silence", "phone_id": "b", "after": cursor, "timeout_ms": 0}); !again.Bool("timed_out") {
		t.Errorf("silence is told again: %s", again.Text)
	}
}

// transfers has the call transferred in vain, then in earnest.
func transfers(t *testing.T, c *mcpclient.Client, a, b *phones.Phone, domain string, atA int) {
	t.Helper()
	d := phones.Add(t, c, "d", mcpclient.Args{"domain": domain, "password": secret})
	refused := a.Do("blind_transfer", mcpclient.Args{"dest_uri": "sip:d@" + domain, "call_id": atA})
	d.Do("reject_call", mcpclient.Args{"call_id": d.Rings(), "status_code": 603})
	a.Sees(refused.Int("cursor"), "transfer.failed", nil)
	sent := a.Do("blind_transfer", mcpclient.Args{"dest_uri": "sip:d@" + domain, "call_id": atA})
	ringing, _ := d.Sees(sent.Int("cursor"), "call.state.incoming", nil)
	a.Sees(sent.Int("cursor"), "transfer.progress", mcpclient.Args{"status": 180})
	d.Do("answer_call", mcpclient.Args{"call_id": ringing.Int("call_id")})
	a.Sees(sent.Int("cursor"), "transfer.succeeded", nil)
	a.Ends(atA, 200)
	b.Sees(sent.Int("cursor"), "transfer.accepted", nil)
}

// lives lets a phone be refused, die until it stays down, and leave.
func lives(t *testing.T, c *mcpclient.Client, domain string) {
	t.Helper()
	args := mcpclient.Args{"domain": domain, "username": "a", "password": "wrong"}
	e := phones.Add(t, c, "e", args)
	if e.Added.Bool("is_registered") {
		t.Errorf("a wrong password registers: %s", e.Added.Text)
	}
	f := phones.Add(t, c, "f", mcpclient.Args{"domain": domain, "password": secret})
	f.Do("unregister", nil)
	for deaths := 0; ; deaths++ {
		worker := c.Until(phones.Patience, "f up or given up", "get_phone", mcpclient.Args{"phone_id": "f"}, func(a mcpclient.Answer) bool {
			w := a.Object("worker")
			return w.String("state") == "failed" || w.String("state") == "running" && w.Int("restarts") == deaths
		}).Object("worker")
		if worker.String("state") == "failed" {
			break
		}
		if err := syscall.Kill(worker.Int("pid"), syscall.SIGKILL); err != nil {
			t.Fatal(fmt.Errorf("death %d: %w", deaths, err))
		}
	}
	c.Must("drop_phone", mcpclient.Args{"phone_id": "e"})
}

// A scenario answers the very INVITE that it saw on the wire, and ends with the
// far end's answer to its BYE.
func TestScenarioThatListensToSIP(t *testing.T) {
	t.Parallel()
	c, a, b := pair(t)
	run := c.Must("run_scenario", mcpclient.Args{"scenario": map[string]any{
		"phones":          []any{"a", "b"},
		"initial_actions": []any{map[string]any{"action": "make_call", "phone_id": "a", "to": b.URI(), "headers": map[string]any{"X-Ward": "7"}}},
		"hooks": []any{
			map[string]any{"when": "sip.request.invite", "on_phone": "b", "match": map[string]any{"direction": "RX", "headers.X-Ward": "7"}, "then": []any{"answer"}},
			map[string]any{"when": "call.state.confirmed", "on_phone": "a", "then": []any{"hangup"}},
		},
		"stop_on":    []any{map[string]any{"phone_id": "a", "event": "sip.response.200", "match": map[string]any{"method": "BYE"}}},
		"timeout_ms": phones.Patience.Milliseconds(),
	}})
	if run.String("status") != "ok" || !strings.Contains(run.String("reason"), "sip.response.200") {
		t.Errorf("the run ended %s: %s", run.String("status"), run.String("reason"))
	}
	if state := a.Do("get_call_history", nil).List("history")[0].Int("last_status"); state != 200 {
		t.Errorf("a's call ended with %d", state)
	}
}
