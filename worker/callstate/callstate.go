// Package callstate decides how a call goes on: a pure function from where it
// stands and what happened to where it stands then and what is to be done.
//
//	outbound   NULL ─Dial─► CALLING ─1xx─► EARLY ─2xx─► CONNECTING ─ACK sent─► CONFIRMED ─BYE─► DISCONNECTED
//	inbound    NULL ─INVITE─► INCOMING ─180/183─► EARLY ─200─► CONNECTING ─ACK came─► CONFIRMED ─BYE─► DISCONNECTED
package callstate

import (
	"fmt"

	"ringmaster/proto/phone"
)

// Call is where a call stands. The zero value is a call not yet begun.
type Call struct {
	State   phone.State
	Inbound bool
	// Ending means that this phone wants it over, but may not say so yet:
	// CANCEL has been sent and its INVITE is not final, or BYE must wait
	// for the ACK (RFC 3261 §15).
	Ending bool
}

// Input is something that happened to a call.
type Input int

// The inputs, in five groups: the phone's user, then what arrives for a call
// that we began, for one that we received, for either, and failures.
const (
	Dial       Input = iota // the user calls
	Provision               // the user sends a 180 or 183
	Accept                  // the user answers with 200
	Refuse                  // the user refuses a waiting call
	Hangup                  // the user ends the call
	Progressed              // 101 to 199 came
	Accepted                // 2xx came
	AckSent                 // our ACK has left
	Declined                // 300 to 699 came, or nobody answered
	Invited                 // INVITE came
	Acked                   // ACK to our 2xx came
	Cancelled               // CANCEL came
	Byed                    // BYE came
	AckMissing              // no ACK to our 2xx within 64*T1 (RFC 3261 §13.3.1.4)
	Lost                    // the dialog is gone: 481, 408, or no way to send
)

var inputNames = [...]string{
	"Dial", "Provision", "Accept", "Refuse", "Hangup", "Progressed", "Accepted", "AckSent", "Declined",
	"Invited", "Acked", "Cancelled", "Byed", "AckMissing", "Lost",
}

func (i Input) String() string {
	if i < 0 || int(i) >= len(inputNames) {
		return fmt.Sprintf("Input(%d)", int(i))
	}
	return inputNames[i]
}

// Effect is something to do.
type Effect int

// The effects.
const (
	SendInvite Effect = iota
	SendProvisional
	SendAccept   // the 200
	SendRefusal  // the final answer that the user chose; 603 for a hangup
	SendCancel   // CANCEL of our INVITE
	SendAck      // ACK of a 2xx
	SendBye      // BYE
	SendCanceled // 487 to the INVITE that CANCEL or BYE ended (RFC 3261 §9.2, §15.1.2)
)

var effectNames = [...]string{
	"SendInvite", "SendProvisional", "SendAccept", "SendRefusal", "SendCancel", "SendAck", "SendBye", "SendCanceled",
}

func (e Effect) String() string {
	if e < 0 || int(e) >= len(effectNames) {
		return fmt.Sprintf("Effect(%d)", int(e))
	}
	return effectNames[e]
}

// Step is the whole of it. An error means that the input makes no sense where
// the call stands; the call is then unchanged. A late message of the network
// (a BYE that crossed ours) is no error: it changes nothing.
func Step(c Call, in Input) (Call, []Effect, error) {
	switch in {
	case Dial, Invited:
		return begin(c, in)
	case Provision, Accept, Refuse, Cancelled, Acked, AckMissing:
		return inbound(c, in)
	case Progressed, Accepted, AckSent, Declined:
		return outbound(c, in)
	case Hangup:
		return hangup(c)
	case Byed, Lost:
		return gone(c, in)
	}
	return c, nil, fmt.Errorf("callstate: no input %v", in)
}

func begin(c Call, in Input) (Call, []Effect, error) {
	if c.State != phone.StateNull {
		return c, nil, wrong(c, in)
	}
	if in == Dial {
		return to(c, phone.StateCalling), []Effect{SendInvite}, nil
	}
	c.Inbound = true
	return to(c, phone.StateIncoming), nil, nil
}

