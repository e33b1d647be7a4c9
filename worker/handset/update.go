package handset

import (
	"ringmaster/proto/phone"
	"ringmaster/worker/codec"
)

// update changes the running phone. Everything is checked before anything is
// changed.
func (h *Handset) update(u phone.Update, done reply) {
	if u.Codecs != nil {
		codecs, err := codec.Select(*u.Codecs)
		if err != nil {
			done(phone.Outcome{}, phone.Errorf(phone.Invalid, "%v", err))
			return
		}
		h.cfg.Codecs, h.codecs = *u.Codecs, codecs
	}
	set(&h.cfg.AutoAnswer, u.AutoAnswer)
	set(&h.cfg.CaptureFilter, u.CaptureFilter)
	h.captures.all.KeepOwn(h.cfg.CaptureFilter == phone.CapturePhone)
	updated := phone.Updated{AffectedCallIDs: []phone.CallID{}, CodecReinvitedIDs: []phone.CallID{}}
	if u.RecordingEnabled != nil {
		h.cfg.RecordingEnabled = *u.RecordingEnabled
		for _, c := range h.calls.active() {
			if c.SetRecording(*u.RecordingEnabled) {
				updated.AffectedCallIDs = append(updated.AffectedCallIDs, c.ID())
			}
		}
	}
	h.switchCapture(u.CaptureEnabled, func() {
		if u.Codecs != nil {
			h.reofferCodecs(&updated, func() { h.updateAccount(u, &updated, done) })
			return
		}
		h.updateAccount(u, &updated, done)
	})
}

// reofferCodecs re-INVITEs every confirmed call with the phone's codecs, then
// calls next. Other calls have them for what they still have to say.
func (h *Handset) reofferCodecs(updated *phone.Updated, next func()) {
	waiting := 1
	settled := func() {
		if waiting--; waiting == 0 {
			next()
		}
	}
	for _, c := range h.calls.active() {
		if c.State() != phone.StateConfirmed {
			c.UseCodecs(h.codecs, h.cfg.Codecs != nil)
			continue
		}
		waiting++
		c.SetCodecs(h.codecs, h.cfg.Codecs != nil, func(err error) {
			if err != nil {
				updated.CodecReinviteError = err.Error()
			} else {
				updated.CodecReinvitedIDs = append(updated.CodecReinvitedIDs, c.ID())
			}
			settled()
		})
	}
	settled()
}

// answerWaiting lets a phone that answers by itself take the calls that ring
// already: with the codecs and the recording that it then has.
func (h *Handset) answerWaiting(u phone.Update) {
	if !h.cfg.AutoAnswer || u.AutoAnswer == nil {
		return
	}
	for _, c := range h.calls.active() {
		h.autoAnswer(c, nil)
	}
}

// updateAccount takes over what concerns the registrar, and registers anew
// when that is needed.
func (h *Handset) updateAccount(u phone.Update, updated *phone.Updated, done reply) {
	h.answerWaiting(u)
	finish := func(r phone.Registration) {
		o := phone.Outcome{Updated: updated, Registration: &r}
		if k := h.captures.calls; k != nil && k.path != "" {
			o.Capture = k.info()
		}
		done(o, nil)
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
