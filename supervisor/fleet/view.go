package fleet

import (
	"maps"
	"slices"
	"strings"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/shelf"
)

// view is what the events of one worker tell about its phone.
type view struct {
	registration    phone.Registration
	registrationSeq uint64                          // of the event that told of it; 0 when none did
	calls           map[phone.CallID]shelf.DeadCall // those that are not over, ready for the worker's death
}

// apply takes in the event of number seq. registered reports that a REGISTER is
// final.
func (v *view) apply(seq uint64, e *phone.Event) (registered bool) {
	switch {
	case strings.HasPrefix(e.Type, "reg."):
		return v.applyRegistration(seq, e)
	case strings.HasPrefix(e.Type, "call.state.") && e.CallID != nil:
		v.applyCall(e)
	}
	return false
}

func (v *view) applyRegistration(seq uint64, e *phone.Event) bool {
	if e.Type == "reg.started" {
		return false
	}
	v.registrationSeq = seq
	v.registration = phone.Registration{
		IsRegistered: e.Type == "reg.success",
		StatusCode:   number(e.Data["status_code"]),
		Reason:       word(e.Data["reason"]),
		Expires:      number(e.Data["expires"]),
	}
	return e.Type != "reg.unregistered"
}

func (v *view) applyCall(e *phone.Event) {
	state, err := phone.ParseState(strings.ToUpper(strings.TrimPrefix(e.Type, "call.state.")))
	if err != nil {
		return
	}
	if state == phone.StateDisconnected {
		delete(v.calls, *e.CallID)
		return
	}
	call, known := v.calls[*e.CallID]
	if !known {
		call.CallID, call.StartedAt = *e.CallID, e.Time
	}
	if state == phone.StateConfirmed && call.AnsweredAt.IsZero() {
		call.AnsweredAt = e.Time
	}
	call.State = state
	call.Direction = phone.Direction(word(e.Data["direction"]))
	call.RemoteURI = word(e.Data["remote_uri"])
	call.LastStatus = number(e.Data["last_status"])
	call.LastStatusText = word(e.Data["last_status_text"])
	call.SIPCallID = word(e.Data["sip_call_id"])
	call.Codec = word(e.Data["codec"])
	call.RemoteContact = word(e.Data["remote_contact"])
	call.LocalContact = word(e.Data["local_contact"])
	call.RecordingFile = word(e.Data["recording_file"])
	call.PCAP = word(e.Data["capture_file"])
	call.LocalRTPPort, call.RemoteRTPPort = number(e.Data["local_rtp_port"]), number(e.Data["remote_rtp_port"])
	if v.calls == nil {
		v.calls = map[phone.CallID]shelf.DeadCall{}
	}
	v.calls[*e.CallID] = call
}

// workerExited is what the calls of a dead worker end with.
const workerExited = "worker exited"

// burial ends every call at the death of its worker. It returns the entries
// that say so, oldest call first: the event, then the call's last state of
// knowledge.
func (v *view) burial(id phone.ID, now time.Time) []phone.Entry {
	var out []phone.Entry
	for _, callID := range slices.Sorted(maps.Keys(v.calls)) {
		call := v.calls[callID]
		call.State = phone.StateDisconnected
		call.LastStatusText = workerExited
		call.EndedAt = now
		if !call.AnsweredAt.IsZero() {
			call.Duration = now.Sub(call.AnsweredAt)
		}
		v.calls[callID] = call
		out = append(out, phone.Entry{Event: &phone.Event{
			Type: "call.state.disconnected", PhoneID: id, CallID: &callID, Time: now,
			Data: map[string]any{
				"state":            phone.StateDisconnected.EventName(),
				"remote_uri":       call.RemoteURI,
				"last_status":      int64(call.LastStatus),
				"last_status_text": workerExited,
				"direction":        string(call.Direction),
				"sip_call_id":      call.SIPCallID,
				"codec":            call.Codec,
				"remote_contact":   call.RemoteContact,
				"local_contact":    call.LocalContact,
				"recording_file":   call.RecordingFile,
				"capture_file":     call.PCAP,
				"local_rtp_port":   int64(call.LocalRTPPort),
				"remote_rtp_port":  int64(call.RemoteRTPPort),
				"heard":            nil, // with the rest of the media, gone
				"sent":             nil,
				"quality":          nil,
				"reason":           workerExited,
			},
		}}, phone.Entry{Ended: &call.CallInfo})
	}
	return out
}

func number(v any) int {
	switch v := v.(type) {
	case int64:
		return int(v)
	case float64:
		return int(v)
	default:
		return 0
	}
}

func word(v any) string {
	s, _ := v.(string)
	return s
}
