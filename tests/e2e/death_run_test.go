package e2e

import (
	"strings"
	"syscall"
	"testing"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// A run in whose midst a worker is killed goes on with the next one. It passes
// when the scenario speaks of such deaths, and fails when not, even where the
// death brings what the scenario waits for.
func TestARunGoesOnAfterADeath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		hooks  func(b *phones.Phone) []object
		stop   object
		status string
		reason string   // part of it
		told   []string // in this order, on the timeline
	}{
		{"that it speaks of", func(b *phones.Phone) []object {
			return []object{
				{"when": "phone.exited", "on_phone": "a", "then": object{"checkpoint": "dead"}},
				{"when": "phone.restarted", "on_phone": "a", "then": []any{
					object{"make_call": b.URI()}, object{"wait_until": "call.state.confirmed"}, object{"send_dtmf": "9"},
				}},
			}
		}, object{"phone_id": "b", "event": "dtmf.in", "match": object{"digit": "9"}}, "ok", "dtmf.in",
			[]string{"phone.exited", "checkpoint", "call.state.disconnected", "phone.restarted", "make_call", "call.state.confirmed", "send_dtmf", "dtmf.in"}},
		{"that it does not speak of", func(*phones.Phone) []object { return nil },
			object{"phone_id": "a", "event": "call.state.disconnected"}, "failed", "the worker of phone a died (signal: killed",
			[]string{"call.state.confirmed", "phone.exited", "call.state.disconnected"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, a, b := pair(t)
			run := client.Must("start_scenario", mcpclient.Args{"scenario": object{
				"phones":          []string{"a", "b"},
				"patterns":        []object{{"use": "auto-answer", "phone_id": "b"}},
				"initial_actions": []object{{"make_call": object{"phone_id": "a", "to": b.URI()}}},
				"hooks":           c.hooks(b),
				"stop_on":         []object{c.stop},
				"timeout_ms":      20000,
			}}).String("run_id")
			client.Until(phones.Patience, "a call of a", "a_get_active_calls", nil, func(a mcpclient.Answer) bool {
				calls := a.List("calls")
				return len(calls) == 1 && calls[0].String("state") == "CONFIRMED"
			})
			if err := syscall.Kill(workerPID(client, a.ID), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			result := client.Must("get_run", mcpclient.Args{"run_id": run, "wait_ms": 20000})
			if result.String("status") != c.status || !strings.Contains(result.String("reason"), c.reason) {
				t.Errorf("the run ended %s", result.Text)
			}
			left := c.told
			for _, e := range result.List("timeline") {
				if len(left) > 0 && e.String("type") == left[0] {
					left = left[1:]
				}
			}
			if len(left) > 0 {
				t.Errorf("the timeline lacks %v after what comes before it: %s", left, result.Text)
			}
		})
	}
}
