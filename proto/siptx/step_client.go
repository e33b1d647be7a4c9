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
// RFC 6026 Figure 1. What a state does not name, it ignores.
func StepInviteClient(s State, in Input, _ bool) (State, []Action) {
	switch s {
	case Calling, Proceeding:
		switch in {
		case Provisional:
			return Proceeding, act(PassUp)
		case Success:
			return Accepted, append(act(PassUp), arm(TimerM))
		case Failure:
			return Completed, append(act(SendAck, PassUp), arm(TimerD))
		}
	case Completed:
		switch in {
		case Failure: // again: our ACK was lost
			return Completed, act(SendAck)
		case TransportError:
			return Terminated, act(TellTransport)
		case TimerD:
			return Terminated, nil
		}
	case Accepted:
		switch in {
		case Success: // again, or of another fork
			return Accepted, act(PassUp)
		case TimerM:
			return Terminated, nil
		}
	}
	if s == Calling {
		switch in {
		case TimerA:
			return Calling, append(act(SendRequest), rearm(TimerA))
		case TimerB:
			return Terminated, act(TellTimeout)
		case TransportError:
			return Terminated, act(TellTransport)
		}
	}
	return s, nil
}

// StepClient is the client transaction of every other method: RFC 3261
// Figure 6.
func StepClient(s State, in Input, _ bool) (State, []Action) {
	if s == Completed && in == TimerK {
		return Terminated, nil
	}
	if s != Trying && s != Proceeding {
		return s, nil
	}
	switch in {
	case Provisional:
		return Proceeding, act(PassUp)
	case Success, Failure:
		return Completed, append(act(PassUp), arm(TimerK))
	case TimerE:
		if s == Proceeding {
			return s, append(act(SendRequest), rearmT2(TimerE))
		}
		return s, append(act(SendRequest), rearm(TimerE))
	case TimerF:
		return Terminated, act(TellTimeout)
	case TransportError:
		return Terminated, act(TellTransport)
	}
	return s, nil
}
