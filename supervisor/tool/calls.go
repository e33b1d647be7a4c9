package tool

import (
	"context"
	"errors"

	"ringmaster/proto/phone"
)

func callEntries() []entry {
	act := Hints{Destructive: true, OpenWorld: true}
	read := Hints{ReadOnly: true, Idempotent: true}
	return []entry{
		define(entry{name: "make_call", title: "Make a call",
			description: "Call a SIP URI. Answers when the INVITE has left; wait_for_event (call.state.*, with the cursor of the answer as after) and get_call_info tell how it goes on.",
			hints:       Hints{OpenWorld: true}}, makeCall),
		define(entry{name: "answer_call", title: "Answer a call",
			description: "Answer a waiting call with 200, or let it ring with 180 or 183 (early media).",
			hints:       Hints{Idempotent: true, OpenWorld: true}}, answerCall),
		define(entry{name: "reject_call", title: "Reject a call",
			description: "Refuse a waiting call.", hints: act}, rejectCall),
		define(entry{name: "hangup", title: "Hang up",
			description: "End a call, whatever its state: BYE, CANCEL or a refusal. It answers when that has left; an INVITE without any answer cannot be cancelled yet, and after 2 s a warning says so.", hints: Hints{Destructive: true, Idempotent: true, OpenWorld: true}}, hangup),
		define(entry{name: "get_call_info", title: "Get a call",
			description: "Everything known of one call, active or ended: RTP statistics; what was heard from the far end and sent to it since the media came up " +
				"(ms heard, silent below -60 dBov, missing; level, peak; the frequency that was the strongest for most of the time); " +
				"the quality to be expected of what is received (E-model, ITU-T G.107). null: not known.", hints: read}, getCallInfo),
		define(entry{name: "get_call_history", title: "Get the call history",
			description: "The ended calls, oldest first, at most 100.", hints: read}, getCallHistory),
		define(entry{name: "list_calls", title: "List calls",
			description: "Active calls, then ended ones, the latest first.", hints: read}, listCalls),
		define(entry{name: "get_active_calls", title: "Get the active calls",
			description: "Everything known of each active call.", hints: read}, getActiveCalls),
	}
}

// mine checks that a call that the client named is one of this phone's.
func (c *call) mine(id *phone.CallID) error {
	if id == nil {
		return nil
	}
	if owner, known := c.set.o.Hub.Owner(*id); known {
		if owner != c.phone {
			return foreignCall(*id, owner, c.phone)
		}
		return nil
	}
	// The phone may have the call since a moment ago, its first event still on
	// the way; another phone's block holds no call that this one could have.
	if owner, granted := c.set.o.Phones.OwnerOf(*id); granted && owner == c.phone {
		return nil
	}
	return notFound(*id)
}

func foreignCall(id phone.CallID, owner, named phone.ID) error {
	return phone.Errorf(phone.Invalid, "call_id %d belongs to phone_id '%s', not '%s'", id, owner, named)
}

func notFound(id phone.CallID) error {
	return phone.Errorf(phone.NotFound, "call %d not found", id)
}

// onCall gives a command on the call that the client named, or on the one that
// the phone chooses.
func (c *call) onCall(ctx context.Context, id *phone.CallID, cmd phone.Command) (phone.Outcome, error) {
	out, err := c.onCalls(ctx, cmd, id)
	if id != nil && isKind(err, phone.NotFound) {
		return phone.Outcome{}, notFound(*id)
	}
	if err == nil && out.Call == nil && len(out.Calls) == 0 && out.Recording == nil {
		return phone.Outcome{}, phone.Errorf(phone.Internal, "phone %s did not say which call it acted on", c.phone)
	}
	return out, err
}

// onCalls gives a command on calls; nil is one that the phone chooses. What
// the phone no longer knows of, the hub may.
func (c *call) onCalls(ctx context.Context, cmd phone.Command, ids ...*phone.CallID) (phone.Outcome, error) {
	for _, id := range ids {
		if err := c.mine(id); err != nil {
			return phone.Outcome{}, err
		}
	}
	out, err := c.do(ctx, cmd)
	if isKind(err, phone.NotFound) {
		for _, id := range ids {
			if id == nil {
				continue
			}
			if info, ended := c.set.o.Hub.Ended(c.phone, *id); ended {
				return phone.Outcome{}, &endedError{info}
			}
		}
	}
	return out, err
}