func inbound(c Call, in Input) (Call, []Effect, error) {
	waiting := c.Inbound && (c.State == phone.StateIncoming || c.State == phone.StateEarly)
	unacked := c.Inbound && c.State == phone.StateConnecting
	switch {
	case in == Provision && waiting:
		return to(c, phone.StateEarly), []Effect{SendProvisional}, nil
	case in == Accept && waiting:
		return to(c, phone.StateConnecting), []Effect{SendAccept}, nil
	case in == Refuse && waiting:
		return to(c, phone.StateDisconnected), []Effect{SendRefusal}, nil
	case in == Cancelled && waiting:
		return to(c, phone.StateDisconnected), []Effect{SendCanceled}, nil
	case in == Acked && unacked && c.Ending:
		return to(c, phone.StateDisconnected), []Effect{SendBye}, nil
	case in == Acked && unacked:
		return to(c, phone.StateConfirmed), nil, nil
	case in == AckMissing && unacked:
		return to(c, phone.StateDisconnected), []Effect{SendBye}, nil
	case in == Cancelled || in == Acked || in == AckMissing:
		return c, nil, nil // late or repeated
	}
	return c, nil, wrong(c, in)
}

func outbound(c Call, in Input) (Call, []Effect, error) {
	open := !c.Inbound && (c.State == phone.StateCalling || c.State == phone.StateEarly)
	unacked := !c.Inbound && c.State == phone.StateConnecting
	switch {
	case in == Progressed && open:
		return to(c, phone.StateEarly), nil, nil
	case in == Accepted && open:
		return to(c, phone.StateConnecting), []Effect{SendAck}, nil
	case in == Declined && open:
		return to(c, phone.StateDisconnected), nil, nil
	case in == AckSent && unacked && c.Ending:
		return to(c, phone.StateDisconnected), []Effect{SendBye}, nil
	case in == AckSent && unacked:
		return to(c, phone.StateConfirmed), nil, nil
	}
	return c, nil, nil // late or repeated
}

func hangup(c Call) (Call, []Effect, error) {
	switch c.State {
	case phone.StateCalling:
		return cancel(c)
	case phone.StateIncoming:
		return to(c, phone.StateDisconnected), []Effect{SendRefusal}, nil
	case phone.StateEarly:
		if c.Inbound {
			return to(c, phone.StateDisconnected), []Effect{SendRefusal}, nil
		}
		return cancel(c)
	case phone.StateConnecting:
		c.Ending = true // BYE follows the ACK
		return c, nil, nil
	case phone.StateConfirmed:
		return to(c, phone.StateDisconnected), []Effect{SendBye}, nil
	case phone.StateDisconnected:
		return c, nil, nil
	}
	return c, nil, wrong(c, Hangup)
}

func cancel(c Call) (Call, []Effect, error) {
	if c.Ending {
		return c, nil, nil
	}
	c.Ending = true
	return c, []Effect{SendCancel}, nil
}

func gone(c Call, in Input) (Call, []Effect, error) {
	switch c.State {
	case phone.StateNull:
		return c, nil, wrong(c, in)
	case phone.StateDisconnected:
		return c, nil, nil
	}
	var effects []Effect
	if in == Byed && c.Inbound && (c.State == phone.StateIncoming || c.State == phone.StateEarly) {
		effects = []Effect{SendCanceled} // BYE on an early dialog ends its INVITE too (RFC 3261 §15.1.2)
	}
	return to(c, phone.StateDisconnected), effects, nil
}

func to(c Call, s phone.State) Call {
	c.State = s
	if s == phone.StateDisconnected {
		c.Ending = false
	}
	return c
}

func wrong(c Call, in Input) error {
	who := "outbound"
	if c.Inbound {
		who = "inbound"
	}
	return fmt.Errorf("%v is not possible for an %s call that is %v", in, who, c.State)
}
