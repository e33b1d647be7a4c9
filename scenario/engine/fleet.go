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
	switch step.(type) {
	case spec.AddPhone, spec.DropPhone, spec.UpdatePhone, spec.KillWorker:
	default:
		return nil
	}
	fleet := r.env.Fleet
	return func(ctx context.Context) Answer {
		return func() (phone.Outcome, error) {
			if fleet == nil {
				return phone.Outcome{}, errors.New("scenarios cannot change the phones of this server")
			}
			return doChange(ctx, fleet, id, step)
		}
	}
}

func doChange(ctx context.Context, fleet Fleet, id phone.ID, step spec.Step) (out phone.Outcome, err error) {
	switch step := step.(type) {
	case spec.AddPhone:
		var registration phone.Registration
		registration, err = fleet.Add(ctx, step.Settings)
		out.Registration = &registration
	case spec.DropPhone:
		err = fleet.Drop(ctx, id, step.HangupCalls)
	case spec.UpdatePhone:
		out, err = fleet.Update(ctx, id, step.Update)
	case spec.KillWorker:
		err = fleet.Kill(ctx, id)
	}
	return out, err
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