// endedError is that of a command on a call that is over.
type endedError struct{ info phone.CallInfo }

func (e *endedError) Error() string {
	return phone.Errorf(phone.Precondition, "call %d has ended", e.info.CallID).Error()
}

type makeCallArguments struct {
	DestURI string            `json:"dest_uri" doc:"a SIP URI: sip:6002@pbx.example"`
	Headers map[string]string `json:"headers" doc:"headers added to the INVITE"`
}

type callState struct {
	CallID phone.CallID `json:"call_id"`
	State  string       `json:"state"`
}

func makeCall(ctx context.Context, c *call, a makeCallArguments) (callState, error) {
	out, err := c.onCall(ctx, nil, phone.MakeCall{DestURI: a.DestURI, Headers: a.Headers})
	if err != nil {
		return callState{}, err
	}
	return callState{CallID: out.Call.CallID, State: out.Call.State.String()}, nil
}

type answerArguments struct {
	CallID     *phone.CallID `json:"call_id" min:"0" doc:"left out: the oldest waiting call"`
	StatusCode int           `json:"status_code" default:"200" enum:"180,183,200"`
}

type answerResult struct {
	callState
	Already bool `json:"already"`
}

func answerCall(ctx context.Context, c *call, a answerArguments) (answerResult, error) {
	out, err := c.onCall(ctx, a.CallID, phone.Answer{CallID: a.CallID, Status: a.StatusCode})
	if err != nil {
		return answerResult{}, err
	}
	return answerResult{callState: callState{out.Call.CallID, out.Call.State.String()}, Already: out.Call.Already}, nil
}

type rejectArguments struct {
	CallID     *phone.CallID `json:"call_id" min:"0" doc:"left out: the oldest waiting call"`
	StatusCode int           `json:"status_code" default:"486" min:"300" max:"699"`
}

type rejectResult struct {
	CallID     phone.CallID `json:"call_id"`
	StatusCode int          `json:"status_code"`
}

func rejectCall(ctx context.Context, c *call, a rejectArguments) (rejectResult, error) {
	out, err := c.onCall(ctx, a.CallID, phone.Reject{CallID: a.CallID, Status: a.StatusCode})
	if err != nil {
		return rejectResult{}, err
	}
	return rejectResult{CallID: out.Call.CallID, StatusCode: out.Call.Status}, nil
}

// callArgument names a call of the phone.
type callArgument struct {
	CallID *phone.CallID `json:"call_id" min:"0" doc:"left out: the first active call"`
}

type hangupResult struct {
	CallID  phone.CallID `json:"call_id"`
	State   string       `json:"state"`
	Already bool         `json:"already"`
	Warning string       `json:"warning,omitempty"`
}

// notYetCancelled is what a hangup says of an INVITE that nobody has answered.
const notYetCancelled = "the far end has not answered the INVITE at all yet, and before it does no CANCEL may leave (RFC 3261 §9.1): it leaves with the first answer; without one the call ends 32 s after the INVITE"

// notYetAcknowledged is what a hangup says of a call whose answer was not
// acknowledged.
const notYetAcknowledged = "the far end has not acknowledged the answer yet, and before it does no BYE may leave (RFC 3261 §15): it leaves with the ACK; without one 32 s after the answer"

func hangup(ctx context.Context, c *call, a callArgument) (hangupResult, error) {
	out, err := c.onCall(ctx, a.CallID, phone.Hangup{CallID: a.CallID})
	var ended *endedError
	if errors.As(err, &ended) {
		return hangupResult{CallID: ended.info.CallID, State: phone.StateDisconnected.String(), Already: true}, nil
	}
	if err != nil {
		return hangupResult{}, err
	}
	result := hangupResult{CallID: out.Call.CallID, State: out.Call.State.String(), Already: out.Call.Already}
	switch {
	case !out.Call.Pending:
	case out.Call.State == phone.StateConnecting:
		result.Warning = notYetAcknowledged
	default:
		result.Warning = notYetCancelled
	}
	return result, nil
}
