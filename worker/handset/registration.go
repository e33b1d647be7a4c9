package handset

import (
	mathrand "math/rand/v2"

	"ringmaster/proto/phone"
	"ringmaster/worker/registration"
)

func (h *Handset) registrationConfig() registration.Config {
	return registration.Config{
		Loop: h.loop, UA: h.ua, Username: h.cfg.Username, Domain: h.cfg.Domain,
		NewToken: token, Random: mathrand.IntN,
		Report: func(event string, r phone.Registration) {
			h.logRegistration(event, r)
			h.emit(event, nil, map[string]any{
				"status_code": int64(r.StatusCode), "reason": r.Reason, "expires": int64(r.Expires),
			})
		},
	}
}

func (h *Handset) logRegistration(event string, r phone.Registration) {
	log := h.log.Debug
	if event == "reg.failed" {
		log = h.log.Warn
	}
	log("registration", "event", event, "status", r.StatusCode, "reason", r.Reason, "expires", r.Expires)
}
