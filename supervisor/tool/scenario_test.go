package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringmaster/proto/artifact"
	"ringmaster/proto/phone"
	"ringmaster/scenario"
	"ringmaster/supervisor/hub"
	"ringmaster/supervisor/runs"
)

// scenarioFleet is a fake fleet whose calls are answered, and digits heard, at
// once.
type scenarioFleet struct {
	*fakeFleet
	hub *hub.Hub
	seq uint64
}

func (f *scenarioFleet) Begin(ctx context.Context, id phone.ID, c phone.Command) (phone.Pending, error) {
	outcome, err := f.Do(ctx, id, c)
	if err != nil {
		return nil, err
	}
	call := phone.CallID(7)
	switch c := c.(type) {
	case phone.MakeCall:
		outcome = phone.Outcome{Call: &phone.CallOutcome{CallID: call, State: phone.StateCalling}}
		f.happens(id, call, "call.state.calling", map[string]any{"remote_uri": c.DestURI})
		f.happens(id, call, "call.state.confirmed", map[string]any{"last_status": int64(200), "last_status_text": "OK\x1b[2J"})
	case phone.PlayAudio:
		f.happens(id, call, "media.play_ended", map[string]any{"file": c.FilePath})
	}
	return func() (phone.Outcome, error) { return outcome, nil }, nil
}

func (f *scenarioFleet) happens(id phone.ID, call phone.CallID, typ string, data map[string]any) {
	f.seq++
	f.hub.Append(id, 1, phone.Entry{Seq: f.seq, Event: &phone.Event{Type: typ, PhoneID: id, CallID: &call, Time: time.Now(), Data: data}})
}

func newScenarioSet(t *testing.T, o Options) (*Set, *scenarioFleet) {
	t.Helper()
	patterns, _, err := scenario.Patterns()
	if err != nil {
		t.Fatal(err)
	}
	f := &scenarioFleet{fakeFleet: newFake("a", "b"), hub: hub.New()}
	o.Phones, o.Hub, o.Now, o.Patterns = f, f.hub, time.Now, patterns
	o.Runs = runs.NewStore(&runs.Runner{Phones: f, Hub: f.hub, RecordingsDir: o.Recordings})
	return New(o), f
}

func TestScenarioTools(t *testing.T) {
	const call = `{"phones": ["a"], "initial_actions": [{"make_call": {"phone_id": "a", "to": "sip:b@h"}}], "stop_on": [{"event": "call.state.confirmed"}]}`
	pin(t, "validate_scenario", func(a *answers) {
		s, _ := newScenarioSet(a.t, Options{})
		a.add(s, "without faults", `{"scenario": `+call+`}`)
		a.add(s, "unknown words, each with the nearest known one", `{"scenario": {"name": "x", "phones": ["a"], "patterns": [{"use": "auto-anser", "phone_id": "a"}], "hooks": [{"when": "call.state.confirmd", "then": [{"hang_up": {}}]}]}}`)
		a.add(s, "wrong types", `{"scenario": {"timeout_ms": "soon", "phones": 5}}`)
		a.add(s, "no scenario", `{}`)
		a.add(s, "a text", `{"scenario": "name: x"}`)
	})
	pin(t, "run_scenario", func(a *answers) {
		run := func(what, arguments string) {
			synctest.Test(a.t, func(t *testing.T) {
				s, _ := newScenarioSet(t, Options{})
				a.add(s, what, arguments)
			})
		}
		run("ended by its stop_on", `{"scenario": `+call+`}`)
		run("its time is up", `{"scenario": {"stop_on": [{"phone_id": "a", "event": "dtmf.in"}], "phones": ["a"]}, "timeout_ms": 1500}`)
		run("an action fails", `{"scenario": {"phones": ["a"], "initial_actions": [{"wait_until": {"event": "dtmf.in", "phone_id": "a", "timeout_ms": 100}}]}}`)
		run("a phone that is not there", `{"scenario": {"phones": ["a", "z"]}}`)
		run("a scenario with faults", `{"scenario": {"phones": ["a"], "hooks": [{"when": "*", "then": ["hangupp"]}], "stop": []}}`)
		run("a timeout out of range", `{"scenario": {}, "timeout_ms": 0}`)
	})
}

