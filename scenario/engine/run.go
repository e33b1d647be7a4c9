package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/spec"
	"ringmaster/scenario/timeline"
)

// phase says how far a run is.
type phase int

const (
	running    phase = iota
	stopping         // decided; commands under way may end
	judging          // expectations are judged
	cleaning         // hooks on scenario.stopped run
	finishing        // finally runs
	hangingUp        // the calls of a cancelled run are ended
	collecting       // files are looked for
	over
)

type verdict struct {
	status timeline.Status
	reason string
}

// run is one run of a scenario. Only the loop touches it.
type run struct {
	ctx      context.Context
	scenario spec.Scenario
	env      Env
	record   recorder
	phase    phase
	verdict  verdict
	decided  time.Time // when the verdict was

	hooks       []*hook
	sequences   []*sequence // that have not ended, in the order they began
	alarms      alarms
	history     []happened
	events      []phone.Event // of the history, by their time stamps
	raised      []happened    // own events that have not had their effect yet
	calls       calls
	scope       scope
	vars        map[string]any
	came        []bool // for each of stop_on_all
	cancelled   bool
	toldStopped bool // scenario.stopped was raised
	judgement   judgement

	position     uint64 // in the feed; everything up to it was looked at
	incarnations map[phone.ID]int
	deaths       map[phone.ID]int // the incarnation of each phone's worker that died last

	commandCtx context.Context // of the sequences that may run in this phase
	giveUp     context.CancelFunc
	finalCtx   context.Context // of finally
	endFinal   context.CancelFunc
	completed  chan func() // ends of commands, for the loop
	underWay   int         // commands that have not come back

	artifacts map[phone.ID]*timeline.Artifact
}

type hook struct {
	spec.Hook
	armed bool
}

func newRun(ctx context.Context, s spec.Scenario, env Env) *run {
	r := &run{
		ctx: ctx, scenario: s, env: env,
		record:       recorder{began: time.Now(), progress: env.Progress},
		calls:        newCalls(),
		scope:        scopeOf(s),
		vars:         map[string]any{},
		came:         make([]bool, len(s.StopOnAll)),
		incarnations: map[phone.ID]int{},
		deaths:       map[phone.ID]int{},
		completed:    make(chan func()),
		artifacts:    map[phone.ID]*timeline.Artifact{},
	}
	for _, h := range s.Hooks {
		r.hooks = append(r.hooks, &hook{Hook: h, armed: true})
	}
	maps.Copy(r.vars, s.Vars)
	for _, id := range s.Phones {
		r.artifacts[id] = nil
	}
	return r
}

func (r *run) unknownPhones() []timeline.Fault {
	var faults []timeline.Fault
	for _, id := range r.scope.named {
		if _, ok := r.env.Phones.Known(id); !ok && !slices.Contains(r.scope.added, id) {
			faults = append(faults, timeline.Fault{Kind: timeline.UnknownPhone, PhoneID: timeline.Phone(id), Msg: fmt.Sprintf("phone_id %q not found: the scenario names it, so add it before the run", id)})
		}
	}
	return faults
}

type batch struct {
	records []Record
	err     error
}

func (r *run) loop() {
	r.commandCtx, r.giveUp = context.WithCancel(r.ctx)
	defer func() { r.giveUp() }()
	r.finalCtx, r.endFinal = context.WithCancel(context.WithoutCancel(r.ctx))
	defer func() { r.endFinal() }()

	r.position = r.env.Feed.Position()
	reading, stopReading := context.WithCancel(context.WithoutCancel(r.ctx))
	batches := make(chan batch)
	var reader sync.WaitGroup
	armedAt := r.position
	reader.Go(func() { r.read(reading, armedAt, batches) })
	defer reader.Wait()
	defer stopReading()

	r.begin()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	cancelled := r.ctx.Done()
	for r.advancePhase(); r.phase != over || r.underWay > 0; r.advancePhase() {
		if at, ok := r.alarms.next(); ok {
			timer.Reset(time.Until(at))
		}
		select {
		case b := <-batches:
			r.observe(b)
		case settle := <-r.completed:
			r.underWay--
			settle()
		case <-timer.C:
			r.ringAlarms()
		case <-cancelled:
			cancelled = nil
			r.cancel()
		}
		r.react()
	}
	r.catchUp()
}

