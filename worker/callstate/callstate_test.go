package callstate

import (
	"slices"
	"strings"
	"testing"

	"ringmaster/proto/phone"
)

// places are all the places where a call can stand.
var places = map[string]Call{
	"null":            {},
	"calling":         {State: phone.StateCalling},
	"calling-ending":  {State: phone.StateCalling, Ending: true},
	"early-out":       {State: phone.StateEarly},
	"early-ending":    {State: phone.StateEarly, Ending: true},
	"connecting-out":  {State: phone.StateConnecting},
	"conn-out-ending": {State: phone.StateConnecting, Ending: true},
	"confirmed-out":   {State: phone.StateConfirmed},
	"over-out":        {State: phone.StateDisconnected},
	"incoming":        {State: phone.StateIncoming, Inbound: true},
	"early-in":        {State: phone.StateEarly, Inbound: true},
	"connecting-in":   {State: phone.StateConnecting, Inbound: true},
	"conn-in-ending":  {State: phone.StateConnecting, Inbound: true, Ending: true},
	"confirmed-in":    {State: phone.StateConfirmed, Inbound: true},
	"over-in":         {State: phone.StateDisconnected, Inbound: true},
}

// edges lists, for every place, each input that does something: the place it
// leads to and the effects. An input not listed changes nothing; those of
// refused are errors besides.
var edges = map[string]map[Input]string{
	"null":            {Dial: "calling SendInvite", Invited: "incoming"},
	"calling":         {Progressed: "early-out", Accepted: "connecting-out SendAck", Declined: "over-out", Hangup: "calling-ending SendCancel", Byed: "over-out", Lost: "over-out"},
	"calling-ending":  {Progressed: "early-ending", Accepted: "conn-out-ending SendAck", Declined: "over-out", Byed: "over-out", Lost: "over-out"},
	"early-out":       {Accepted: "connecting-out SendAck", Declined: "over-out", Hangup: "early-ending SendCancel", Byed: "over-out", Lost: "over-out"},
	"early-ending":    {Accepted: "conn-out-ending SendAck", Declined: "over-out", Byed: "over-out", Lost: "over-out"},
	"connecting-out":  {AckSent: "confirmed-out", Hangup: "conn-out-ending", Byed: "over-out", Lost: "over-out"},
	"conn-out-ending": {AckSent: "over-out SendBye", Byed: "over-out", Lost: "over-out"},
	"confirmed-out":   {Hangup: "over-out SendBye", Byed: "over-out", Lost: "over-out"},
	"over-out":        {},
	"incoming":        {Provision: "early-in SendProvisional", Accept: "connecting-in SendAccept", Refuse: "over-in SendRefusal", Hangup: "over-in SendRefusal", Cancelled: "over-in SendCanceled", Byed: "over-in SendCanceled", Lost: "over-in"},
	"early-in":        {Provision: "early-in SendProvisional", Accept: "connecting-in SendAccept", Refuse: "over-in SendRefusal", Hangup: "over-in SendRefusal", Cancelled: "over-in SendCanceled", Byed: "over-in SendCanceled", Lost: "over-in"},
	"connecting-in":   {Acked: "confirmed-in", Hangup: "conn-in-ending", AckMissing: "over-in SendBye", Byed: "over-in", Lost: "over-in"},
	"conn-in-ending":  {Acked: "over-in SendBye", AckMissing: "over-in SendBye", Byed: "over-in", Lost: "over-in"},
	"confirmed-in":    {Hangup: "over-in SendBye", Byed: "over-in", Lost: "over-in"},
	"over-in":         {},
}

// refused says which inputs are errors in a place where they do nothing: what
// a user asks for at the wrong time, and a second beginning.
func refused(place string, in Input) bool {
	switch in {
	case Dial, Invited, Provision, Accept, Refuse:
		return true
	case Hangup, Byed, Lost:
		return place == "null"
	}
	return false
}

func TestEveryPlaceAndInput(t *testing.T) {
	for place, call := range places {
		for in := Dial; in <= Lost; in++ {
			got, effects, err := Step(call, in)
			want, listed := edges[place][in]
			if !listed {
				if got != call || len(effects) > 0 || (err != nil) != refused(place, in) {
					t.Errorf("%s, %v: became %+v with %v, error %v; want it unchanged", place, in, got, effects, err)
				}
				continue
			}
			name, wantEffects, _ := strings.Cut(want, " ")
			var names []string
			for _, e := range effects {
				names = append(names, e.String())
			}
			if err != nil || got != places[name] || !slices.Equal(names, strings.Fields(wantEffects)) {
				t.Errorf("%s, %v: became %+v with %v, error %v; want %s", place, in, got, names, err, want)
			}
		}
	}
}

func TestNamesCoverEveryValue(t *testing.T) {
	for in := Dial; in <= Lost; in++ {
		if strings.Contains(in.String(), "(") {
			t.Errorf("input %d has no name", int(in))
		}
	}
	for e := SendInvite; e <= SendCanceled; e++ {
		if strings.Contains(e.String(), "(") {
			t.Errorf("effect %d has no name", int(e))
		}
	}
	if _, _, err := Step(Call{}, Lost+1); err == nil {
		t.Error("an input that does not exist was accepted")
	}
}