func TestRunsByTheirIDs(t *testing.T) {
	const call = `{"scenario": {"name": "call", "phones": ["a"], "initial_actions": [{"make_call": {"phone_id": "a", "to": "sip:b@h"}}], "stop_on": [{"event": "dtmf.in"}], "timeout_ms": "5s"}}`
	for tool, calls := range map[string][][2]string{
		"start_scenario": {
			{"faults", `{"scenario": {"phons": []}}`},
			{"it goes on", call},
		},
		"get_run": {
			{"none", `{"run_id": "run_1"}`},
			{"at once", `{"run_id": "run_1"}`},
			{"part of it", `{"run_id": "run_1", "after": 1, "limit": 1}`},
			{"waited for", `{"run_id": "run_1", "after": 4, "wait_ms": 6000}`},
			{"past its end", `{"run_id": "run_1", "after": 99}`},
		},
		"cancel_run": {
			{"none", `{"run_id": "run_1"}`},
			{"it goes on", `{"run_id": "run_1"}`},
			{"again", `{"run_id": "run_1"}`},
		},
		"list_runs": {
			{"none", `{}`},
			{"one that goes on", `{}`},
		},
	} {
		pin(t, tool, func(a *answers) {
			synctest.Test(a.t, func(t *testing.T) {
				s, _ := newScenarioSet(t, Options{})
				for i, c := range calls {
					if i == 1 && tool != "start_scenario" {
						find(t, s, "start_scenario").Call(t.Context(), json.RawMessage(call))
						synctest.Wait()
					}
					a.add(s, c[0], c[1])
				}
				s.o.Runs.Stop()
				s.o.Runs.Wait(t.Context())
			})
		})
	}
}

func TestRunScenarioTellsProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newScenarioSet(t, Options{})
		var lines []string
		ctx := WithProgress(t.Context(), func(done int, line string) {
			lines = append(lines, fmt.Sprintf("%d %s", done, line))
		})
		find(t, s, "run_scenario").Call(ctx, json.RawMessage(`{"scenario": {"phones": ["a"], "timeout_ms": 10}}`))
		if len(lines) < 3 || !strings.HasPrefix(lines[1], "2 ") || !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "scenario.stopped") }) {
			t.Errorf("progress: %q", lines)
		}
	})
}

func TestRunScenarioStopsWhenItIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newScenarioSet(t, Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got := find(t, s, "run_scenario").Call(ctx, json.RawMessage(
			`{"scenario": {"phones": ["a"], "initial_actions": [{"make_call": {"phone_id": "a", "to": "sip:b@h"}}], "timeout_ms": "1h"}}`))
		if !got.IsError || !slices.Contains(f.did, "a phone.Hangup") {
			t.Errorf("%s; the phones did %q", got.JSON, f.did)
		}
	})
}

// A client outside a container gives its own paths and gets its own paths.
func TestScenarioPathsAreTheClients(t *testing.T) {
	inside := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, f := newScenarioSet(t, Options{
			HostPaths: []HostPath{{Inside: inside, Host: "/host/recordings"}}, FilesUnder: inside, Recordings: inside,
		})
		name := artifact.CallName(7, time.Now().Add(time.Second))
		for _, file := range []string{"hello.wav", "a/" + name + artifact.WAV} {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(inside, file)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(inside, file), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		play := func(file string) string {
			return string(find(t, s, "run_scenario").Call(t.Context(), json.RawMessage(`{"scenario": {"phones": ["a"], "timeline": "full", "timeout_ms": 100, "initial_actions": [
				{"make_call": {"phone_id": "a", "to": "sip:b@h"}}, {"play_audio": {"phone_id": "a", "file": "`+file+`"}}]}}`)).JSON)
		}
		got := play("/host/recordings/hello.wav")
		for _, want := range []string{`"status":"ok"`, `"file":"/host/recordings/hello.wav"`, `"recording":"/host/recordings/a/` + name + `.wav"`} {
			if !strings.Contains(got, want) {
				t.Errorf("without %s: %s", want, got)
			}
		}
		if strings.Contains(got, inside) {
			t.Errorf("the server's own path %s is shown: %s", inside, got)
		}
		if refused := play("/etc/hostname"); !strings.Contains(refused, `"status":"failed"`) || strings.Count(strings.Join(f.did, " "), "PlayAudio") != 1 {
			t.Errorf("a file outside is played: %s", refused)
		}
	})
}
