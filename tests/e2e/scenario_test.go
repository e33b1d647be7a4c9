package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/listen"
	"ringmaster/scenario/examples"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

type object = map[string]any

// Every hook sends a digit of its own when the call is confirmed: they come to
// the far end in the order of the hooks, through two processes.
func TestAScenarioOnRealPhones(t *testing.T) {
	t.Parallel()
	const digits = "123456789*0#"
	c, a, b := pair(t)
	var hooks []object
	for _, digit := range strings.Split(digits, "") {
		hooks = append(hooks, object{"when": "call.state.confirmed", "on_phone": "a", "then": []any{object{"send_dtmf": digit}}})
	}
	hooks = append(hooks, object{"when": "dtmf.in", "on_phone": "b", "match": object{"digit": "#"}, "then": []any{"hangup"}})
	run := c.Must("run_scenario", mcpclient.Args{"scenario": object{
		"phones":          []string{"a", "b"},
		"patterns":        []object{{"use": "auto-answer", "phone_id": "b"}},
		"initial_actions": []object{{"make_call": object{"phone_id": "a", "to": b.URI()}}},
		"hooks":           hooks,
		"stop_on":         []object{{"phone_id": "a", "event": "call.state.disconnected"}},
		"timeout_ms":      20000,
	}})
	if run.String("status") != "ok" {
		t.Fatalf("the run ended %s: %s", run.String("status"), run.String("reason"))
	}
	var heard strings.Builder
	for _, e := range run.List("timeline") {
		if e.String("type") == "dtmf.in" && e.String("phone_id") == "b" {
			heard.WriteString(e.Object("data").String("digit"))
		}
	}
	if heard.String() != digits {
		t.Errorf("b heard %q, want %q", heard.String(), digits)
	}
	for _, id := range []string{a.ID, b.ID} {
		files := run.Object("artifacts").Object(id)
		if _, err := listen.Read(files.String("recording")); err != nil {
			t.Errorf("the recording of %s: %v", id, err)
		}
		raw, err := os.ReadFile(files.String("recording_meta"))
		if err != nil || !json.Valid(raw) {
			t.Errorf("the sidecar of %s: %v %s", id, err, raw)
		}
	}
	ended := c.Must("wait_for_event", mcpclient.Args{"type": "scenario.stopped", "after": run.Int("cursor"), "timeout_ms": 5000})
	if ended.Bool("timed_out") {
		t.Error("the run's end is not among the events")
	}
}

// The command line runs a scenario through the embedded PBX, and its exit
// status says what came of it.
func TestScenariosFromTheCommandLine(t *testing.T) {
	t.Parallel()
	temp, err := os.MkdirTemp("", "r") //nolint:usetesting // a short path, for unix sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(temp); err != nil {
			t.Error(err)
		}
	})
	pbx := phones.FreeAddr(t)
	write := func(name, text string) string {
		path := filepath.Join(temp, name)
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, examples.Registrar, pbx)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	profile, passes := write("phones.yaml", examples.Phones), write("passes.yaml", examples.BasicCallDTMF)
	fails := write("fails.yaml", `
phones: [a]
patterns: [{use: make-call-and-wait-confirmed, phone_id: a, dest_uri: "sip:nobody@127.0.0.1:5070"}]
`)
	ctx, stop := context.WithTimeout(t.Context(), 60*time.Second)
	defer stop()
	cmd := exec.CommandContext(ctx, filepath.Join(programs.Dir, "supervisor"), "run", passes, fails, "--profile", profile, "--pbx", "--json", "--html", filepath.Join(temp, "run.html"))
	cmd.Env = []string{"HOME=" + temp, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + temp}
	out, err := cmd.Output()
	if cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("exit status %d (%v), want 1:\n%s", cmd.ProcessState.ExitCode(), err, out)
	}
	for name, words := range map[string][]string{"run.html": {"Passed", "INVITE, SDP", "200 OK to BYE", "data:audio/wav"}, "run-2.html": {"Failed", "404"}} {
		page := string(onDisk(t, filepath.Join(temp, name)))
		for _, word := range words {
			if !strings.Contains(page, word) {
				t.Errorf("%s has no %q", name, word)
			}
		}
	}
	results := json.NewDecoder(bytes.NewReader(out))
	for _, want := range []struct{ status, reason string }{{"ok", "user.done"}, {"failed", "404"}} {
		var result struct{ Status, Reason string }
		if err := results.Decode(&result); err != nil || result.Status != want.status || !strings.Contains(result.Reason, want.reason) {
			t.Errorf("%v: %+v, want %v", err, result, want)
		}
	}
}

// Two runs by their ids, on phones of their own: one is cancelled, and its call
// is hung up; the other goes on, and passes.
func TestRunsByTheirIDsOnRealPhones(t *testing.T) {
	t.Parallel()
	c, a, b := pair(t)
	d, e := phones.AddDirect(t, c, "d"), phones.AddDirect(t, c, "e")
	start := func(from, to *phones.Phone, then ...any) string {
		actions := append([]any{object{"make_call": object{"phone_id": from.ID, "to": to.URI()}}}, then...)
		run := c.Must("start_scenario", mcpclient.Args{"scenario": object{
			"phones": []string{from.ID, to.ID}, "patterns": []object{{"use": "auto-answer", "phone_id": to.ID}},
			"initial_actions": actions, "stop_on": []object{{"event": "user.done"}}, "timeout_ms": "30s",
		}})
		if run.String("status") != "running" {
			t.Fatalf("start_scenario answers %s", run.Text)
		}
		return run.String("run_id")
	}
	endless := start(a, b)
	short := start(d, e,
		object{"wait_until": object{"event": "call.state.confirmed", "phone_id": "d", "unless": "call.state.disconnected"}},
		object{"wait": 500}, object{"hangup": object{"phone_id": "d"}}, object{"emit": "done"})
	at := b.Confirmed()

	cancelled := c.Must("cancel_run", mcpclient.Args{"run_id": endless})
	if cancelled.String("run_status") != "error" || cancelled.Bool("already") || !strings.Contains(cancelled.String("reason"), "cancel_run") {
		t.Errorf("cancel_run answers %s", cancelled.Text)
	}
	b.Ends(at, 200)
	ended := c.Call("get_run", mcpclient.Args{"run_id": short, "wait_ms": 20000})
	if ended.String("status") != "ok" || ended.String("state") != "done" {
		t.Errorf("the other run: %s", ended.Text)
	}
	// Part by part, it is the same timeline; and nothing of the other run is in it.
	var types []string
	for after := 0; after < ended.Int("timeline_size"); {
		part := c.Call("get_run", mcpclient.Args{"run_id": short, "after": after, "limit": 3})
		for _, entry := range part.List("timeline") {
			types = append(types, entry.String("type"))
			if id := entry.String("phone_id"); id == "a" || id == "b" {
				t.Errorf("%s of %s is on the timeline of d and e", entry.String("type"), id)
			}
		}
		after = part.Int("next_after")
	}
	if len(types) != ended.Int("timeline_size") || !slices.Contains(types, "scenario.stopped") { // what ends after it may follow
		t.Errorf("%d entries of %d: %v", len(types), ended.Int("timeline_size"), types)
	}
	if runs := c.Must("list_runs", nil).List("runs"); len(runs) != 2 || runs[0].String("run_id") != endless || runs[1].String("status") != "ok" {
		t.Errorf("list_runs: %v", runs)
	}
	// A run that goes on when the client leaves does not hold the server up.
	start(a, b)
	b.Confirmed()
}
