package examples

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// call is how most of these begin: a calls b, and both play sounds.
const call = `
phones: [a, b]
patterns:
  - {use: wait-for-registration, phone_id: a}
  - {use: wait-for-registration, phone_id: b}
  - {use: auto-answer, phone_id: b}
hooks:
  - {when: call.state.confirmed, on_phone: a, then: [{play_audio: {file: audio/tone-440.wav, loop: true}}]}
  - {when: call.state.confirmed, on_phone: b, then: [{play_audio: {file: audio/tone-1000.wav, loop: true}}]}
initial_actions:
  - make_call: {phone_id: a, to: "sip:b@127.0.0.1:5070"}
  - wait_until: {event: call.state.confirmed, phone_id: a, unless: call.state.disconnected, timeout_ms: 5s}
  - wait: 400ms
  - {send_dtmf: {phone_id: a, digits: "5"}}
  - wait: 300ms
  - hangup: {phone_id: a}
  - wait_until: {event: call.state.disconnected, phone_id: b, timeout_ms: 5s}
  - emit: done
stop_on: [{event: user.done}]
timeout_ms: 20s
`

// failure is a run in which something is wrong that is not an error of any
// action. It has to fail, and to say these words, which are what is wrong.
type failure struct {
	name   string
	text   string
	status string
	says   []string
}

// mustFail is what a careless judge would let pass.
var mustFail = []failure{
	{"another digit comes", call + "expect: [{event: dtmf.in, phone_id: b, match: {digit: 6}}]", "failed",
		[]string{"expected dtmf.in {digit: 6} on b", "digit is 5"}},
	{"the far end is silent", strings.Replace(call, "audio/tone-1000.wav", "audio/silence.wav", 1) + "expect: [{call: a, heard: {silence: false}}]", "failed",
		[]string{"of a", "heard"}},
	{"one direction is dead", strings.NewReplacer("tone-1000.wav, loop: true}}]", "tone-1000.wav, loop: true}}, hold]", `{send_dtmf: {phone_id: a, digits: "5"}}`, "{wait: 1s}").Replace(call) +
		"expect: [{call: a, heard: {silence: false}}, {call: b, heard: {tone_hz: 440, heard_ms: {min: 700}}}]", "failed",
		[]string{"of b", "heard_ms"}},
	{"it sounds like something else", call + "expect: [{call: a, heard: {tone_hz: 440}}]", "failed", []string{"of a", "tone", "1000"}},
	{"the call is refused, and the run stops as planned", `
phones: [a, b]
patterns: [{use: reject-on-incoming, phone_id: b}]
initial_actions: [{make_call: {phone_id: a, to: "sip:b@127.0.0.1:5070"}}]
stop_on: [{phone_id: a, event: call.state.disconnected}]
expect: [{event: call.state.confirmed, phone_id: a}]
timeout_ms: 10s
`, "failed", []string{"expected call.state.confirmed on a"}},
	{"nobody answers", `
phones: [a, b]
initial_actions: [{make_call: {phone_id: a, to: "sip:b@127.0.0.1:5070"}}]
stop_on: [{phone_id: a, event: call.state.confirmed}]
finally: [{hangup_all: {phone_id: a}}]
timeout_ms: 800
`, "timeout", []string{"no stop_on came within 800 ms"}},
	{"the answer is late", strings.Replace(call, "use: auto-answer, phone_id: b", "use: auto-answer, phone_id: b, delay_ms: 900", 1) +
		"expect: [{event: call.state.confirmed, phone_id: a, within_ms: 500}]", "failed", []string{"call.state.confirmed on a", "500"}},
	{"the call is too short", call + "expect: [{call: a, duration: {min: \"10s\"}}]", "failed", []string{"duration", "at least 10"}},
	{"the codec is another", call + "expect: [{call: a, codec: G722}]", "failed", []string{"codec", "PCMA", "G722"}},
	{"what must not happen happens", call + "expect: [{event: dtmf.in, phone_id: b, never: true}]", "failed", []string{"dtmf.in", "on b"}},
	{"the right events in the wrong order", call + `expect:
  - in_order:
      - {event: call.state.disconnected, phone_id: b}
      - {event: dtmf.in, phone_id: b}
`, "failed", []string{"in order", "dtmf.in"}},
	{"the wrong phone is called", strings.ReplaceAll(call, "phones: [a, b]", "phones: [a, b, c]") +
		"expect: [{event: call.state.confirmed, phone_id: c}]", "failed", []string{"expected call.state.confirmed on c"}},
	{"the run stops before what is expected", `
phones: [a, b]
patterns: [{use: auto-answer, phone_id: b, delay_ms: 3s}]
initial_actions: [{make_call: {phone_id: a, to: "sip:b@127.0.0.1:5070"}}, {emit: done}]
stop_on: [{event: user.done}]
expect: [{event: call.state.confirmed, phone_id: a}]
finally: [{hangup_all: {phone_id: a}}]
timeout_ms: 10s
`, "failed", []string{"expected call.state.confirmed on a"}},
	{"the transfer leads nowhere", strings.Replace(call, "  - wait: 400ms\n", "  - {blind_transfer: {phone_id: b, to: \"sip:nobody@127.0.0.1:5070\"}, on_error: continue}\n  - wait: 1s\n", 1) +
		"expect: [{call: {phone_id: b, call_id: first}, transfer: succeeded}]", "failed", []string{"of b", "transfer"}},
	{"a digit comes twice", strings.Replace(call, `digits: "5"`, `digits: "55"`, 1) + "expect: [{event: dtmf.in, phone_id: b, match: {digit: 5}, count: 1}]", "failed",
		[]string{"dtmf.in {digit: 5} on b", "exactly once"}},
	{"an assert fails on the event that ends the run", `
phones: [a, b]
patterns: [{use: auto-answer, phone_id: b}]
initial_actions: [{make_call: {phone_id: a, to: "sip:b@127.0.0.1:5070"}}, {wait_until: {event: call.state.confirmed, phone_id: a}}, {hangup: {phone_id: a}}]
hooks: [{when: call.state.disconnected, on_phone: b, then: {assert: {call: {}, codec: G722}}}]
stop_on: [{phone_id: b, event: call.state.disconnected}]
timeout_ms: 10s
`, "failed", []string{"assert in hooks[0] failed", "codec is PCMA, not G722"}},
	{"the run stops before an assert", `
phones: [a, b]
initial_actions: [{make_call: {phone_id: a, to: "sip:b@127.0.0.1:5070"}}]
hooks:
  - {when: call.state.incoming, on_phone: b, then: [{wait: 5s}, {assert: {call: {}, state: confirmed}}]}
  - {when: call.state.early, on_phone: a, then: {hangup: {}}}
stop_on: [{phone_id: b, event: call.state.disconnected}]
timeout_ms: 10s
`, "failed", []string{"the run was over before an assert was judged, at hooks[0], step 1: wait"}},
	{"no loss, since no media", `
phones: [a, b]
patterns: [{use: reject-on-incoming, phone_id: b}]
initial_actions: [{make_call: {phone_id: a, to: "sip:b@127.0.0.1:5070"}}]
stop_on: [{phone_id: a, event: call.state.disconnected}]
expect: [{call: a, duration: {max: 5s}, rtp: {rx_loss: 0}}]
timeout_ms: 10s
`, "failed", []string{"the call was not answered", "rtp.rx_loss is not known"}},
	{"never in a call that there was not", call + "expect: [{event: dtmf.in, phone_id: b, call_id: second, never: true}]", "failed", []string{"there is no second call"}},
}

