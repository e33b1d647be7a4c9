package spec

import (
	"regexp"
	"slices"
	"strings"
)

// EventPattern names event types: one ("dtmf.in"), a family ("call.state.*")
// or "*".
//
// "*" stands for what phones report and for user events. The run's own
// events – scenario.started, scenario.stopped, action.failed – must be named:
// a wait for "anything" is not over because the run began.
type EventPattern string

// EveryEvent is the pattern that names no type.
const EveryEvent EventPattern = "*"

// Matches says whether an event of this type is meant.
func (p EventPattern) Matches(eventType string) bool {
	if p == EveryEvent {
		return !strings.HasPrefix(eventType, "scenario.") && !strings.HasPrefix(eventType, "action.")
	}
	if family, ok := strings.CutSuffix(string(p), "*"); ok {
		return strings.HasPrefix(eventType, family)
	}
	return string(p) == eventType
}

// AnyMatches says whether one of the patterns matches.
func AnyMatches(patterns []EventPattern, eventType string) bool {
	return slices.ContainsFunc(patterns, func(p EventPattern) bool { return p.Matches(eventType) })
}

// IsTrace says whether events of this type come in masses and so are left out
// of a run unless somebody names them: sip.* and media.*.
func IsTrace(eventType string) bool {
	return strings.HasPrefix(eventType, "sip.") || strings.HasPrefix(eventType, "media.")
}

// NamesSIP says whether the pattern asks for sip.* events.
func (p EventPattern) NamesSIP() bool { return strings.HasPrefix(string(p), "sip.") }

// OfCall says whether an event of this type always belongs to a call that was
// there before. The beginning of a call does not: whoever waits for it waits
// for another call.
func OfCall(eventType string) bool {
	if eventType == "call.state.incoming" || eventType == "call.state.calling" {
		return false
	}
	for _, family := range []string{"call.", "dtmf.", "media.", "transfer."} {
		if strings.HasPrefix(eventType, family) {
			return true
		}
	}
	return false
}

// OfPhone says whether events of this type come from a phone, and not from the
// run itself.
func OfPhone(eventType string) bool {
	for _, family := range []string{"scenario.", "user.", "action."} {
		if strings.HasPrefix(eventType, family) {
			return false
		}
	}
	return true
}

// mayHavePhone says whether an event of the pattern can name a phone. User
// events and action.failed carry the phone of the hook that raised them.
func (p EventPattern) mayHavePhone() bool { return !strings.HasPrefix(string(p), "scenario.") }

// The types that have a fixed name; sip.request.<method>, sip.response.<code>
// and user.<name> are open.
var eventTypes = []string{
	"call.state.calling", "call.state.incoming", "call.state.early", "call.state.connecting", "call.state.confirmed",
	"call.state.disconnected", "dtmf.in", "dtmf.out", "reg.started", "reg.success", "reg.failed", "reg.unregistered",
	"im.received", "scenario.started", "scenario.stopped", "action.failed",
	"media.started", "media.stopped", "media.silence", "media.resumed", "media.play_ended", "media.error",
	"media.capture_started", "media.capture_stopped",
	"transfer.accepted", "transfer.progress", "transfer.succeeded", "transfer.failed",
	"phone.started", "phone.exited", "phone.restarted", "phone.failed", "phone.stopped",
}

var openTypes = regexp.MustCompile(`^(sip\.request\.(invite|ack|bye|cancel|options|register|message|refer|notify|subscribe|publish|info|prack|update)|sip\.response\.[1-6][0-9][0-9]|user\.` + userName + `)$`)

// userName is the form of <name> in user.<name>.
const userName = `[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}`

var families = []string{"sip.*", "sip.request.*", "sip.response.*", "user.*"}

func knownPattern(text string) bool {
	if text == string(EveryEvent) || slices.Contains(eventTypes, text) || openTypes.MatchString(text) {
		return true
	}
	family, ok := strings.CutSuffix(text, ".*")
	if !ok {
		return false
	}
	if slices.Contains(families, text) || strings.HasPrefix(text, "user.") {
		return true
	}
	return slices.ContainsFunc(eventTypes, func(t string) bool { return strings.HasPrefix(t, family+".") })
}

func (r *reader) events(n *Node, p Param) any {
	if len(n.asList()) == 0 {
		return r.wrong(n, p, "an event type or a list of them")
	}
	return each(n, func(item *Node) any {
		if item.Kind != String {
			return r.wrong(item, p, "an event type")
		}
		if !knownPattern(item.Text) {
			r.unknownEvent(item)
			return nil
		}
		return EventPattern(item.Text)
	}, EventPattern(""))
}

// unknownEvent reports a type that there is not, and the nearest; or else what
// there is of its kind, or which kinds there are.
func (r *reader) unknownEvent(n *Node) {
	lower := strings.ToLower(n.Text)
	if class := responseClass.FindStringSubmatch(lower); class != nil {
		r.fault(n, UnknownEvent, "unknown event type %q; write sip.response.* and match: {status_code: %q}", clip(n.Text), class[1])
		return
	}
	known := append(eventTypes[:len(eventTypes):len(eventTypes)], families...)
	if knownPattern(lower) { // the right word in capitals, such as sip.request.INVITE
		known = []string{lower}
	}
	if near := Nearest(n.Text, known); near != "" {
		r.unknown(n, UnknownEvent, "event type", n.Text, known)
		return
	}
	kind, _, _ := strings.Cut(lower, ".")
	alike := slices.DeleteFunc(slices.Clone(eventTypes), func(t string) bool { return !strings.HasPrefix(t, kind+".") })
	if len(alike) == 0 {
		alike = kinds()
	}
	r.unknown(n, UnknownEvent, "event type", n.Text, alike)
}

// kinds are the families of all types, by their first word.
func kinds() []string {
	all := []string{"sip.request.*", "sip.response.*", "user.*"}
	for _, t := range eventTypes {
		kind, _, _ := strings.Cut(t, ".")
		all = append(all, kind+".*")
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var responseClass = regexp.MustCompile(`^sip\.response\.([1-6]xx)$`)
