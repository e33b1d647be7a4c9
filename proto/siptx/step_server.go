package siptx

// StartInviteServer is what a new INVITE does (§17.2.1).
func StartInviteServer(bool) (State, []Action) {
	return Trying, append(act(PassUp), arm(TimerTrying))
}

// StartServer is what any other new request but ACK does (§17.2.2).
func StartServer(bool) (State, []Action) {
	return Trying, act(PassUp)
}

// StepInviteServer is the INVITE server transaction: RFC 3261 Figure 7 with
// RFC 6026 Figure 2, in which a response that cannot be sent ends nothing.
// Trying is the time before the first response, of which the figure makes a
// condition. What a state does not name, it ignores.
func StepInviteServer(s State, in Input, reliable bool) (State, []Action) {
	switch s {
	case Trying, Proceeding:
		return stepUnansweredInvite(s, in, reliable)
	case Accepted:
		switch in {
		case Success: // the user retransmits its 2xx (RFC 3261 §13.3.1.4)
			return Accepted, act(SendResponse)
		case Ack:
			return Accepted, act(PassUp)
		case TransportError:
			return Accepted, act(TellTransport)
		case TimerL:
			return Terminated, nil
		}
	case Completed:
		switch in {
		case Retransmission:
			return Completed, act(SendResponse)
		case TimerG:
			return Completed, append(act(SendResponse), rearm(TimerG))
		case Ack:
			return Confirmed, []Action{arm(TimerI)}
		case TimerH:
			return Terminated, act(TellTimeout)
		case TransportError:
			return Completed, act(TellTransport)
		}
	case Confirmed:
		if in == TimerI {
			return Terminated, nil
		}
	}
	return s, nil
}

func stepUnansweredInvite(s State, in Input, reliable bool) (State, []Action) {
	switch in {
	case Provisional:
		return Proceeding, act(SendResponse)
	case Success:
		return Accepted, append(act(SendResponse), arm(TimerL))
	case Failure:
		actions := append(act(SendResponse), arm(TimerH))
		if !reliable {
			actions = append(actions, arm(TimerG))
		}
		return Completed, actions
	case Cancel:
		return s, act(PassUp)
	case TransportError:
		return s, act(TellTransport)
	case Retransmission:
		if s == Proceeding {
			return s, act(SendResponse)
		}
	case TimerTrying:
		if s == Trying {
			return Proceeding, act(SendTrying)
		}
	}
	return s, nil
}

// StepServer is the server transaction of every other method: RFC 3261
// Figure 8.
func StepServer(s State, in Input, _ bool) (State, []Action) {
	switch s {
	case Trying, Proceeding:
		switch in {
		case Provisional:
			return Proceeding, act(SendResponse)
		case Success, Failure:
			return Completed, append(act(SendResponse), arm(TimerJ))
		case Retransmission:
			if s == Proceeding {
				return s, act(SendResponse)
			}
		case TransportError:
			return Terminated, act(TellTransport)
		}
	case Completed:
		switch in {
		case Retransmission:
			return Completed, act(SendResponse)
		case TransportError:
			return Terminated, act(TellTransport)
		case TimerJ:
			return Terminated, nil
		}
	}
	return s, nil
}
