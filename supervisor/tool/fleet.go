package tool

import (
	"context"
	"time"

	"ringmaster/proto/phone"
)

// Phones is the fleet, as the tools need it.
type Phones interface {
	Add(ctx context.Context, s phone.Settings) (Status, error)
	Drop(ctx context.Context, id phone.ID, hangup bool) error
	Load(ctx context.Context, s []phone.Settings, merge bool) LoadResult
	Update(ctx context.Context, id phone.ID, u phone.Update) (Status, phone.Outcome, error)
	Do(ctx context.Context, id phone.ID, c phone.Command) (phone.Outcome, error)
	Status(id phone.ID) (Status, error)
	List() []Status
	OwnerOf(c phone.CallID) (phone.ID, bool)
}

// Status is one phone of the fleet.
type Status struct {
	Settings               phone.Settings
	LocalPort, TransportID int
	Registration           phone.Registration
	ActiveCalls            int
	Worker                 WorkerStatus
}

// WorkerStatus is a phone's process.
type WorkerStatus struct {
	PID       int
	State     string
	Restarts  int
	StartedAt time.Time
	LastExit  string
}

// LoadResult is what became of a profile.
type LoadResult struct {
	Dropped []phone.ID
	Added   []Status
	Failed  []LoadFailure
}

// LoadFailure is a phone that did not start.
type LoadFailure struct {
	PhoneID phone.ID
	Err     error
}
