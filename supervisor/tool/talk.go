package tool

import (
	"context"

	"ringmaster/proto/phone"
)

// talkEntries are the tools that change who talks to whom in calls that are
// going on.
func talkEntries() []entry {
	act := Hints{Destructive: true, OpenWorld: true}
	again := Hints{Idempotent: true, OpenWorld: true}
	return []entry{
		define(entry{name: "hold", title: "Hold a call",
			description: "Put a call on hold: a re-INVITE with sendonly. Answers when the far end has.", hints: again}, hold),
		define(entry{name: "unhold", title: "Take a call off hold",
			description: "Take up a held call: a re-INVITE with sendrecv. Answers when the far end has.", hints: again}, unhold),
		define(entry{name: "blind_transfer", title: "Transfer a call",
			description: "Ask the far end of a call to call dest_uri instead (REFER). Answers when that is accepted or refused; transfer.* events tell the rest, and after its success this call ends.",
			hints:       act}, blindTransfer),
		define(entry{name: "attended_transfer", title: "Connect two calls",
			description: "Connect the far ends of two calls of this phone with each other (REFER with Replaces). Answers when that is accepted or refused; transfer.* events tell the rest.",
			hints:       act}, attendedTransfer),
		define(entry{name: "conference", title: "Hold a conference",
			description: "Let two or more calls of this phone hear each other, and the phone.", hints: again}, conference),
	}
}

type holdResult struct {
	CallID  phone.CallID `json:"call_id"`
	Already bool         `json:"already"`
}

func hold(ctx context.Context, c *call, a callArgument) (holdResult, error) {
	return c.held(ctx, a.CallID, phone.Hold{CallID: a.CallID})
}

func unhold(ctx context.Context, c *call, a callArgument) (holdResult, error) {
	return c.held(ctx, a.CallID, phone.Unhold{CallID: a.CallID})
}

func (c *call) held(ctx context.Context, id *phone.CallID, cmd phone.Command) (holdResult, error) {
	out, err := c.onCall(ctx, id, cmd)
	if err != nil {
		return holdResult{}, err
	}
	return holdResult{CallID: out.Call.CallID, Already: out.Call.Already}, nil
}

type blindArguments struct {
	DestURI string        `json:"dest_uri" doc:"whom the far end is to call: a SIP URI"`
	CallID  *phone.CallID `json:"call_id" min:"0" doc:"left out: the first active call"`
}

type blindResult struct {
	CallID     phone.CallID `json:"call_id"`
	TransferTo string       `json:"transfer_to"`
}

func blindTransfer(ctx context.Context, c *call, a blindArguments) (blindResult, error) {
	out, err := c.onCall(ctx, a.CallID, phone.BlindTransfer{CallID: a.CallID, DestURI: a.DestURI})
	if err != nil {
		return blindResult{}, err
	}
	return blindResult{CallID: out.Call.CallID, TransferTo: a.DestURI}, nil
}

type attendedArguments struct {
	CallID     *phone.CallID `json:"call_id" min:"0" doc:"the call whose far end is asked; left out, with dest_call_id: the first two active calls"`
	DestCallID *phone.CallID `json:"dest_call_id" min:"0" doc:"the call whose far end it is connected with"`
}

type attendedResult struct {
	CallID      phone.CallID `json:"call_id"`
	Transferred bool         `json:"transferred"`
}

func attendedTransfer(ctx context.Context, c *call, a attendedArguments) (attendedResult, error) {
	out, err := c.onCalls(ctx, phone.AttendedTransfer{CallID: a.CallID, DestCallID: a.DestCallID}, a.CallID, a.DestCallID)
	if err != nil {
		return attendedResult{}, err
	}
	if out.Call == nil {
		return attendedResult{}, phone.Errorf(phone.Internal, "phone %s did not say which call it transferred", c.phone)
	}
	return attendedResult{CallID: out.Call.CallID, Transferred: true}, nil
}

type conferenceArguments struct {
	CallIDs []phone.CallID `json:"call_ids" required:"true" doc:"two to eight confirmed calls of this phone"`
}

type conferenceResult struct {
	CallIDs      []phone.CallID `json:"call_ids"`
	Participants int            `json:"participants"` // the calls; the phone itself is not counted
}

func conference(ctx context.Context, c *call, a conferenceArguments) (conferenceResult, error) {
	named := make([]*phone.CallID, len(a.CallIDs))
	for i := range a.CallIDs {
		named[i] = &a.CallIDs[i]
	}
	out, err := c.onCalls(ctx, phone.Conference{CallIDs: a.CallIDs}, named...)
	if err != nil {
		return conferenceResult{}, err
	}
	return conferenceResult{CallIDs: a.CallIDs, Participants: out.Participants}, nil
}
