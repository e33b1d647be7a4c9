package console

import (
	"maps"
	"slices"
	"strings"
	"time"

	"ringmaster/proto/phone"
)

// field is one named value. Its name is the contract's.
type field struct {
	name  string
	value any
}

// answer is what a command that succeeded says.
type answer struct {
	fields []field
	listed string // what items are; "" when there is no list
	items  [][]field
	last   bool // the console ends
}

// outcome tells what the phone answered.
func outcome(o phone.Outcome) answer {
	a := answer{}
	if c := o.Call; c != nil {
		a.fields = append(a.fields, field{"call_id", c.CallID}, field{"state", c.State.String()})
		a.some("already", c.Already, c.Already)
		a.some("status_code", c.Status, c.Status != 0)
		a.some("playing_file", c.Playing, c.Playing != "")
		a.some("digits", c.Digits, c.Digits != "")
	}
	a.some("participants", o.Participants, o.Participants > 0)
	if r := o.Registration; r != nil {
		a.fields = append(a.fields, field{"is_registered", r.IsRegistered}, field{"status_code", r.StatusCode},
			field{"reason", r.Reason}, field{"expires", r.Expires})
	}
	if r := o.Recording; r != nil {
		a.fields = append(a.fields, field{"call_id", r.CallID}, field{"recording_enabled", r.Enabled},
			field{"recording_file", r.Path}, field{"meta_path", r.MetaPath}, field{"file_size", r.Size})
	}
	if u := o.Updated; u != nil {
		a.fields = append(a.fields, field{"reregistered", u.Reregistered},
			field{"affected_call_ids", u.AffectedCallIDs}, field{"codec_reinvited_call_ids", u.CodecReinvitedIDs})
		a.some("warning", u.CodecReinviteError, u.CodecReinviteError != "")
	}
	if o.Calls != nil {
		a.listed = "calls"
		for _, c := range o.Calls {
			a.items = append(a.items, known(c))
		}
	}
	return a
}

func (a *answer) some(name string, value any, when bool) {
	if when {
		a.fields = append(a.fields, field{name, value})
	}
}

// known is what is known of a call.
func known(c phone.CallInfo) []field {
	fields := []field{
		{"call_id", c.CallID}, {"state", c.State.String()}, {"direction", string(c.Direction)}, {"remote_uri", c.RemoteURI},
		{"codec", c.Codec}, {"duration", int64(c.Duration / time.Second)},
		{"last_status", c.LastStatus}, {"last_status_text", c.LastStatusText},
		{"recording_file", c.RecordingFile}, {"playing_file", c.PlayingFile}, {"sip_call_id", c.SIPCallID},
		{"tx_packets", c.RTP.TxPackets}, {"rx_packets", c.RTP.RxPackets}, {"rx_loss", c.RTP.RxLoss}, {"rx_jitter_usec", c.RTP.RxJitterUsec},
	}
	return fields
}

// happened is what a line of text says of an event: of a call's states what
// changes, of the rest everything, in a fixed order.
func happened(e *phone.Event) []field {
	var fields []field
	if e.CallID != nil {
		fields = append(fields, field{"call_id", *e.CallID})
	}
	names := slices.Sorted(maps.Keys(e.Data))
	if strings.HasPrefix(e.Type, "call.state.") {
		names = []string{"direction", "remote_uri", "last_status", "last_status_text", "codec"}
		if e.Type == "call.state.disconnected" {
			names = append(names, "reason", "recording_file")
		}
	}
	for _, name := range names {
		if value, there := e.Data[name]; there && value != int64(0) {
			fields = append(fields, field{name, value})
		}
	}
	return fields
}