func TestWhatMustFailFails(t *testing.T) {
	t.Parallel()
	sideBySide(t, slices.Collect(slices.Chunk(mustFail, 5)), failAll)
}

// failAll runs scenarios that must fail, one after the other.
func failAll(t *testing.T, cases []failure) {
	dir := home(t)
	addr, words := onFreePort(t)
	copyExamples(t, dir, words)
	args := []string{"--profile", "profiles/team.yaml", "--pbx", addr}
	for i, c := range cases {
		file := fmt.Sprintf("must-fail-%d.yaml", i)
		if err := os.WriteFile(filepath.Join(dir, file), []byte(words.Replace(c.text)), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	results, code := supervise(t, dir, args...)
	if code != 1 || len(results) != len(cases) {
		t.Fatalf("exit status %d, %d results", code, len(results))
	}
	for i, r := range results {
		c := cases[i]
		t.Logf("%s: %s: %s", c.name, r.Status, r.Reason)
		for _, word := range c.says {
			if !strings.Contains(r.Reason, word) {
				t.Errorf("%s: the reason is without %q: %s\n%s", c.name, word, r.Reason, r.story())
			}
		}
		if r.Status != c.status {
			t.Errorf("%s: %s, want %s: %s\n%s", c.name, r.Status, c.status, r.Reason, r.story())
		}
	}
}
