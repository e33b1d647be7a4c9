package engine

import (
	"slices"

	"ringmaster/proto/phone"
)

// calls is what a run knows of the calls that began while it ran.
type calls struct {
	began map[phone.ID][]phone.CallID
	ended map[phone.CallID]bool
	made  []madeCall // by the run itself
}

type madeCall struct {
	phone phone.ID
	call  phone.CallID
}

func newCalls() calls {
	return calls{began: map[phone.ID][]phone.CallID{}, ended: map[phone.CallID]bool{}}
}

func (c *calls) follow(e phone.Event) {
	if e.CallID == nil {
		return
	}
	switch e.Type {
	case "call.state.calling", "call.state.incoming":
		c.begin(e.PhoneID, *e.CallID)
	case "call.state.disconnected":
		c.ended[*e.CallID] = true
	}
}

func (c *calls) begin(id phone.ID, call phone.CallID) {
	if !slices.Contains(c.began[id], call) {
		c.began[id] = append(c.began[id], call)
	}
}

func (c *calls) make(id phone.ID, call phone.CallID) {
	c.made = append(c.made, madeCall{id, call})
	c.begin(id, call)
}

// open gives the calls that the run made and that are not known to be over.
func (c *calls) open() []madeCall {
	return slices.DeleteFunc(slices.Clone(c.made), func(m madeCall) bool { return c.ended[m.call] })
}

// endedOf gives the calls of one phone that are over.
func (c *calls) endedOf(id phone.ID) []phone.CallID {
	return slices.DeleteFunc(slices.Clone(c.began[id]), func(call phone.CallID) bool { return !c.ended[call] })
}
