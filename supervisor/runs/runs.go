// Package runs lets scenarios run on the phones of the server: it gives their
// commands to the fleet, shows them the hub's events, and finds the files that
// they leave.
//
//	engine ──Begin──► lane of the phone ──► fleet     a lane keeps the order
//	       ◄──Read─── hub
package runs

import (
	"context"
	"math"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario"
	"ringmaster/scenario/engine"
	"ringmaster/scenario/timeline"
	"ringmaster/supervisor/diagnose"
	"ringmaster/supervisor/fleet"
	"ringmaster/supervisor/hub"
)

// Phones is the fleet, as scenarios need it.
type Phones interface {
	Begin(ctx context.Context, id phone.ID, c phone.Command) (phone.Pending, error)
	Status(id phone.ID) (fleet.Status, error)
}

// Runner runs scenarios, any number at a time.
type Runner struct {
	Phones Phones
	// Fleet, when set, lets scenarios change which phones there are. Codecs
	// gives those that are built in; nil leaves codecs to the phones.
	Fleet  Fleet
	Codecs func(context.Context) []string
	Hub    *hub.Hub
	// RecordingsDir and CapturesDir are the roots below which the phones write.
	RecordingsDir string
	CapturesDir   string
}

// Options are what one run may want.
type Options struct {
	// Timeout, when not 0, is used in place of the scenario's own.
	Timeout time.Duration
	// Folder is where the relative paths of play_audio begin; "" is the
	// server's working directory.
	Folder string
	// Permit, when set, refuses a command by an error.
	Permit func(phone.Command) error
	// PermitPhone, when set, refuses a phone that a scenario adds.
	PermitPhone func(phone.ID) error
	// progress, when set, is told of every entry as it is put on the
	// timeline. It must not wait.
	progress func(timeline.Entry)
}

// Run runs a scenario and answers when it is over and nothing of it is left;
// see engine.Run.
func (r *Runner) Run(ctx context.Context, s scenario.Scenario, o Options) timeline.Result {
	l := &lanes{runner: r, permit: o.Permit, folder: o.Folder, byPhone: map[phone.ID]chan<- *job{}}
	defer l.close()
	var phones engine.Fleet
	if r.Fleet != nil {
		phones = change{r, o.PermitPhone}
	}
	return scenario.Run(ctx, s, engine.Env{
		Fleet: phones, Phones: l, Feed: feed{r.Hub}, Files: files{runner: r},
		Publish: r.Hub.Publish, Progress: o.progress, Timeout: o.Timeout,
	})
}

// noMark is the place of no command: a run begins at none, and must not miss
// what the mark of another client's command would hide.
const noMark = math.MaxUint64

// feed shows the hub to the engine.
type feed struct{ hub *hub.Hub }

func (f feed) Position() uint64 { return f.hub.Position() }

func (f feed) Read(ctx context.Context, after uint64, traces bool) ([]engine.Record, error) {
	found, err := f.hub.Read(ctx, hub.Query{After: after, Mark: noMark, Traces: traces, SIP: diagnose.Event})
	records := make([]engine.Record, len(found))
	for i, r := range found {
		records[i] = engine.Record{
			Position: r.Position, PhoneID: r.PhoneID, Incarnation: r.Incarnation, Seq: r.Seq, Event: r.Event, Gap: r.Gap,
		}
	}
	return records, err
}
