package handset

import (
	"ringmaster/proto/phone"
	"ringmaster/worker/codec"
)

// update changes the running phone. Everything is checked before anything is
// changed.
func (h *Handset) update(u phone.Update, done reply) {
	codecs := h.codecs
	if u.Codecs != nil {
		var err error
		if codecs, err = codec.Select(*u.Codecs); err != nil {
			done(phone.Outcome{}, phone.Errorf(phone.Invalid, "%v", err))
			return
		}
		h.cfg.Codecs, h.codecs = *u.Codecs, codecs
	}
	set(&h.cfg.AutoAnswer, u.AutoAnswer)
	set(&h.cfg.CaptureEnabled, u.CaptureEnabled)
	updated := phone.Updated{AffectedCallIDs: []phone.CallID{}, CodecReinvitedIDs: []phone.CallID{}}
	if u.RecordingEnabled != nil {
		h.cfg.RecordingEnabled = *u.RecordingEnabled
		for _, c := range h.calls.active() {
			if c.SetRecording(*u.RecordingEnabled) {
				updated.AffectedCallIDs = append(updated.AffectedCallIDs, c.ID())
			}
		}
	}
	finish := func(r phone.Registration) {
		done(phone.Outcome{Updated: &updated, Registration: &r}, nil)
	}
	if u.Password == nil && u.Realm == nil && u.SRTP == nil {
		finish(h.reg.Status())
		return
	}
	set(&h.cfg.Password, u.Password)
	set(&h.cfg.Realm, u.Realm)
	set(&h.cfg.SRTP, u.SRTP)
	h.ua.SetCredentials(h.credentials())
	if !h.cfg.Register {
		finish(h.reg.Status())
		return
	}
	updated.Reregistered = true
	h.reg.Register(finish)
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}
