package fakeworker

import (
	"context"
	"strings"
	"time"

	"ringmaster/proto/phone"
)

// Do is phone.Phone's. It knows a few commands and refuses the others.
func (p *Phone) Do(ctx context.Context, cmd phone.Command) (phone.Outcome, error) {
	if err := p.ready(ctx); err != nil {
		return phone.Outcome{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.journal.Full() {
		return phone.Outcome{}, phone.Errorf(phone.Exhausted, "phone %q: too many events are unread", p.c.PhoneID)
	}
	o := phone.Outcome{Cursor: p.journal.Last()}
	err := p.perform(cmd, &o)
	if err != nil {
		return phone.Outcome{}, err
	}
	return o, nil
}

// Begin is phone.Phone's. A fake phone decides every matter at once.
func (p *Phone) Begin(ctx context.Context, cmd phone.Command) (phone.Pending, error) {
	o, err := p.Do(ctx, cmd)
	return func() (phone.Outcome, error) { return o, err }, nil
}

func (p *Phone) perform(cmd phone.Command, o *phone.Outcome) error {
	switch c := cmd.(type) {
	case phone.MakeCall:
		return p.makeCall(c, o)
	case phone.Hangup:
		return p.hangup(c, o)
	case phone.HangupAll:
		for _, call := range p.active() {
			p.end(call)
		}
	case phone.SendDTMF:
		if p.knobs.PanicOnDTMF {
			panic("the knob says so")
		}
		return p.onCall(c.CallID, o)
	case phone.GetCall:
		call, err := p.call(c.CallID)
		if err != nil {
			return err
		}
		o.Calls = []phone.CallInfo{*call}
	case phone.ListCalls:
		p.listCalls(o)
	case phone.Register:
		p.register()
		o.Registration = p.registrationCopy()
	case phone.Unregister:
		p.registration = phone.Registration{StatusCode: 200, Reason: "OK"}
		p.registrationEvent("reg.unregistered")
	case phone.GetRegistration:
		o.Registration = p.registrationCopy()
	case phone.UpdateSettings:
		p.update(c.Update, o)
	case phone.GrantCallIDs:
		p.blocks = append(p.blocks, c.Block)
	default:
		return phone.Errorf(phone.Precondition, "phone %q: a fake phone cannot do %T", p.c.PhoneID, cmd)
	}
	return nil
}

func (p *Phone) makeCall(c phone.MakeCall, o *phone.Outcome) error {
	if !strings.HasPrefix(c.DestURI, "sip:") {
		return phone.Errorf(phone.Invalid, "phone %q: %q is no SIP URI", p.c.PhoneID, c.DestURI)
	}
	block := &p.blocks[0]
	if block.Count == 0 {
		if len(p.blocks) == 1 {
			return phone.Errorf(phone.Exhausted, "phone %q has no call ids left", p.c.PhoneID)
		}
		p.blocks = p.blocks[1:]
		block = &p.blocks[0]
	}
	call := &phone.CallInfo{CallID: block.First, Direction: phone.Outbound, RemoteURI: c.DestURI, StartedAt: time.Now()}
	block.First, block.Count = block.First+1, block.Count-1
	p.calls = append(p.calls, call)
	p.enter(call, phone.StateCalling, 0, "")
	o.Call = &phone.CallOutcome{CallID: call.CallID, State: call.State}
	p.enter(call, phone.StateConfirmed, 200, "OK")
	return nil
}

func (p *Phone) hangup(c phone.Hangup, o *phone.Outcome) error {
	call, err := p.call(c.CallID)
	if err != nil {
		return err
	}
	already := call.State == phone.StateDisconnected
	if !already {
		p.end(call)
	}
	o.Call = &phone.CallOutcome{CallID: call.CallID, State: call.State, Already: already}
	return nil
}

func (p *Phone) onCall(id *phone.CallID, o *phone.Outcome) error {
	call, err := p.call(id)
	if err != nil {
		return err
	}
	o.Call = &phone.CallOutcome{CallID: call.CallID, State: call.State}
	return nil
}

func (p *Phone) update(u phone.Update, o *phone.Outcome) {
	o.Updated = &phone.Updated{Reregistered: u.Password != nil || u.Realm != nil || u.SRTP != nil}
	if o.Updated.Reregistered && p.c.Register {
		p.register()
	}
	o.Registration = p.registrationCopy()
}

func (p *Phone) register() {
	switch p.knobs.Registrar {
	case "silent":
		p.event("reg.started", nil, map[string]any{"status_code": int64(0), "reason": "", "expires": int64(0)})
	case "refuses":
		p.registration = phone.Registration{StatusCode: 403, Reason: "Forbidden"}
		p.registrationEvent("reg.failed")
	default:
		p.registration = phone.Registration{IsRegistered: true, StatusCode: 200, Reason: "OK", Expires: 300}
		p.registrationEvent("reg.success")
	}
}

func (p *Phone) registrationCopy() *phone.Registration {
	r := p.registration
	return &r
}
