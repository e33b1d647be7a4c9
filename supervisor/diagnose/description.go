package diagnose

import (
	"mime"

	"ringmaster/proto/sdp"
)

// Description is the session description that a message carries.
func (m Message) Description() (sdp.Session, bool) {
	kind, _, err := mime.ParseMediaType(m.Header("Content-Type"))
	if err != nil || kind != "application/sdp" || len(m.Body) == 0 {
		return sdp.Session{}, false
	}
	s, err := sdp.Parse(m.Body)
	return s, err == nil
}
