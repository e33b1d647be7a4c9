package explain

import (
	"strings"

	"ringmaster/supervisor/diagnose"
)

// digitRules look at telephone digits.
func digitRules() []Rule {
	return []Rule{
		{"no_telephone_event", Warning, "telephone-event in the descriptions", "Digits cannot travel as telephone-event (RFC 4733): %s does not offer it.", "switch RFC 4733 on at that end; this phone sends digits by INFO instead, which not everybody takes", noTelephoneEvent},
		{"digits_refused", Warning, "answers to INFO", "A digit that was sent by INFO was refused with %d.", "the far end takes no digits by INFO: switch RFC 4733 (telephone-event) on there", digitsRefused},
		{"digits_by_info", Warning, "the way of digits that came in", "The far end sends digits by INFO although telephone-event was agreed on.", "set the DTMF mode of the far end to RFC 4733", digitsByInfo},
	}
}

func noTelephoneEvent(r *record) *match {
	a, ok := r.current()
	if !ok || !r.answered() || !a.live() {
		return nil
	}
	switch {
	case !hasEvents(a.remote):
		return matched(message(a.theirs)).says("the far end")
	case !hasEvents(a.local):
		return matched(message(a.ours)).says("this phone")
	}
	return nil
}

// digit says that an INFO carries one.
func digit(m diagnose.Message) bool {
	return strings.Contains(strings.ToLower(m.Header("Content-Type")), "dtmf")
}

func digitsRefused(r *record) *match {
	for _, x := range r.find("INFO") {
		if m := x.final(); x.ours && x.request != nil && digit(*x.request) && m != nil && m.Status >= 300 {
			return matched(message(*x.request), message(*m)).says(m.Status)
		}
	}
	return nil
}

func digitsByInfo(r *record) *match {
	a, ok := r.current()
	if !ok || !hasEvents(a.local) || !hasEvents(a.remote) {
		return nil
	}
	for _, x := range r.find("INFO") {
		if !x.ours && x.request != nil && digit(*x.request) {
			return matched(message(*x.request), message(a.theirs))
		}
	}
	return nil
}
