package spec

import (
	"regexp"
	"slices"
	"strings"
)

// What the data of events holds, for the events whose data is always the same.
// A fact that asks for another field would hold for nothing, and so a never
// would always hold: it is refused. Hooks and stops are not held to this.
var (
	callData = []string{
		"state", "remote_uri", "last_status", "last_status_text", "direction", "sip_call_id", "local_tag", "codec", "remote_contact",
		"local_contact", "recording_file", "local_rtp_port", "remote_rtp_port", "capture_file",
	}
	endData = []string{
		"state", "remote_uri", "last_status", "last_status_text", "direction", "sip_call_id", "local_tag", "codec", "remote_contact",
		"local_contact", "recording_file", "local_rtp_port", "remote_rtp_port", "capture_file", "reason", "heard", "sent", "quality",
		"heard.heard_ms", "heard.silent_ms", "heard.missing_ms", "heard.level_dbov", "heard.peak_dbov", "heard.tone_hz", "heard.tone_part",
		"sent.heard_ms", "sent.silent_ms", "sent.missing_ms", "sent.level_dbov", "sent.peak_dbov", "sent.tone_hz", "sent.tone_part",
		"quality.mos", "quality.r_factor", "quality.loss_percent", "quality.jitter_ms",
	}

	eventData = map[string][]string{
		"call.state.calling": callData, "call.state.incoming": callData, "call.state.early": callData,
		"call.state.connecting": callData, "call.state.confirmed": callData, "call.state.disconnected": endData,
		"dtmf.in": {"digit", "method"}, "dtmf.out": {"digits", "method"},
		"reg.started": regData, "reg.success": append(regData[:3:3], "synthetic"), "reg.failed": regData, "reg.unregistered": regData,
		"im.received":       {"from", "to", "body", "content_type"},
		"transfer.accepted": append(transferData[:3:3], "new_call_id"), "transfer.progress": transferData,
		"transfer.succeeded": transferData, "transfer.failed": transferData,
	}
	regData      = []string{"status_code", "reason", "expires"}
	transferData = []string{"status", "reason", "transfer_to"}
	ofEvents     = []string{"phone_id", "call_id", "type"}
)

// fieldsOf gives the fields that events of the patterns can have; false when
// that is not known, as of sip.* and user.*.
func fieldsOf(patterns []EventPattern) ([]string, bool) {
	known := ofEvents
	for _, p := range patterns {
		if p == EveryEvent {
			return nil, false
		}
		meant := false
		for _, eventType := range eventTypes {
			if !p.Matches(eventType) {
				continue
			}
			fields, ok := eventData[eventType]
			if !ok {
				return nil, false
			}
			known, meant = append(known[:len(known):len(known)], fields...), true
		}
		if !meant {
			return nil, false
		}
	}
	return known, len(patterns) > 0
}

// statusForm is what a status can be written as.
var statusForm = regexp.MustCompile(`^([0-9]{1,3}|[1-6][xX]{2}|~.*)$`)

// checkMatch refuses conditions of a fact that no event can fulfil.
func (r *reader) checkMatch(n *Node, patterns []EventPattern) {
	known, ok := fieldsOf(patterns)
	for _, f := range n.Fields {
		if ok && !slices.Contains(known, f.Name) {
			r.unknown(f.Key, UnknownKey, "field of "+patternWords(patterns), f.Name, known)
		}
		if f.Name == "last_status" || f.Name == "status" || f.Name == "status_code" {
			r.checkStatus(f.Value, f.Name)
		}
	}
}

func (r *reader) checkStatus(n *Node, name string) {
	for _, item := range n.asList() {
		if item.Kind == String && !item.refers() && !statusForm.MatchString(item.Text) {
			r.fault(item, BadValue, `%s takes a status such as 486, a class 1xx to 6xx, "~regexp", or a list of them, not %q`, name, clip(item.Text))
		}
	}
}

func patternWords(patterns []EventPattern) string {
	words := make([]string, len(patterns))
	for i, p := range patterns {
		words[i] = string(p)
	}
	return strings.Join(words, ", ")
}
