package siptx

import (
	"slices"
	"testing"
)

const lastInput = int(TimerTrying)

// row is one arrow of a figure: everything that is not in the table must
// leave the state alone and ask for nothing.
type row struct {
	from State
	in   Input
	to   State
	do   []Action
}

func checkTable(t *testing.T, step stepFunc, reliable bool, states []State, table []row) {
	t.Helper()
	for s := Calling; s <= Terminated; s++ {
		for in := Input(0); int(in) <= lastInput; in++ {
			want := row{from: s, in: in, to: s}
			if i := slices.IndexFunc(table, func(r row) bool { return r.from == s && r.in == in }); i >= 0 {
				want = table[i]
				if !slices.Contains(states, s) {
					t.Fatalf("the table uses %v, which this machine has not", s)
				}
			}
			to, do := step(s, in, reliable)
			if to != want.to || !slices.Equal(do, want.do) {
				t.Errorf("reliable=%v: %v on %v gives %v %v, want %v %v", reliable, s, in, to, do, want.to, want.do)
			}
		}
	}
}

func both(t *testing.T, step stepFunc, states []State, table []row) {
	t.Helper()
	checkTable(t, step, false, states, table)
	checkTable(t, step, true, states, table)
}

func TestInviteClient(t *testing.T) { // RFC 3261 Figure 5, RFC 6026 Figure 1
	accept := []Action{{Do: PassUp}, {Arm, TimerM}}
	complete := []Action{{Do: SendAck}, {Do: PassUp}, {Arm, TimerD}}
	both(t, StepInviteClient, []State{Calling, Proceeding, Completed, Accepted}, []row{
		{Calling, Provisional, Proceeding, act(PassUp)},
		{Calling, Success, Accepted, accept},
		{Calling, Failure, Completed, complete},
		{Calling, TimerA, Calling, []Action{{Do: SendRequest}, {Rearm, TimerA}}},
		{Calling, TimerB, Terminated, act(TellTimeout)},
		{Calling, TransportError, Terminated, act(TellTransport)},
		{Proceeding, Provisional, Proceeding, act(PassUp)},
		{Proceeding, Success, Accepted, accept},
		{Proceeding, Failure, Completed, complete},
		{Completed, Failure, Completed, act(SendAck)},
		{Completed, TransportError, Terminated, act(TellTransport)},
		{Completed, TimerD, Terminated, nil},
		{Accepted, Success, Accepted, act(PassUp)},
		{Accepted, TimerM, Terminated, nil},
	})
}

func TestClient(t *testing.T) { // RFC 3261 Figure 6
	complete := []Action{{Do: PassUp}, {Arm, TimerK}}
	both(t, StepClient, []State{Trying, Proceeding, Completed}, []row{
		{Trying, Provisional, Proceeding, act(PassUp)},
		{Trying, Success, Completed, complete},
		{Trying, Failure, Completed, complete},
		{Trying, TimerE, Trying, []Action{{Do: SendRequest}, {Rearm, TimerE}}},
		{Trying, TimerF, Terminated, act(TellTimeout)},
		{Trying, TransportError, Terminated, act(TellTransport)},
		{Proceeding, Provisional, Proceeding, act(PassUp)},
		{Proceeding, Success, Completed, complete},
		{Proceeding, Failure, Completed, complete},
		{Proceeding, TimerE, Proceeding, []Action{{Do: SendRequest}, {RearmT2, TimerE}}},
		{Proceeding, TimerF, Terminated, act(TellTimeout)},
		{Proceeding, TransportError, Terminated, act(TellTransport)},
		{Completed, TimerK, Terminated, nil},
	})
}

