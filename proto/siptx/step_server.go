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
// condition. What has no arrow is ignored.
func StepInviteServer(s State, in Input, reliable bool) (State, []Action) {
	switch (arrow{s, in}) {
	case arrow{Trying, TimerTrying}:
		return Proceeding, act(SendTrying)
	case arrow{Trying, Provisional}, arrow{Proceeding, Provisional}, arrow{Proceeding, Retransmission}:
		return Proceeding, act(SendResponse)
	case arrow{Trying, Success}, arrow{Proceeding, Success}:
		return Accepted, append(act(SendResponse), arm(TimerL))
	case arrow{Trying, Failure}, arrow{Proceeding, Failure}:
		return Completed, refuseInvite(reliable)
	case arrow{Trying, Cancel}, arrow{Proceeding, Cancel}:
		return s, act(PassUp)
	case arrow{Trying, TransportError}, arrow{Proceeding, TransportError},
		arrow{Accepted, TransportError}, arrow{Completed, TransportError}:
		return s, act(TellTransport)
	case arrow{Accepted, Success}: // the user retransmits its 2xx (RFC 3261 §13.3.1.4)
		return Accepted, act(SendResponse)
	case arrow{Accepted, Ack}:
		return Accepted, act(PassUp)
	case arrow{Accepted, TimerL}:
		return Terminated, nil
	case arrow{Completed, Retransmission}:
		return Completed, act(SendResponse)
	case arrow{Completed, TimerG}:
		return Completed, append(act(SendResponse), rearm(TimerG))
	case arrow{Completed, TimerH}:
		return Terminated, act(TellTimeout)
	case arrow{Completed, Ack}:
		return Confirmed, []Action{arm(TimerI)}
	case arrow{Confirmed, TimerI}:
		return Terminated, nil
	}
	return s, nil
}

func refuseInvite(reliable bool) []Action {
	actions := append(act(SendResponse), arm(TimerH))
	if !reliable {
		actions = append(actions, arm(TimerG))
	}
	return actions
}

// StepServer is the server transaction of every other method: RFC 3261
// Figure 8. What has no arrow is ignored.
func StepServer(s State, in Input, _ bool) (State, []Action) {
	switch (arrow{s, in}) {
	case arrow{Trying, Provisional}, arrow{Proceeding, Provisional}, arrow{Proceeding, Retransmission}:
		return Proceeding, act(SendResponse)
	case arrow{Trying, Success}, arrow{Proceeding, Success}, arrow{Trying, Failure}, arrow{Proceeding, Failure}:
		return Completed, append(act(SendResponse), arm(TimerJ))
	case arrow{Completed, Retransmission}:
		return Completed, act(SendResponse)
	case arrow{Trying, TransportError}, arrow{Proceeding, TransportError}, arrow{Completed, TransportError}:
		return Terminated, act(TellTransport)
	case arrow{Completed, TimerJ}:
		return Terminated, nil
	}
	return s, nil
}
