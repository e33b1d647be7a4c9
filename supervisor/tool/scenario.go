package tool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario"
	"ringmaster/scenario/report"
	"ringmaster/scenario/spec"
	"ringmaster/scenario/timeline"
	"ringmaster/supervisor/runs"
)

func scenarioEntries() []entry {
	return []entry{
		define(entry{name: "validate_scenario", title: "Check a scenario",
			description: "Check a scenario without touching any phone. Every issue says where and what, with the nearest known name. The resource ringmaster://guide/scenarios tells how to write good ones.",
			hints:       Hints{ReadOnly: true, Idempotent: true}}, validateScenario),
		define(entry{name: "run_scenario", title: "Run a scenario and wait",
			description: "Run a scenario on phones that exist, and answer with its timeline when it is over (start_scenario does not wait): " +
				"{phones: [a, b], patterns: [{use: auto-answer, phone_id: b}], initial_actions: [{make_call: {phone_id: a, to: \"sip:b@pbx.example\"}}], " +
				"hooks: [{when: call.state.confirmed, on_phone: a, then: [{send_dtmf: \"1\"}]}], stop_on: [{phone_id: b, event: dtmf.in}], timeout_ms: 20000}. " +
				"status is ok, timeout, failed or error. It sends progress, and the run stops when the call is cancelled.",
			hints: Hints{Destructive: true, OpenWorld: true}}, runScenario),
	}
}

type validateArguments struct {
	Scenario json.RawMessage `json:"scenario" required:"true" shape:"scenario" doc:"the scenario"`
}

type validateResult struct {
	Issues       spec.Issues `json:"issues" cut:"mend those that are here first"`
	ScenarioName string      `json:"scenario_name"`
}

func (r validateResult) status() string {
	if len(r.Issues) > 0 {
		return "error"
	}
	return "ok"
}

func validateScenario(_ context.Context, c *call, a validateArguments) (validateResult, error) {
	s, issues, err := c.set.checkScenario(a.Scenario)
	if err != nil {
		return validateResult{}, err
	}
	return validateResult{Issues: append(spec.Issues{}, issues...), ScenarioName: clean(s.Name(), nameBound)}, nil
}

// checkScenario reads the scenario of a call, with paths as this server has
// them. The error is for what is no scenario at all.
func (s *Set) checkScenario(raw json.RawMessage) (scenario.Scenario, spec.Issues, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return scenario.Scenario{}, nil, errors.New("scenario must be an object: phones, patterns, initial_actions, hooks, stop_on, timeout_ms")
	}
	s.takeIn(object)
	checked, issues := scenario.Check(object, s.o.Patterns)
	return checked, issues, nil
}

