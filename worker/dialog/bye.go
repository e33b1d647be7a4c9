package dialog

import "github.com/emiago/sipgo/sip"

// Bye ends a confirmed dialog. left is called once: when the BYE has left the
// socket, or with the reason why it could not.
func (s *Session) Bye(left func(error)) {
	if s.ended {
		left(nil)
		return
	}
	s.ended = true
	told := false
	tell := func(err error) {
		if !told {
			told = true
			left(err)
		}
	}
	s.send(requestParams{
		method: sip.BYE,
		sent:   func() { tell(nil) },
		// Whatever the answer, the dialog is over (RFC 3261 §15.1.1).
		final:  func(*sip.Response) { s.end() },
		failed: func(err error) { tell(err); s.end() },
	})
}

// byed answers the far end's BYE; the observer answers what else is open.
func (s *Session) byed() {
	if !s.ended {
		s.observer.Byed()
	}
	s.end()
}

// Abandon ends the session without a word to the far end; the observer hears
// nothing more.
func (s *Session) Abandon() { s.end() }

// end stops the session's timers and forgets it.
func (s *Session) end() {
	s.ended = true
	if s.incoming != nil {
		s.incoming.stop()
	}
	s.e.remove(s)
	s.keepOver()
	if s.onEnd != nil {
		s.e.cfg.Loop.Defer(s.onEnd)
		s.onEnd = nil
	}
	waiting := s.reoffers
	s.reoffers = nil
	for _, r := range waiting {
		r.Done(errOver)
	}
}
