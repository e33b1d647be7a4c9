package siptx

// StartInviteClient is what sending an INVITE does (§17.1.1.2).
func StartInviteClient(reliable bool) (State, []Action) {
	return Calling, startClient(TimerA, TimerB, reliable)
}

// StartClient is what sending any other request but ACK does (§17.1.2.2).
func StartClient(reliable bool) (State, []Action) {
	return Trying, startClient(TimerE, TimerF, reliable)
}

func startClient(retransmit, giveUp Input, reliable bool) []Action {
	actions := append(act(SendRequest), arm(giveUp))
	if !reliable {
		actions = append(actions, arm(retransmit))
	}
	return actions
}

// StepInviteClient is the INVITE client transaction: RFC 3261 Figure 5 with
// RFC 6026 Figure 1. What has no arrow is ignored.
func StepInviteClient(s State, in Input, _ bool) (State, []Action) {
	switch (arrow{s, in}) {
	case arrow{Calling, TimerA}:
		return Calling, append(act(SendRequest), rearm(TimerA))
	case arrow{Calling, TimerB}:
		return Terminated, act(TellTimeout)
	case arrow{Calling, TransportError}:
		return Terminated, act(TellTransport)
	case arrow{Calling, Provisional}, arrow{Proceeding, Provisional}:
		return Proceeding, act(PassUp)
	case arrow{Calling, Success}, arrow{Proceeding, Success}:
		return Accepted, append(act(PassUp), arm(TimerM))
	case arrow{Calling, Failure}, arrow{Proceeding, Failure}:
		return Completed, append(act(SendAck, PassUp), arm(TimerD))
	case arrow{Completed, Failure}: // again: our ACK was lost
		return Completed, act(SendAck)
	case arrow{Completed, TransportError}:
		return Terminated, act(TellTransport)
	case arrow{Completed, TimerD}:
		return Terminated, nil
	case arrow{Accepted, Success}: // again, or of another fork
		return Accepted, act(PassUp)
	case arrow{Accepted, TimerM}:
		return Terminated, nil
	}
	return s, nil
}

// StepClient is the client transaction of every other method: RFC 3261
// Figure 6. What has no arrow is ignored.
func StepClient(s State, in Input, _ bool) (State, []Action) {
	switch (arrow{s, in}) {
	case arrow{Trying, TimerE}:
		return Trying, append(act(SendRequest), rearm(TimerE))
	case arrow{Proceeding, TimerE}:
		return Proceeding, append(act(SendRequest), rearmT2(TimerE))
	case arrow{Trying, TimerF}, arrow{Proceeding, TimerF}:
		return Terminated, act(TellTimeout)
	case arrow{Trying, TransportError}, arrow{Proceeding, TransportError}:
		return Terminated, act(TellTransport)
	case arrow{Trying, Provisional}, arrow{Proceeding, Provisional}:
		return Proceeding, act(PassUp)
	case arrow{Trying, Success}, arrow{Proceeding, Success}, arrow{Trying, Failure}, arrow{Proceeding, Failure}:
		return Completed, append(act(PassUp), arm(TimerK))
	case arrow{Completed, TimerK}:
		return Terminated, nil
	}
	return s, nil
}