func TestInviteServer(t *testing.T) { // RFC 3261 Figure 7, RFC 6026 Figure 2
	for _, reliable := range []bool{false, true} {
		refuse := []Action{{Do: SendResponse}, {Arm, TimerH}}
		if !reliable {
			refuse = append(refuse, Action{Arm, TimerG})
		}
		accept := []Action{{Do: SendResponse}, {Arm, TimerL}}
		checkTable(t, StepInviteServer, reliable, []State{Trying, Proceeding, Completed, Accepted, Confirmed}, []row{
			{Trying, Provisional, Proceeding, act(SendResponse)},
			{Trying, Success, Accepted, accept},
			{Trying, Failure, Completed, refuse},
			{Trying, TimerTrying, Proceeding, act(SendTrying)},
			{Trying, Cancel, Trying, act(PassUp)},
			{Trying, TransportError, Trying, act(TellTransport)},
			{Proceeding, Provisional, Proceeding, act(SendResponse)},
			{Proceeding, Success, Accepted, accept},
			{Proceeding, Failure, Completed, refuse},
			{Proceeding, Retransmission, Proceeding, act(SendResponse)},
			{Proceeding, Cancel, Proceeding, act(PassUp)},
			{Proceeding, TransportError, Proceeding, act(TellTransport)},
			{Accepted, Success, Accepted, act(SendResponse)},
			{Accepted, Ack, Accepted, act(PassUp)},
			{Accepted, TransportError, Accepted, act(TellTransport)},
			{Accepted, TimerL, Terminated, nil},
			{Completed, Retransmission, Completed, act(SendResponse)},
			{Completed, TimerG, Completed, []Action{{Do: SendResponse}, {Rearm, TimerG}}},
			{Completed, Ack, Confirmed, []Action{{Arm, TimerI}}},
			{Completed, TimerH, Terminated, act(TellTimeout)},
			{Completed, TransportError, Completed, act(TellTransport)},
			{Confirmed, TimerI, Terminated, nil},
		})
	}
}

func TestServer(t *testing.T) { // RFC 3261 Figure 8
	complete := []Action{{Do: SendResponse}, {Arm, TimerJ}}
	both(t, StepServer, []State{Trying, Proceeding, Completed}, []row{
		{Trying, Provisional, Proceeding, act(SendResponse)},
		{Trying, Success, Completed, complete},
		{Trying, Failure, Completed, complete},
		{Trying, TransportError, Terminated, act(TellTransport)},
		{Proceeding, Provisional, Proceeding, act(SendResponse)},
		{Proceeding, Success, Completed, complete},
		{Proceeding, Failure, Completed, complete},
		{Proceeding, Retransmission, Proceeding, act(SendResponse)},
		{Proceeding, TransportError, Terminated, act(TellTransport)},
		{Completed, Retransmission, Completed, act(SendResponse)},
		{Completed, TransportError, Terminated, act(TellTransport)},
		{Completed, TimerJ, Terminated, nil},
	})
}

func TestStarts(t *testing.T) {
	for _, reliable := range []bool{false, true} {
		client := func(giveUp, retransmit Input) []Action {
			out := []Action{{Do: SendRequest}, {Arm, giveUp}}
			if !reliable {
				out = append(out, Action{Arm, retransmit})
			}
			return out
		}
		for _, row := range []struct {
			name  string
			start func(bool) (State, []Action)
			state State
			do    []Action
		}{
			{"INVITE client", StartInviteClient, Calling, client(TimerB, TimerA)},
			{"client", StartClient, Trying, client(TimerF, TimerE)},
			{"INVITE server", StartInviteServer, Trying, []Action{{Do: PassUp}, {Arm, TimerTrying}}},
			{"server", StartServer, Trying, act(PassUp)},
		} {
			state, do := row.start(reliable)
			if state != row.state || !slices.Equal(do, row.do) {
				t.Errorf("%s, reliable=%v: %v %v, want %v %v", row.name, reliable, state, do, row.state, row.do)
			}
		}
	}
}

func TestEveryStateAndInputHasAName(t *testing.T) {
	if len(stateNames) != int(Terminated)+1 || len(inputNames) != lastInput+1 {
		t.Fatalf("%d states, %d inputs named", len(stateNames), len(inputNames))
	}
	if Confirmed.String() != "Confirmed" || TimerM.String() != "timer M" || TimerTrying.String() != "timer of 100" {
		t.Errorf("the names are shifted: %v %v %v", Confirmed, TimerM, TimerTrying)
	}
	if State(99).String() != "State(99)" || Input(-1).String() != "Input(-1)" {
		t.Errorf("%v %v", State(99), Input(-1))
	}
}
