package siptx

import "fmt"

// State is where a transaction stands. Each machine uses some of them.
type State int

// The states of RFC 3261 §17 and RFC 6026 §7.
const (
	Calling    State = iota // INVITE client: sent, nothing heard
	Trying                  // non-INVITE client: sent, nothing heard; server: nothing answered yet
	Proceeding              // a provisional response came, or was sent
	Completed               // a final response came, or was sent (of an INVITE: 300 to 699)
	Accepted                // INVITE only: a 2xx came, or was sent (RFC 6026)
	Confirmed               // INVITE server: the ACK came
	Terminated              // over, and out of the table
)

// Input is what can happen to a transaction.
type Input int

// The inputs. Of a server transaction, Provisional, Success and Failure are
// responses that its user gives; of a client transaction, ones that arrived.
const (
	Provisional    Input = iota // 100 to 199
	Success                     // 200 to 299
	Failure                     // 300 to 699
	Retransmission              // the request again
	Ack
	Cancel
	TransportError
	TimerA
	TimerB
	TimerD
	TimerE
	TimerF
	TimerG
	TimerH
	TimerI
	TimerJ
	TimerK
	TimerL
	TimerM
	TimerTrying // the 200 ms of §17.2.1
)

// responseInput classes a status code.
func responseInput(status int) Input {
	switch {
	case status < 200:
		return Provisional
	case status < 300:
		return Success
	default:
		return Failure
	}
}

// Do is the kind of an action.
type Do int

// What a machine can ask for.
const (
	SendRequest   Do = iota // the request, as first sent
	SendAck                 // the ACK of the final response (§17.1.1.3)
	SendResponse            // the response given last
	SendTrying              // a 100 of the transaction's own making
	PassUp                  // the input itself, to the user
	TellTimeout             // nobody answered
	TellTransport           // it could not be sent
	Arm                     // start Timer
	Rearm                   // start Timer with its next interval
	RearmT2                 // start Timer with T2
)

// Action is one thing to do after a step, in order.
type Action struct {
	Do    Do
	Timer Input // of Arm, Rearm, RearmT2
}

// arrow is what the machines switch on: an input in a state.
type arrow struct {
	state State
	in    Input
}

// stepFunc is a transaction machine.
type stepFunc func(s State, in Input, reliable bool) (State, []Action)

func act(dos ...Do) []Action {
	out := make([]Action, len(dos))
	for i, d := range dos {
		out[i].Do = d
	}
	return out
}

func arm(timer Input) Action     { return Action{Arm, timer} }
func rearm(timer Input) Action   { return Action{Rearm, timer} }
func rearmT2(timer Input) Action { return Action{RearmT2, timer} }

var stateNames = [...]string{"Calling", "Trying", "Proceeding", "Completed", "Accepted", "Confirmed", "Terminated"}

func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		return fmt.Sprintf("State(%d)", int(s))
	}
	return stateNames[s]
}

var inputNames = [...]string{"1xx", "2xx", "300-699", "request again", "ACK", "CANCEL", "transport error",
	"timer A", "timer B", "timer D", "timer E", "timer F", "timer G", "timer H", "timer I", "timer J", "timer K",
	"timer L", "timer M", "timer of 100"}

func (i Input) String() string {
	if i < 0 || int(i) >= len(inputNames) {
		return fmt.Sprintf("Input(%d)", int(i))
	}
	return inputNames[i]
}
