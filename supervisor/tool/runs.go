package tool

import (
	"context"
	"encoding/json"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/spec"
	"ringmaster/scenario/timeline"
	"ringmaster/supervisor/runs"
)

func runEntries() []entry {
	return []entry{
		define(entry{name: "start_scenario", title: "Start a scenario",
			description: "Start a scenario and answer at once with its run_id; the run goes on by itself. get_run waits for it and tells how it is, cancel_run ends it. Several may run at the same time, on different phones.",
			hints:       Hints{Destructive: true, OpenWorld: true}}, startScenario),
		define(entry{name: "get_run", title: "Look at a run",
			description: "How a run is, or what it came to: status is running, or as run_scenario's once it is over. wait_ms waits for its end, and sends progress meanwhile. Its timeline can be read part by part: give next_after of the answer before as after.",
			hints:       Hints{ReadOnly: true, Idempotent: true}}, getRun),
		define(entry{name: "cancel_run", title: "Cancel a run",
			description: "End a run: its actions are given up and the calls that it made are hung up. It answers when that is done.",
			hints:       Hints{Destructive: true, Idempotent: true}}, cancelRun),
		define(entry{name: "list_runs", title: "List the runs",
			description: "The runs of scenarios: those that go on, and the latest 100 that are over.",
			hints:       Hints{ReadOnly: true, Idempotent: true}}, listRuns),
	}
}

// running is the status of a run that is not over.
const running timeline.Status = "running"

type startResult struct {
	RunID        *string         `json:"run_id"`
	ScenarioName string          `json:"scenario_name"`
	StartedAt    *string         `json:"started_at"`
	Errors       spec.Issues     `json:"errors" cut:"mend those that are here first"`
	Reason       string          `json:"reason"`
	Verdict      timeline.Status `json:"-"`
}

func (r startResult) status() string { return string(r.Verdict) }

// failure: a scenario with faults has not been started.
func (r startResult) failure() string { return r.Reason }

func startScenario(_ context.Context, c *call, a runArguments) (startResult, error) {
	s, issues, err := c.set.checkScenario(a.Scenario)
	if err != nil {
		return startResult{}, err
	}
	c.mark("")
	result := startResult{ScenarioName: clean(s.Name(), nameBound), Errors: append(spec.Issues{}, issues...)}
	if len(issues) > 0 {
		result.Verdict, result.Reason = timeline.Error, *unfit(s, issues).Reason
		return result, nil
	}
	run, err := c.set.o.Runs.Start(s, c.set.runOptions(a))
	if err != nil {
		return startResult{}, err
	}
	id, began := run.ID(), timestamp(run.Began())
	result.RunID, result.StartedAt, result.Verdict = &id, &began, running
	return result, nil
}

type getRunArguments struct {
	RunID  string `json:"run_id"`
	WaitMS int64  `json:"wait_ms" default:"0" min:"0" max:"600000" doc:"how long to wait for the end of the run"`
	After  int64  `json:"after" default:"0" min:"0" doc:"next_after of an earlier answer: the timeline from there on"`
	Limit  *int64 `json:"limit" min:"1" max:"50000" doc:"how many entries of the timeline at most, the oldest first"`
}

type getRunResult struct {
	RunID string `json:"run_id"`
	State string `json:"state"` // running or done
	runReport
	TotalCount   int `json:"total_count" count:""`
	NextAfter    int `json:"next_after"`
	TimelineSize int `json:"timeline_size"` // entries so far
}

func getRun(ctx context.Context, c *call, a getRunArguments) (getRunResult, error) {
	run, err := c.set.o.Runs.Get(a.RunID)
	if err != nil {
		return getRunResult{}, err
	}
	waiting, stop := context.WithTimeout(ctx, time.Duration(a.WaitMS)*time.Millisecond)
	defer stop()
	_ = run.Follow(waiting, int(a.After), progressOf(ctx)) // that it goes on is an answer
	if ctx.Err() != nil {
		return getRunResult{}, ctx.Err()
	}
	return c.set.lookedAt(run, int(a.After), a.Limit), nil
}

