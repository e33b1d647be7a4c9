// Package timeline holds what a scenario run leaves behind: its entries, its
// faults, its files and its verdict, in the form in which clients read them.
package timeline

import (
	"math"
	"time"

	"ringmaster/proto/phone"
)

// Kind says what an entry of the timeline is about.
type Kind string

// The kinds of entry.
const (
	Event  Kind = "event"  // something happened: a phone's event, or one of the run's own
	Action Kind = "action" // the run did something; the entry stands where it began
	Meta   Kind = "meta"   // a note: a hook fired, a checkpoint, a log line
)

// Entry is one line of a timeline. Fields that are not known are null.
type Entry struct {
	Kind Kind `json:"kind"`
	// TS is Unix time in seconds with microseconds.
	TS float64 `json:"ts"`
	// OffsetMS is the time since the run began, in milliseconds with
	// microseconds. It is negative for an event that a worker stamped just
	// before the run took notice.
	OffsetMS    float64        `json:"ts_offset_ms"`
	Type        string         `json:"type"`
	PhoneID     *phone.ID      `json:"phone_id"`
	CallID      *phone.CallID  `json:"call_id"`
	Data        map[string]any `json:"data"`
	HookID      *string        `json:"hook_id"`
	PatternName *string        `json:"pattern_name"`
}

// Seconds gives t as Unix seconds with microseconds.
func Seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// Milliseconds gives d in milliseconds with microseconds.
func Milliseconds(d time.Duration) float64 { return math.Round(float64(d)/1e3) / 1e3 }

// Status is a run's verdict.
type Status string

// The verdicts.
const (
	OK      Status = "ok"      // a stop condition held, or the run had its full time
	Timeout Status = "timeout" // the time was up and something was still awaited
	Failed  Status = "failed"  // an action failed, or an event was lost
	Error   Status = "error"   // it could not run, or was cancelled
)

// The kinds of fault of a run.
const (
	ActionFailed = "action_failed"
	EventsLost   = "events_lost"
	WorkerDied   = "worker_died"
	UnknownPhone = "unknown_phone"
	Cancelled    = "cancelled"
	Limit        = "limit"
	Unfinished   = "unfinished"
	Emitted      = "scenario_failed"
	FeedEnded    = "feed_ended"
	Unmet        = "expectation_failed" // it does not hold
	Unjudged     = "not_judged"         // an expectation of which nobody can say
)

// Fault is one entry of a run's errors.
type Fault struct {
	Kind string `json:"kind"`
	// Msg is one sentence that says everything alone.
	Msg         string        `json:"msg"`
	Action      *string       `json:"action"`
	PhoneID     *phone.ID     `json:"phone_id"`
	CallID      *phone.CallID `json:"call_id"`
	HookID      *string       `json:"hook_id"`
	PatternName *string       `json:"pattern_name"`
	// Tolerated: the action said on_error: continue, so the verdict does not
	// depend on it.
	Tolerated bool `json:"tolerated"`
}

// Expectation is how one fact of expect stood when the run was over.
type Expectation struct {
	Path string `json:"path"` // "expect[0]"
	Fact string `json:"fact"` // in words
	Held bool   `json:"held"`
	// Msg is one sentence: what was seen, and where it does not hold the
	// nearest miss.
	Msg string `json:"msg"`
}

// Artifact names the newest files that a run made on one phone; a field is
// null when there is none.
type Artifact struct {
	Recording     *string `json:"recording"`
	RecordingMeta *string `json:"recording_meta"`
	Pcap          *string `json:"pcap"`
}

// Result is everything a run answers.
type Result struct {
	ScenarioName string    `json:"scenario_name"`
	Status       Status    `json:"status"`
	Reason       string    `json:"reason"`
	ElapsedMS    int64     `json:"elapsed_ms"`
	Timeline     []Entry   `json:"timeline"`
	Errors       []Fault   `json:"errors"`
	StartedAt    time.Time `json:"started_at"`
	// Expectations has one entry for each of the scenario's, in its order;
	// none when the run was not judged.
	Expectations []Expectation `json:"expectations"`
	// Artifacts has one key for each of the scenario's phones; null when the
	// run made no file there.
	Artifacts    map[phone.ID]*Artifact `json:"artifacts"`
	PatternsUsed []string               `json:"patterns_used"`
}

// Text gives a pointer to s, or nil for "".
func Text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Phone gives a pointer to id, or nil for "".
func Phone(id phone.ID) *phone.ID {
	if id == "" {
		return nil
	}
	return &id
}