// takeIn turns every text of a scenario that is a path as the client sees it.
func (s *Set) takeIn(v any) any {
	switch v := v.(type) {
	case string:
		return string(s.inside(Path(v)))
	case []any:
		for i := range v {
			v[i] = s.takeIn(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = s.takeIn(v[key])
		}
	}
	return v
}

type runArguments struct {
	Scenario  json.RawMessage `json:"scenario" required:"true" shape:"scenario" doc:"the scenario"`
	TimeoutMS *int64          `json:"timeout_ms" min:"1" max:"86400000" doc:"used in place of the scenario's own"`
}

// runReport is what a run came to. Of one that goes on, what is not known yet
// is null.
type runReport struct {
	Reason       *string                 `json:"reason"`
	ElapsedMS    int64                   `json:"elapsed_ms"`
	Timeline     []timeline.Entry        `json:"timeline" cut:"get_run gives them by run_id, after and limit"`
	Errors       []any                   `json:"errors"`
	Expectations []timeline.Expectation  `json:"expectations"`
	Artifacts    map[phone.ID]*artifacts `json:"artifacts"`
	PatternsUsed []string                `json:"patterns_used"`
	ScenarioName string                  `json:"scenario_name"`
	StartedAt    *string                 `json:"started_at"`
	Verdict      timeline.Status         `json:"-"` // the answer's status
}

func (r runReport) status() string { return string(r.Verdict) }

type runResult struct {
	runReport
	RunID *string `json:"run_id"`
}

type artifacts struct {
	Recording     *Path `json:"recording"`
	RecordingMeta *Path `json:"recording_meta"`
	Pcap          *Path `json:"pcap"`
}

// files are what the run has left, phone by phone.
func (r runReport) files() []Path {
	var all []Path
	for _, id := range slices.Sorted(maps.Keys(r.Artifacts)) {
		if a := r.Artifacts[id]; a != nil {
			for _, file := range []*Path{a.Recording, a.RecordingMeta, a.Pcap} {
				all = append(all, value(file))
			}
		}
	}
	return all
}

// failure: a scenario that could not run is a failure of the tool; one that
// ran and failed is an answer.
func (r runResult) failure() string {
	if r.Verdict == timeline.Error {
		return *r.Reason
	}
	return ""
}

func runScenario(ctx context.Context, c *call, a runArguments) (runResult, error) {
	s, issues, err := c.set.checkScenario(a.Scenario)
	if err != nil {
		return runResult{}, err
	}
	c.mark("")
	if len(issues) > 0 {
		return runResult{runReport: unfit(s, issues)}, nil
	}
	run, err := c.set.o.Runs.StartIn(ctx, s, c.set.runOptions(a))
	if err != nil {
		return runResult{}, err
	}
	_ = run.Follow(context.WithoutCancel(ctx), 0, progressOf(ctx)) // the run ends with ctx itself
	if ctx.Err() != nil {
		return runResult{}, ctx.Err()
	}
	result, _ := run.Result()
	id := run.ID()
	return runResult{c.set.ran(result, result.Timeline), &id}, nil
}

func (s *Set) runOptions(a runArguments) runs.Options {
	o := runs.Options{Permit: s.permit, PermitPhone: s.CheckPhoneID}
	if a.TimeoutMS != nil {
		o.Timeout = time.Duration(*a.TimeoutMS) * time.Millisecond
	}
	return o
}

// unfit is the answer for a scenario with faults: nothing has run.
func unfit(s scenario.Scenario, issues spec.Issues) runReport {
	reason := "the scenario cannot run: " + issues[0].Error()
	if more := len(issues) - 1; more > 0 {
		reason += fmt.Sprintf(" (errors has %d more)", more)
	}
	r := runReport{
		Verdict: timeline.Error, ScenarioName: clean(s.Name(), nameBound), Reason: &reason,
		Timeline: []timeline.Entry{}, Errors: []any{}, Expectations: []timeline.Expectation{}, Artifacts: map[phone.ID]*artifacts{}, PatternsUsed: []string{},
	}
	for _, issue := range issues {
		r.Errors = append(r.Errors, issue)
	}
	return r
}

// permit confines the files of a scenario as play_audio does.
func (s *Set) permit(cmd phone.Command) error {
	if play, ok := cmd.(phone.PlayAudio); ok && play.FilePath != musicOnHold {
		return s.confined(play.FilePath)
	}
	return nil
}

// ran shows a run and some entries of its timeline to the client: texts clean,
// paths turned.
func (s *Set) ran(result timeline.Result, entries []timeline.Entry) runReport {
	started, reason := timestamp(result.StartedAt), clean(s.turned(result.Reason), errorBound)
	r := runReport{
		Verdict: result.Status, Reason: &reason, ElapsedMS: result.ElapsedMS, StartedAt: &started,
		ScenarioName: clean(result.ScenarioName, nameBound), PatternsUsed: result.PatternsUsed,
		Timeline: s.shownEntries(entries), Errors: []any{}, Expectations: []timeline.Expectation{}, Artifacts: map[phone.ID]*artifacts{},
	}
	for _, fault := range result.Errors {
		fault.Msg = clean(s.turned(fault.Msg), errorBound)
		r.Errors = append(r.Errors, fault)
	}
	for _, e := range result.Expectations {
		e.Fact, e.Msg = clean(s.turned(e.Fact), errorBound), clean(s.turned(e.Msg), errorBound)
		r.Expectations = append(r.Expectations, e)
	}
	for id, a := range result.Artifacts {
		r.Artifacts[id] = nil
		if a != nil {
			r.Artifacts[id] = &artifacts{s.path(a.Recording), s.path(a.RecordingMeta), s.path(a.Pcap)}
		}
	}
	return r
}

// shownEntries are copies of entries as the client sees them.
func (s *Set) shownEntries(entries []timeline.Entry) []timeline.Entry {
	shown := append([]timeline.Entry{}, entries...)
	for i := range shown {
		data, _ := s.shown("", shown[i].Data).(map[string]any)
		shown[i].Data = data
	}
	return shown
}

// path is a path as the client sees it; maps are not looked into by mapPaths.
func (s *Set) path(p *string) *Path {
	if p == nil {
		return nil
	}
	turned := s.outside(Path(*p))
	return &turned
}

// progressKey is the context's key of who is told of progress.
type progressKey struct{}

// WithProgress lets a tool that takes long tell how far it is: how much is
// done, in a number that only rises, and a line of text. tell must not wait.
func WithProgress(ctx context.Context, tell func(done int, line string)) context.Context {
	return context.WithValue(ctx, progressKey{}, tell)
}

// progressOf tells every entry of a timeline as one line; nil when nobody is
// to be told.
func progressOf(ctx context.Context) func(timeline.Entry) {
	tell, ok := ctx.Value(progressKey{}).(func(int, string))
	if !ok {
		return nil
	}
	done := 0
	return func(e timeline.Entry) {
		done++
		tell(done, report.Style{}.Line(e))
	}
}
