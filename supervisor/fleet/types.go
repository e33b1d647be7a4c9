package fleet

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/phoneproc"
)

// Worker is a phone in a process of its own.
type Worker = phoneproc.Worker

// Starter starts workers. After an error nothing is left of the worker.
type Starter interface {
	Start(ctx context.Context, id phone.ID) (Worker, error)
}

// Sink takes the entries of all phones. Append must not wait: it holds up the
// phone's other entries.
//
// incarnation counts the workers that a phone_id has had, from 1, over
// restarts, replacements and drops; sequence numbers belong to one
// incarnation. The fleet's own entries, which say what became of a worker,
// have Seq 0 and come in their place among the worker's.
type Sink interface {
	Append(id phone.ID, incarnation int, e phone.Entry)
}

// Options are what a fleet needs to know.
type Options struct {
	// RecordingsDir, CapturesDir and SDPSessionName go to every phone.
	RecordingsDir  string
	CapturesDir    string
	SDPSessionName string
	FilesUnder     string // likewise; "" does not confine what they play

	// OnChange is told which phones' tools appear and disappear: a phone has
	// tools while its worker runs. There is one call for each batch (an Add,
	// Drop, Load, death or restart), before the method answers, none when
	// nothing changes (a phone replaced by itself), and one at a time. It
	// must not change the fleet. nil means nobody wants to know.
	OnChange func(added, removed []phone.ID)

	// Now stamps the fleet's own events; nil means time.Now.
	Now func() time.Time
	// Log gets what a person who runs the server should know; nil logs nothing.
	Log hclog.Logger
	// Parallel is how many workers may start at once; 0 means one per core.
	Parallel int
}

// The states of a worker.
const (
	Starting   = "starting"
	Running    = "running"
	Restarting = "restarting" // it died, another one comes
	Failed     = "failed"     // it died too often; it stays down until the phone is restarted or added again
	Stopped    = "stopped"    // the fleet is closed
)

// Status is what the fleet knows of a phone. Registration and ActiveCalls
// follow from the phone's events.
type Status struct {
	Settings     phone.Settings // as configured and updated since
	LocalPort    int            // the bound port; 0 before there was one
	TransportID  int            // unique for each socket of this fleet, from 1; 0 before there was one
	Registration phone.Registration
	ActiveCalls  int
	Worker       WorkerStatus
}

// WorkerStatus describes a phone's process.
type WorkerStatus struct {
	PID       int       // 0 when there is none
	State     string    // one of the constants
	Restarts  int       // since the phone was added
	StartedAt time.Time // of the process that runs, or ran last
	LastExit  string    // how the last one ended; "" when none has
	Failed    string    // why the phone stays down; "" when it does not
	// EventsLost counts the journal entries that did not come through while
	// their worker lived, since the phone was added.
	EventsLost uint64
}

// LoadResult says what Load did.
type LoadResult struct {
	Dropped []phone.ID // by order of adding
	Added   []Status   // in the order given
	Failed  []Failure  // likewise
}

// Failure is a phone that could not be added.
type Failure struct {
	PhoneID phone.ID
	Err     error
}
