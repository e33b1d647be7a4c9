package engine

import (
	"context"
	"errors"

	"ringmaster/proto/phone"
	"ringmaster/scenario/spec"
)

// change makes the deed of an action that changes the fleet; nil for every
// other action.
func (r *run) change(id phone.ID, step spec.Step) deed {
	fleet := r.env.Fleet
	var do func(ctx context.Context) (phone.Outcome, error)
	switch step := step.(type) {
	case spec.AddPhone:
		do = func(ctx context.Context) (phone.Outcome, error) {
			registration, err := fleet.Add(ctx, step.Settings)
			return phone.Outcome{Registration: &registration}, err
		}
	case spec.DropPhone:
		do = func(ctx context.Context) (phone.Outcome, error) {
			return phone.Outcome{}, fleet.Drop(ctx, id, step.HangupCalls)
		}
	case spec.UpdatePhone:
		do = func(ctx context.Context) (phone.Outcome, error) { return fleet.Update(ctx, id, step.Update) }
	case spec.KillWorker:
		do = func(ctx context.Context) (phone.Outcome, error) { return phone.Outcome{}, fleet.Kill(ctx, id) }
	default:
		return nil
	}
	if fleet == nil {
		do = func(context.Context) (phone.Outcome, error) {
			return phone.Outcome{}, errors.New("scenarios cannot change the phones of this server")
		}
	}
	return func(ctx context.Context) Answer {
		return func() (phone.Outcome, error) { return do(ctx) }
	}
}

// changed names what update_phone changes; a password only by its name.
func changed(u phone.Update) map[string]any {
	data := map[string]any{}
	for name, v := range map[string]*bool{"auto_answer": u.AutoAnswer, "srtp": u.SRTP, "recording_enabled": u.RecordingEnabled, "capture_enabled": u.CaptureEnabled} {
		if v != nil {
			data[name] = *v
		}
	}
	if u.Codecs != nil {
		data["codecs"] = texts(*u.Codecs)
	}
	if u.Realm != nil {
		data["realm"] = *u.Realm
	}
	if u.Password != nil {
		data["password"] = u.Password.String()
	}
	return data
}

func texts(list []string) []any {
	all := make([]any, len(list))
	for i, text := range list {
		all[i] = text
	}
	return all
}
