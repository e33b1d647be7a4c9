package engine

import (
	"context"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/spec"
	"ringmaster/scenario/timeline"
)

// Phones carries out what a run wants done.
type Phones interface {
	// Begin gives one command to a phone without waiting for what comes of
	// it. Commands reach a phone in the order in which they are begun. The
	// answer is called exactly once, on any goroutine; it waits until the
	// matter is decided, or until soon after ctx ends.
	Begin(ctx context.Context, id phone.ID, cmd phone.Command) (answer Answer)
	// Known says what is known of the phone's registration; false when there
	// is no such phone. It answers at once.
	Known(id phone.ID) (phone.Registration, bool)
}

// Answer waits for the outcome of a command.
type Answer func() (phone.Outcome, error)

// Feed is the journal of all phones in one order.
type Feed interface {
	// Position is the newest position: what happens from now on has a
	// higher one.
	Position() uint64
	// Read gives the records after a position, oldest first, and waits for at
	// least one. What is there it gives even when ctx has ended already.
	// Without traces, sip.* and media.* events may be left out.
	Read(ctx context.Context, after uint64, traces bool) ([]Record, error)
}

// Record is one line of the feed. Exactly one of Event and Gap is set.
type Record struct {
	Position uint64
	// PhoneID is "" for a Gap that may concern any phone.
	PhoneID phone.ID
	// Incarnation counts the phone's workers; Seq is the number in that
	// worker's own journal, 0 for a word of its keeper about it.
	Incarnation int
	Seq         uint64
	Event       *phone.Event
	Gap         *phone.Gap
}

// Files finds the files that a run left.
type Files interface {
	// Artifact waits until the files of the query's ended calls are closed,
	// or ctx ends, and gives the newest file of each kind that the query's
	// calls left; nil when there is none.
	Artifact(ctx context.Context, q FileQuery) *timeline.Artifact
}

// FileQuery asks for the files of one phone.
type FileQuery struct {
	PhoneID phone.ID
	Calls   []phone.CallID // that began during the run
	Ended   []phone.CallID // of those, the ones that are over
	Since   time.Time      // when the run began
}

// Fleet changes which phones there are. Its methods take their time and are
// called beside the run's loop. What a caller of this server could not do by
// its tools, they refuse.
type Fleet interface {
	// Add starts a phone, or replaces the one of that id, and answers when
	// its registration is decided or after a few seconds.
	Add(ctx context.Context, s phone.Settings) (phone.Registration, error)
	// Drop ends a phone; without hangupCalls as a power cut does.
	Drop(ctx context.Context, id phone.ID, hangupCalls bool) error
	// Update changes a phone while it runs.
	Update(ctx context.Context, id phone.ID, u phone.Update) (phone.Outcome, error)
	// Kill kills the phone's process as a crash does, and answers when the
	// signal is sent.
	Kill(ctx context.Context, id phone.ID) error
}

// Env is what a run needs of the world.
type Env struct {
	Phones Phones
	Feed   Feed
	Files  Files // nil: there are no files
	Fleet  Fleet // nil: the run cannot change the fleet
	// Publish, when set, is told of the run's own events (scenario.*,
	// user.*), Progress of every entry as it is put on the timeline. Both are
	// called from the run's loop and must not wait.
	Publish  func(phone.Event)
	Progress func(timeline.Entry)
	// Timeout, when not 0, is used in place of the scenario's own.
	Timeout time.Duration
}

// The bounds of a run.
const (
	maxEntries   = 50_000                // of its timeline
	endEntries   = 2_000                 // of the hooks on scenario.stopped and of finally, beyond that
	maxChain     = 100                   // user events that answer one another at once
	drainTime    = time.Second           // for commands under way when the run ends
	underWayTime = 50 * time.Millisecond // for an event of another phone to come through
	judgeTime    = 2 * time.Second       // for what phones are asked before expectations are judged
	cleanupTime  = 5 * time.Second       // for the hooks on scenario.stopped, and again for finally
	hangupTime   = 2 * time.Second       // for finally of a cancelled run, and again for its calls
	artifactTime = time.Second           // for files to be closed
)

// Run runs a scenario whose patterns are unfolded, and answers when it is
// over and every goroutine of it has ended. When ctx ends, the run's commands
// are given up, the calls it made are hung up (within 2 s), and the status is
// error.
func Run(ctx context.Context, s spec.Scenario, env Env) timeline.Result {
	if env.Timeout == 0 {
		env.Timeout = s.Timeout
	}
	r := newRun(ctx, s, env)
	if faults := r.unknownPhones(); len(faults) > 0 {
		r.verdict = verdict{status: timeline.Error, reason: faults[0].Msg}
		r.record.faults = faults
		return r.result()
	}
	r.loop()
	return r.result()
}
