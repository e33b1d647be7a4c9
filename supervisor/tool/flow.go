package tool

import (
	"context"
	"fmt"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/diagnose"
)

func flowEntries() []entry {
	return []entry{
		define(entry{name: "get_call_flow", title: "Draw a call",
			description: "The SIP messages of one call as a ladder, across all phones that took part and those they spoke with, with the times between them and retransmissions marked.",
			hints:       Hints{ReadOnly: true, Idempotent: true}}, getCallFlow),
	}
}

const (
	pageWidth = 98  // columns of a ladder
	flowBound = 250 // messages in it
)

type flowArguments struct {
	PhoneID *string       `json:"phone_id" doc:"left out: any phone"`
	CallID  *phone.CallID `json:"call_id" min:"0" doc:"left out: the newest call"`
	Format  string        `json:"format" default:"text" enum:"text"`
}

type flowResult struct {
	PhoneID      *phone.ID     `json:"phone_id"`
	CallID       *phone.CallID `json:"call_id"`
	SIPCallID    string        `json:"sip_call_id"`
	Format       string        `json:"format"`
	Flow         string        `json:"flow"`
	MessageCount int           `json:"message_count"`
	Truncated    string        `json:"truncated,omitempty"`
}

func getCallFlow(ctx context.Context, c *call, a flowArguments) (flowResult, error) {
	log := sipLogArguments{PhoneID: a.PhoneID, CallID: a.CallID}
	if a.CallID == nil {
		method := "INVITE"
		log.Method = &method
	}
	found, err := c.record(ctx, log)
	if err != nil {
		return flowResult{}, err
	}
	if found.warning != "" {
		return flowResult{}, phone.Errorf(phone.NotFound, "%s", found.warning)
	}
	if len(found.messages) == 0 {
		return flowResult{}, phone.Errorf(phone.NotFound, "no SIP message of a call is on record: make a call first")
	}
	newest := found.messages[len(found.messages)-1]
	c.set.catchUp(ctx, "") // the other phones' part too
	messages := c.set.messages("", diagnose.Filter{CallID: newest.Header("Call-ID")})
	result := flowResult{
		PhoneID: orNull(found.phone), CallID: a.CallID, SIPCallID: clean(newest.Header("Call-ID"), nameBound), Format: a.Format,
	}
	if more := len(messages) - flowBound; more > 0 {
		messages = messages[more:]
		result.Truncated = fmt.Sprintf("%d older messages are missing, to keep the answer short: ask get_call_messages with call_id", more)
	}
	result.Flow, result.MessageCount = diagnose.ReadFlow(messages, c.set.o.Peers).Ladder(pageWidth), len(messages)
	return result, nil
}
