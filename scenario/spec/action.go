package spec

import (
	"time"

	"ringmaster/proto/phone"
)

// Action is one step of a hook or of the initial actions.
type Action struct {
	// Name is the action's word: "send_dtmf".
	Name string
	Step Step
	// PhoneID is "" where the author left the choice to the defaults.
	PhoneID phone.ID
	// CallID is nil where the author left the choice to the defaults.
	CallID *phone.CallID
	// ContinueOnError: a failure neither skips the rest nor fails the run.
	ContinueOnError bool
	// Pattern is the name of the pattern that an initial action came from.
	Pattern string

	late      *Node // the action as written, when variables are still to be put in
	latePhone bool  // phone_id is one of them
}

// Step is what an action does: one of the types of this file.
type Step interface{ step() }

// Steps that tell a phone something.
type (
	// Answer sends 180, 183 or 200 to a waiting call.
	Answer struct{ Code int }
	// Hangup ends one call, in whatever state it is.
	Hangup struct{}
	// HangupAll ends every call of a phone. Without a phone of its own or of
	// its hook it ends every call of every phone of the run.
	HangupAll struct{}
	// Reject refuses a waiting call.
	Reject struct{ Code int }
	// Hold re-INVITEs with sendonly.
	Hold struct{}
	// Unhold re-INVITEs with sendrecv.
	Unhold struct{}
	// SendDTMF sends digits.
	SendDTMF struct{ Digits string }
	// BlindTransfer refers the far end to another address.
	BlindTransfer struct{ To string }
	// AttendedTransfer joins the far ends of two calls. With neither id it
	// takes the phone's first two active calls, whatever the event's call.
	AttendedTransfer struct{ DestCallID *phone.CallID }
	// Conference mixes calls; CallIDs nil takes all active calls, at least two.
	Conference struct{ CallIDs []phone.CallID }
	// MakeCall sends an INVITE. SaveCall, when not "", is the variable that
	// takes the call's id.
	MakeCall struct {
		To       string
		Headers  map[string]string
		SaveCall string
	}
	// PlayAudio plays a file into a call.
	PlayAudio struct {
		File string
		Loop bool
	}
	// StopAudio goes back to music on hold.
	StopAudio struct{}
	// SendMessage sends a SIP MESSAGE.
	SendMessage struct{ To, Body, ContentType string }
	// SetCodecs re-INVITEs the call with other codecs.
	SetCodecs struct{ Codecs []string }
	// Register sends a fresh REGISTER.
	Register struct{}
	// Unregister removes the phone's own binding.
	Unregister struct{}
)

// Steps that the engine does itself.
type (
	// Wait does nothing for a while.
	Wait struct{ For time.Duration }
	// WaitUntil waits for an event that came after the last step of this
	// sequence that did something (or after the event that fired the hook).
	//
	// Without phone_id it waits for an event of the hook's on_phone, or of the
	// event's phone; with "*" of any phone. Without call_id, and when phone
	// is the one that this sequence or its event is about, it waits for an
	// event of the call that the sequence made last, or of the event's call.
	// Types that belong to no phone or no call are not restricted so.
	WaitUntil struct {
		Events []EventPattern
		// Phones restricts the wait when AnyPhone is false; nil is the default.
		Phones   []phone.ID
		AnyPhone bool
		Match    Match
		// Unless names events of the same phone and call that make the wait
		// fail at once.
		Unless  []EventPattern
		Timeout time.Duration
		Capture []Capture // from the event that came
	}
	// Emit raises user.<Name>.
	Emit struct {
		Name string
		Data map[string]any
	}
	// Checkpoint puts a label on the timeline.
	Checkpoint struct{ Label string }
	// Log puts a message on the timeline.
	Log struct{ Message string }
	// Assert holds facts against what is known now: nothing is waited for.
	// A call's fact without a phone or a call is about those of the sequence.
	Assert struct{ Facts []Fact }
	// Snapshot puts what the phone knows of a call onto the timeline.
	Snapshot struct{ Label string }
	// Repeat runs actions Count times, or until, at the end of a round, an
	// event that Until matches has come since the repeat began. With Until,
	// Count rounds without it are a failure.
	Repeat struct {
		Count   int
		Actions []Action
		Until   *EventFact
	}
	// Parallel runs several lists of actions beside each other and is over
	// when all of them are.
	Parallel struct{ Branches [][]Action }
	// CollectRecordings names the recordings of phones on the timeline.
	CollectRecordings struct{ Phones []phone.ID }
)

// Steps that change the fleet. The phone is the action's.
type (
	// AddPhone starts a phone, or replaces the one of that id.
	AddPhone struct{ Settings phone.Settings }
	// DropPhone ends a phone; without HangupCalls as a power cut does.
	DropPhone struct{ HangupCalls bool }
	// UpdatePhone changes a phone while it runs.
	UpdatePhone struct{ Update phone.Update }
	// KillWorker kills the phone's process, as a crash does.
	KillWorker struct{}
)

func (Answer) step()            {}
func (Hangup) step()            {}
func (HangupAll) step()         {}
func (Reject) step()            {}
func (Hold) step()              {}
func (Unhold) step()            {}
func (SendDTMF) step()          {}
func (BlindTransfer) step()     {}
func (AttendedTransfer) step()  {}
func (Conference) step()        {}
func (MakeCall) step()          {}
func (PlayAudio) step()         {}
func (StopAudio) step()         {}
func (SendMessage) step()       {}
func (SetCodecs) step()         {}
func (Register) step()          {}
func (Unregister) step()        {}
func (Wait) step()              {}
func (WaitUntil) step()         {}
func (Emit) step()              {}
func (Checkpoint) step()        {}
func (Log) step()               {}
func (Assert) step()            {}
func (Snapshot) step()          {}
func (Repeat) step()            {}
func (Parallel) step()          {}
func (AddPhone) step()          {}
func (DropPhone) step()         {}
func (UpdatePhone) step()       {}
func (KillWorker) step()        {}
func (CollectRecordings) step() {}