// lookedAt is how a run is.
func (s *Set) lookedAt(run *runs.Run, after int, limit *int64) getRunResult {
	result, over := run.Result() // before the entries: what is over has them all
	entries := run.Entries(0)
	size := len(entries)
	after = min(after, size)
	entries = entries[after:]
	if limit != nil {
		entries = entries[:min(int(*limit), len(entries))]
	}
	r := getRunResult{RunID: run.ID(), State: "done", TotalCount: len(entries), NextAfter: after + len(entries), TimelineSize: size}
	if over {
		r.runReport = s.ran(result, entries)
		return r
	}
	began := timestamp(run.Began())
	r.State, r.runReport = string(running), runReport{
		Verdict: running, ScenarioName: clean(run.Name(), nameBound), StartedAt: &began,
		ElapsedMS: s.o.Now().Sub(run.Began()).Milliseconds(), Timeline: s.shownEntries(entries),
	}
	return r
}

// Timeline is the whole of a run as get_run gives it, without a bound; false
// when there is no such run.
func (s *Set) Timeline(runID string) (json.RawMessage, bool) {
	run, err := s.o.Runs.Get(runID)
	if err != nil {
		return nil, false
	}
	look := s.lookedAt(run, 0, nil)
	head := writer{}
	head.add("status", look.status())
	text, err := write(valueOf(look), head, writer{}, 0, "")
	return text, err == nil
}

type cancelArguments struct {
	RunID string `json:"run_id"`
}

type cancelResult struct {
	RunID      string `json:"run_id"`
	State      string `json:"state"`
	RunStatus  string `json:"run_status"` // the verdict
	Reason     string `json:"reason"`
	Already    bool   `json:"already"`
	EntryCount int    `json:"timeline_size"`
}

func cancelRun(ctx context.Context, c *call, a cancelArguments) (cancelResult, error) {
	c.mark("")
	run, err := c.set.o.Runs.Get(a.RunID)
	if err != nil {
		return cancelResult{}, err
	}
	already := run.Cancel()
	if err := run.Follow(ctx, 0, nil); err != nil {
		return cancelResult{}, err
	}
	result, _ := run.Result()
	return cancelResult{
		RunID: run.ID(), State: "done", RunStatus: string(result.Status), Reason: clean(c.set.turned(result.Reason), errorBound),
		Already: already, EntryCount: len(result.Timeline),
	}, nil
}

type listRunsArguments struct {
	LastN *int `json:"last_n" min:"1"`
}

type runLine struct {
	RunID        string     `json:"run_id"`
	ScenarioName string     `json:"scenario_name"`
	Phones       []phone.ID `json:"phones"`
	State        string     `json:"state"`
	Status       string     `json:"status"` // running, or the verdict
	Reason       *string    `json:"reason"`
	StartedAt    string     `json:"started_at"`
	ElapsedMS    int64      `json:"elapsed_ms"`
	EntryCount   int        `json:"timeline_size"`
}

type listRunsResult struct {
	Runs       []runLine `json:"runs" cut:"get_run tells of one"`
	TotalCount int       `json:"total_count" count:""`
}

func listRuns(_ context.Context, c *call, a listRunsArguments) (listRunsResult, error) {
	lines := []runLine{}
	for _, run := range newest(c.set.o.Runs.List(), a.LastN) {
		limit := int64(1)
		look := c.set.lookedAt(run, 0, &limit)
		lines = append(lines, runLine{
			RunID: look.RunID, ScenarioName: look.ScenarioName, Phones: append([]phone.ID{}, run.Phones()...), State: look.State,
			Status: look.status(), Reason: look.Reason, StartedAt: timestamp(run.Began()), ElapsedMS: look.ElapsedMS, EntryCount: look.TimelineSize,
		})
	}
	return listRunsResult{Runs: lines, TotalCount: len(lines)}, nil
}
