package tool

import (
	"context"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/fleet"
)

// Phones is the fleet, as the tools need it.
type Phones interface {
	Add(ctx context.Context, s phone.Settings) (fleet.Status, error)
	Drop(ctx context.Context, id phone.ID, hangup bool) error
	Restart(ctx context.Context, id phone.ID) (fleet.Status, error)
	Load(ctx context.Context, s []phone.Settings, merge bool) fleet.LoadResult
	Update(ctx context.Context, id phone.ID, u phone.Update) (fleet.Status, phone.Outcome, error)
	Do(ctx context.Context, id phone.ID, c phone.Command) (phone.Outcome, error)
	Status(id phone.ID) (fleet.Status, error)
	List() []fleet.Status
	OwnerOf(c phone.CallID) (phone.ID, bool)
}
