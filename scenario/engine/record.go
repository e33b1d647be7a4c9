package engine

import (
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/timeline"
)

// recorder writes the timeline.
type recorder struct {
	began    time.Time
	entries  []timeline.Entry
	faults   []timeline.Fault
	progress func(timeline.Entry)
}

// add puts an entry at the end and gives its place. An entry beyond the bound
// is left out, with place -1.
func (r *recorder) add(at time.Time, e timeline.Entry) int {
	if r.brimful() {
		return -1
	}
	e.TS = timeline.Seconds(at)
	e.OffsetMS = timeline.Milliseconds(at.Sub(r.began))
	if e.Data == nil {
		e.Data = map[string]any{}
	}
	r.entries = append(r.entries, e)
	if r.progress != nil {
		r.progress(e)
	}
	return len(r.entries) - 1
}

// full ends a run. What is left of the bound is for its ending.
func (r *recorder) full() bool { return len(r.entries) >= maxEntries }

func (r *recorder) brimful() bool { return len(r.entries) >= maxEntries+endEntries }

// event records what happened. by is the sequence that raised it, or nil.
func (r *recorder) event(e phone.Event, by *sequence) {
	entry := timeline.Entry{Kind: timeline.Event, Type: e.Type, PhoneID: timeline.Phone(e.PhoneID), CallID: e.CallID, Data: e.Data}
	if by != nil {
		entry.HookID, entry.PatternName = timeline.Text(by.id), timeline.Text(by.pattern)
	}
	r.add(e.Time, entry)
}

// note records a remark of a sequence, or of the run when s is nil.
func (r *recorder) note(s *sequence, kind string, data map[string]any) {
	entry := timeline.Entry{Kind: timeline.Meta, Type: kind, Data: data}
	if s != nil {
		entry.HookID, entry.PatternName = timeline.Text(s.id), timeline.Text(s.pattern)
		entry.PhoneID, entry.CallID = timeline.Phone(s.phone), s.event.CallID
	}
	r.add(time.Now(), entry)
}
