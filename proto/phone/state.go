package phone

import (
	"fmt"
	"strings"
)

// State is where a call stands. The names are those of the public contract.
type State int

// The states of a call, in the order in which a call can pass through them.
const (
	StateNull         State = iota // not yet begun
	StateCalling                   // INVITE sent
	StateIncoming                  // INVITE received
	StateEarly                     // provisional answer sent or received
	StateConnecting                // 2xx sent or received, ACK outstanding
	StateConfirmed                 // ACK sent or received
	StateDisconnected              // over
)

var stateNames = [...]string{"NULL", "CALLING", "INCOMING", "EARLY", "CONNECTING", "CONFIRMED", "DISCONNECTED"}

// String gives the contract's name, in capitals.
func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		return fmt.Sprintf("State(%d)", int(s))
	}
	return stateNames[s]
}

// EventName is the lower-case name that events carry: "confirmed".
func (s State) EventName() string { return strings.ToLower(s.String()) }

// ParseState is the inverse of String.
func ParseState(name string) (State, error) {
	for i, n := range stateNames {
		if n == name {
			return State(i), nil
		}
	}
	return StateNull, fmt.Errorf("no call state is named %q", name)
}

// Direction says who began: Inbound is towards the phone.
type Direction string

// The two directions.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
)