// read hands the feed over batch by batch until ctx ends. It runs beside the
// loop and touches nothing that changes.
func (r *run) read(ctx context.Context, after uint64, batches chan<- batch) {
	for {
		records, err := r.env.Feed.Read(ctx, after, r.scope.wantsTraces())
		select {
		case batches <- batch{records, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
		after = records[len(records)-1].Position
	}
}

// begin arms everything, and then tells the world so.
func (r *run) begin() {
	for _, id := range r.scope.named {
		if reg, ok := r.env.Phones.Known(id); ok && reg.IsRegistered {
			r.raise(nil, phone.Event{Type: "reg.success", PhoneID: id, Data: map[string]any{
				"status_code": int64(reg.StatusCode), "reason": reg.Reason, "expires": int64(reg.Expires), "synthetic": true,
			}}, 0)
			r.react()
		}
	}
	r.raise(nil, phone.Event{Type: "scenario.started", Data: map[string]any{"name": r.scenario.Name}}, 0)
	r.alarms.setOrdered(r.record.began.Add(r.env.Timeout), last, r.timeUp)
	r.react()
	r.start(&sequence{id: "initial_actions", where: "initial_actions", initial: true, actions: r.scenario.Initial, since: mark{position: r.position}})
	r.react()
}

// ringAlarms lets everything that is in the journal by now count before the
// alarm does.
func (r *run) ringAlarms() {
	r.catchUp()
	now := time.Now()
	for a := r.alarms.due(now); a != nil; a = r.alarms.due(now) {
		a.ring()
		r.react()
	}
}

// catchUp takes from the feed what is there, without waiting.
func (r *run) catchUp() {
	instantly, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		records, err := r.env.Feed.Read(instantly, r.position, r.scope.wantsTraces())
		if len(records) == 0 || err != nil {
			return
		}
		r.observe(batch{records: records})
		r.react()
	}
}

// timeUp ends a run whose time is over.
func (r *run) timeUp() {
	ms := r.env.Timeout.Milliseconds()
	if reason := r.notStopped(); reason != "" {
		r.end(timeline.Timeout, fmt.Sprintf("%s came within %d ms", reason, ms))
		return
	}
	var open []string
	for _, s := range r.sequences {
		if s.group == nil && (s.initial || s.awaits()) {
			open = append(open, s.String())
		}
	}
	if len(open) > 0 {
		r.end(timeline.Timeout, fmt.Sprintf("the time was up after %d ms and not done: %s", ms, strings.Join(open, "; ")))
		return
	}
	r.end(timeline.OK, fmt.Sprintf("ran its full %d ms", ms))
}

// notStopped names the stops that have not come; "" when there are none.
func (r *run) notStopped() string {
	var missing []string
	if len(r.scenario.StopOn) > 0 {
		missing = append(missing, "no stop_on")
	}
	for i, stop := range r.scenario.StopOnAll {
		if !r.came[i] {
			missing = append(missing, "no "+stop.Path)
		}
	}
	return strings.Join(missing, " and ")
}

// cancel ends a run whose caller has gone.
func (r *run) cancel() {
	r.cancelled = true
	reason := "the run was cancelled"
	if cause := context.Cause(r.ctx); cause != context.Canceled { //nolint:errorlint // a cause that says nothing
		reason += ": " + cause.Error()
	}
	switch {
	case r.phase == running:
		r.fault(timeline.Fault{Kind: timeline.Cancelled, Msg: reason})
		r.end(timeline.Error, reason)
	case r.phase <= judging && len(r.scenario.Expect) > 0: // it was not judged
		r.fault(timeline.Fault{Kind: timeline.Cancelled, Msg: reason})
		r.verdict = verdict{timeline.Error, reason}
	case r.phase == cleaning && len(r.sequences) > 0:
		r.fault(timeline.Fault{Kind: timeline.Cancelled, Msg: reason + " before the hooks on scenario.stopped were done: " + r.sequences[0].String()})
	}
	r.cut()
	if r.phase == finishing {
		r.boundFinal(hangupTime)
	}
}

// fail ends the run with a fault that no action caused.
func (r *run) fail(kind, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	r.fault(timeline.Fault{Kind: kind, Msg: msg})
	r.end(timeline.Failed, msg)
}

func (r *run) fault(f timeline.Fault) { r.record.faults = append(r.record.faults, f) }

// standing is the verdict: faults that count make it failed, whatever ended the
// run.
func (r *run) standing() verdict {
	v := r.verdict
	counting := slices.DeleteFunc(slices.Clone(r.record.faults), func(f timeline.Fault) bool { return f.Tolerated })
	if (v.status == timeline.OK || v.status == timeline.Timeout) && len(counting) > 0 {
		more := ""
		if n := len(counting) - 1; n > 0 {
			more = fmt.Sprintf("; errors besides: %d", n)
		}
		return verdict{timeline.Failed, fmt.Sprintf("%s (%s)%s", counting[0].Msg, v.reason, more)}
	}
	return v
}

func (r *run) result() timeline.Result {
	v := r.standing()
	used := []string{}
	for _, p := range r.scenario.Patterns {
		if !slices.Contains(used, p.Name) {
			used = append(used, p.Name)
		}
	}
	return timeline.Result{
		ScenarioName: r.scenario.Name, Status: v.status, Reason: v.reason,
		StartedAt: r.record.began.UTC(), ElapsedMS: time.Since(r.record.began).Milliseconds(),
		Timeline: append([]timeline.Entry{}, r.record.entries...), Errors: append([]timeline.Fault{}, r.record.faults...),
		Expectations: append([]timeline.Expectation{}, r.judgement.told...), Artifacts: r.artifacts, PatternsUsed: used,
	}
}
