package tool

import (
	"context"
	"encoding/json"
)

func actionEntries() []entry {
	return []entry{
		define(entry{name: "phone_action", title: "Do a phone's action",
			description: "Perform any action of any phone by name: phone_action(a, make_call, {dest_uri: …}) is a_make_call(dest_uri). For clients that do not refresh their list of tools.",
			hints:       Hints{Destructive: true, OpenWorld: true}}, phoneAction),
	}
}

type actionArguments struct {
	PhoneID   string          `json:"phone_id"`
	Action    string          `json:"action" doc:"make_call, answer_call, hangup, send_dtmf, get_call_info, …"`
	Arguments json.RawMessage `json:"arguments" doc:"what the action takes"`
}

// phoneAction answers what the phone's own tool answers.
func phoneAction(ctx context.Context, c *call, a actionArguments) (Answer, error) {
	e, err := c.set.action(a.Action)
	if err != nil {
		return Answer{}, err
	}
	return c.set.actOn(ctx, e, a.PhoneID, a.Arguments), nil
}
