package engine

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/timeline"
)

// end decides the run. Only the first decision counts. Waits are cut off at
// once; commands under way have a second to end.
func (r *run) end(status timeline.Status, reason string) {
	if r.phase != running {
		return
	}
	r.phase, r.verdict, r.decided = stopping, verdict{status, reason}, time.Now()
	r.cutWaits()
	r.alarms.set(time.Now().Add(drainTime), r.giveUp)
}

// cutWaits ends every sequence that is only waiting.
func (r *run) cutWaits() {
	for _, s := range slices.Clone(r.sequences) {
		if !s.ended && !s.final && !s.command && (s.waiting != nil || s.alarm != nil) {
			r.cutOff(s)
		}
	}
}

// cut gives up everything that is going on.
func (r *run) cut() {
	r.cutWaits()
	r.giveUp()
}

// advancePhase goes on with the ending when nothing of the phase before is
// left.
func (r *run) advancePhase() {
	if r.phase == running || len(r.sequences) > 0 || r.underWay > 0 {
		return
	}
	switch r.phase {
	case stopping:
		if len(r.scenario.Expect) > 0 && r.verdict.status != timeline.Error {
			r.judge()
			return
		}
		r.clean()
	case judging:
		if r.judgement.done || r.cancelled {
			r.clean()
		}
	case cleaning:
		r.finishUp()
	case finishing:
		if r.cancelled {
			r.hangUpOwn()
			return
		}
		r.collect()
	case hangingUp:
		r.collect()
	}
}

// clean lets the hooks on scenario.stopped run; those of a cancelled run do
// not.
func (r *run) clean() {
	r.phase = cleaning
	r.giveUp()
	if !r.cancelled {
		r.commandCtx, r.giveUp = context.WithCancel(r.ctx)
		r.stopped(nil)
		r.alarms.set(time.Now().Add(cleanupTime), r.cleanupOverdue)
		r.react()
	}
	r.advancePhase()
}

// stopped raises scenario.stopped, once.
func (r *run) stopped(more map[string]any) {
	if r.toldStopped {
		return
	}
	r.toldStopped = true
	v := r.standing()
	data := map[string]any{"status": string(v.status), "reason": v.reason}
	maps.Copy(data, more)
	r.raise(nil, phone.Event{Type: "scenario.stopped", Data: data}, 0)
}

func (r *run) cleanupOverdue() {
	if r.phase != cleaning || len(r.sequences) == 0 {
		return
	}
	r.fault(timeline.Fault{Kind: timeline.Unfinished, Msg: "the hooks on scenario.stopped were not done within " + cleanupTime.String() + ": " + r.sequences[0].String()})
	r.cut()
}

// finishUp runs finally: of a cancelled run, too.
func (r *run) finishUp() {
	r.phase = finishing
	if len(r.scenario.Finally) > 0 {
		limit := cleanupTime
		if r.cancelled {
			limit = hangupTime
		}
		r.boundFinal(limit)
		r.start(&sequence{id: "finally", where: "finally", final: true, actions: r.scenario.Finally, since: mark{index: len(r.history), position: r.position}})
		r.react()
	}
	r.advancePhase()
}

// boundFinal ends finally after a time.
func (r *run) boundFinal(limit time.Duration) {
	r.alarms.set(time.Now().Add(limit), func() {
		if r.phase != finishing || len(r.sequences) == 0 || r.finalCtx.Err() != nil {
			return
		}
		r.fault(timeline.Fault{Kind: timeline.Unfinished, Msg: "finally was not done within " + limit.String() + ": " + r.sequences[0].String()})
		r.endFinal()
		for _, s := range slices.Clone(r.sequences) {
			if !s.ended && !s.command && s.group == nil {
				r.cutOff(s)
			}
		}
	})
}

// hangUpOwn ends the calls that a cancelled run has made.
func (r *run) hangUpOwn() {
	r.phase = hangingUp
	open := r.calls.open()
	r.stopped(map[string]any{"calls_hung_up": int64(len(open))})
	r.react()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), hangupTime)
	r.commandCtx, r.giveUp = ctx, cancel
	phones := r.env.Phones
	r.launch(ctx, func(ctx context.Context) Answer {
		answers := make([]Answer, len(open))
		for i, c := range open {
			answers[i] = phones.Begin(ctx, c.phone, phone.Hangup{CallID: &c.call})
		}
		return allOf(answers)
	}, func(phone.Outcome, error) {
		// Nobody is left to tell of a failure.
	})
}

// collect looks for the files of the scenario's phones.
func (r *run) collect() {
	r.phase = collecting
	r.giveUp()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), artifactTime)
	r.commandCtx, r.giveUp = ctx, cancel
	ids := r.scenario.Phones
	queries := make([]FileQuery, len(ids))
	for i, id := range ids {
		queries[i] = r.fileQuery(id)
	}
	found := make([]*timeline.Artifact, len(ids))
	files := r.env.Files
	r.launch(ctx, lookFor(files, queries, found), func(phone.Outcome, error) {
		for i, id := range ids {
			r.artifacts[id] = found[i]
		}
		r.phase = over
	})
}

func (r *run) fileQuery(id phone.ID) FileQuery {
	return FileQuery{PhoneID: id, Calls: slices.Clone(r.calls.began[id]), Ended: r.calls.endedOf(id), Since: r.record.began}
}

// lookFor asks for the files of each query, side by side, and puts what there
// is into found.
func lookFor(files Files, queries []FileQuery, found []*timeline.Artifact) deed {
	return func(ctx context.Context) Answer {
		return func() (phone.Outcome, error) {
			if files == nil {
				return phone.Outcome{}, nil
			}
			ctx, cancel := context.WithTimeout(ctx, artifactTime)
			defer cancel()
			var all sync.WaitGroup
			for i, q := range queries {
				if len(q.Calls) > 0 {
					all.Go(func() { found[i] = files.Artifact(ctx, q) })
				}
			}
			all.Wait()
			return phone.Outcome{}, nil
		}
	}
}

// nameRecording puts what a phone left on the timeline.
func (r *run) nameRecording(s *sequence, id phone.ID, found *timeline.Artifact) {
	if found == nil {
		found = &timeline.Artifact{}
	}
	text := func(p *string) any {
		if p == nil {
			return nil
		}
		return *p
	}
	r.record.add(time.Now(), timeline.Entry{
		Kind: timeline.Meta, Type: "recording", PhoneID: timeline.Phone(id),
		Data:   map[string]any{"recording": text(found.Recording), "recording_meta": text(found.RecordingMeta), "pcap": text(found.Pcap)},
		HookID: timeline.Text(s.id), PatternName: timeline.Text(s.pattern),
	})
}
