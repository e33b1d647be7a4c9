package fakeworker

import (
	"fmt"
	"slices"
	"time"

	"ringmaster/proto/phone"
)

// call finds a call; nil means the first active one.
func (p *Phone) call(id *phone.CallID) (*phone.CallInfo, error) {
	if id == nil {
		if active := p.active(); len(active) > 0 {
			return active[0], nil
		}
		return nil, phone.Errorf(phone.NotFound, "phone %q has no active call", p.c.PhoneID)
	}
	for _, c := range p.calls {
		if c.CallID == *id {
			return c, nil
		}
	}
	return nil, phone.Errorf(phone.NotFound, "call %d not found", *id)
}

func (p *Phone) active() []*phone.CallInfo {
	var out []*phone.CallInfo
	for _, c := range p.calls {
		if c.State != phone.StateDisconnected {
			out = append(out, c)
		}
	}
	return out
}

func (p *Phone) listCalls(o *phone.Outcome) {
	for _, c := range p.active() {
		o.Calls = append(o.Calls, *c)
	}
	for _, c := range slices.Backward(p.calls) {
		if c.State == phone.StateDisconnected {
			o.Calls = append(o.Calls, *c)
		}
	}
}

// enter brings call to state s and journals it.
func (p *Phone) enter(call *phone.CallInfo, s phone.State, status int, text string) {
	call.State, call.LastStatus, call.LastStatusText = s, status, text
	if s == phone.StateConfirmed {
		call.AnsweredAt = time.Now()
		p.dialog(phone.Dialog{SIPCallID: fmt.Sprint("sip-", call.CallID), LocalTag: "fake", Confirmed: true})
	}
	p.event("call.state."+s.EventName(), &call.CallID, map[string]any{
		"state":            s.EventName(),
		"remote_uri":       call.RemoteURI,
		"last_status":      int64(status),
		"last_status_text": text,
		"direction":        string(call.Direction),
	})
}

// dialog journals a dialog, if the knob wants it.
func (p *Phone) dialog(d phone.Dialog) {
	if p.knobs.Dialogs {
		p.journal.Append(phone.Entry{Dialog: &d})
	}
}

func (p *Phone) end(call *phone.CallInfo) {
	p.dialog(phone.Dialog{SIPCallID: fmt.Sprint("sip-", call.CallID), LocalTag: "fake", Over: true})
	call.EndedAt = time.Now()
	p.enter(call, phone.StateDisconnected, 200, "OK")
	ended := *call
	p.journal.Append(phone.Entry{Ended: &ended})
}

func (p *Phone) registrationEvent(typ string) {
	p.event(typ, nil, map[string]any{
		"status_code": int64(p.registration.StatusCode),
		"reason":      p.registration.Reason,
		"expires":     int64(p.registration.Expires),
	})
}

func (p *Phone) event(typ string, call *phone.CallID, data map[string]any) {
	p.journal.Append(phone.Entry{Event: &phone.Event{Type: typ, PhoneID: p.c.PhoneID, CallID: call, Data: data}})
}
