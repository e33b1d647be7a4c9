package runs

import (
	"context"
	"os"

	"ringmaster/config"
	"ringmaster/proto/phone"
	"ringmaster/supervisor/fleet"
)

// Fleet changes which phones there are; fleet.Fleet is one.
type Fleet interface {
	Add(ctx context.Context, s phone.Settings) (fleet.Status, error)
	Drop(ctx context.Context, id phone.ID, hangupCalls bool) error
	Update(ctx context.Context, id phone.ID, u phone.Update) (fleet.Status, phone.Outcome, error)
}

// change is the fleet as a run changes it: held to the rules of the tools
// add_phone and update_phone.
type change struct {
	runner *Runner
	permit func(phone.ID) error
}

// Add implements engine.Fleet.
func (c change) Add(ctx context.Context, s phone.Settings) (phone.Registration, error) {
	if c.permit != nil {
		if err := c.permit(s.PhoneID); err != nil {
			return phone.Registration{}, err
		}
	}
	if err := config.CheckDomain(s.Domain); err != nil {
		return phone.Registration{}, err
	}
	if err := c.check(ctx, s.Codecs, map[string]string{"username": s.Username, "password": s.Password.Reveal(), "realm": s.Realm}); err != nil {
		return phone.Registration{}, err
	}
	st, err := c.runner.Fleet.Add(ctx, s)
	return st.Registration, err
}

// check holds the texts and the codecs of a phone against what phones take.
func (c change) check(ctx context.Context, codecs []string, texts map[string]string) error {
	for name, text := range texts {
		if err := config.CheckText(name, text); err != nil {
			return err
		}
	}
	if len(codecs) == 0 || c.runner.Codecs == nil {
		return nil
	}
	return config.CheckCodecs(codecs, c.runner.Codecs(ctx))
}

// Drop implements engine.Fleet.
func (c change) Drop(ctx context.Context, id phone.ID, hangupCalls bool) error {
	return c.runner.Fleet.Drop(ctx, id, hangupCalls)
}

// Update implements engine.Fleet.
func (c change) Update(ctx context.Context, id phone.ID, u phone.Update) (phone.Outcome, error) {
	texts, codecs := map[string]string{}, []string(nil)
	if u.Password != nil {
		texts["password"] = u.Password.Reveal()
	}
	if u.Realm != nil {
		texts["realm"] = *u.Realm
	}
	if u.Codecs != nil {
		codecs = *u.Codecs
	}
	if err := c.check(ctx, codecs, texts); err != nil {
		return phone.Outcome{}, err
	}
	_, out, err := c.runner.Fleet.Update(ctx, id, u)
	return out, err
}

// Kill implements engine.Fleet.
func (c change) Kill(_ context.Context, id phone.ID) error {
	st, err := c.runner.Phones.Status(id)
	if err != nil {
		return err
	}
	if st.Worker.PID == 0 {
		return phone.Errorf(phone.Precondition, "phone %s has no worker to kill: its state is %s", id, st.Worker.State)
	}
	process, err := os.FindProcess(st.Worker.PID)
	if err != nil {
		return err
	}
	return process.Kill()
}
