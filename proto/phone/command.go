package phone

// Command is one thing a phone can be told to do. The set is closed: each
// command is one of the types of this file.
type Command interface{ command() }

// Commands on calls. A nil CallID means the one the contract names for that
// verb: the oldest waiting call for Answer and Reject, the first active call
// for the others.
type (
	// MakeCall sends an INVITE. It is done when the INVITE has left.
	MakeCall struct {
		DestURI string            // a SIP or SIPS URI
		Headers map[string]string // added to the INVITE
	}
	// Answer sends Status (180, 183 or 200) to a waiting call.
	Answer struct {
		CallID *CallID
		Status int
	}
	// Reject refuses a waiting call with a final Status from 300 to 699.
	Reject struct {
		CallID *CallID
		Status int
	}
	// Hangup ends a call by CANCEL, a refusal or BYE, as its state wants.
	Hangup struct{ CallID *CallID }
	// HangupAll ends every call of the phone.
	HangupAll struct{}
	// Hold re-INVITEs with a=sendonly; done when the re-INVITE is final.
	Hold struct{ CallID *CallID }
	// Unhold re-INVITEs with a=sendrecv; done when the re-INVITE is final.
	Unhold struct{ CallID *CallID }
	// SetCodecs re-INVITEs one call with another list of codecs.
	SetCodecs struct {
		CallID *CallID
		Codecs []string
	}
	// BlindTransfer sends REFER; done when it is accepted or refused.
	BlindTransfer struct {
		CallID  *CallID
		DestURI string
	}
	// AttendedTransfer sends REFER with Replaces on CallID, towards the far
	// end of DestCallID. Both nil: the phone's first two active calls.
	AttendedTransfer struct{ CallID, DestCallID *CallID }
	// Conference mixes the calls with each other and the phone.
	Conference struct{ CallIDs []CallID }
	// SendDTMF queues digits (0-9 * # A-D).
	SendDTMF struct {
		CallID *CallID
		Digits string
	}
	// PlayAudio plays a WAV file, or "music-on-hold", into a call.
	PlayAudio struct {
		CallID   *CallID
		FilePath string
		Loop     bool
	}
	// StopAudio goes back to music on hold.
	StopAudio struct{ CallID *CallID }
	// GetRecording asks for the recording segment now open.
	GetRecording struct{ CallID *CallID }
	// ListCalls asks for the calls: active first, then recently ended.
	ListCalls struct{}
	// GetCall asks for one call, active or recently ended.
	GetCall struct{ CallID *CallID }
)

// Commands on the phone itself.
type (
	// SendMessage sends a SIP MESSAGE; done with its final response.
	SendMessage struct {
		DestURI     string
		Body        string
		ContentType string // "" means text/plain
	}
	// Register sends a fresh REGISTER; done when it is final.
	Register struct{}
	// Unregister removes the phone's own binding; done when it is final.
	Unregister struct{}
	// GetRegistration asks for what is known, without sending anything.
	GetRegistration struct{}
	// UpdateSettings changes the phone; done when what it started is final.
	UpdateSettings struct{ Update Update }
	// StartCapture begins a capture that belongs to no call; done when it has
	// begun. There is one at a time.
	StartCapture struct{}
	// StopCapture ends it; done when the file is complete.
	StopCapture struct{}
	// GrantCallIDs hands over a further block of call ids.
	GrantCallIDs struct{ Block Block }
)

func (MakeCall) command()         {}
func (Answer) command()           {}
func (Reject) command()           {}
func (Hangup) command()           {}
func (HangupAll) command()        {}
func (Hold) command()             {}
func (Unhold) command()           {}
func (SetCodecs) command()        {}
func (BlindTransfer) command()    {}
func (AttendedTransfer) command() {}
func (Conference) command()       {}
func (SendDTMF) command()         {}
func (PlayAudio) command()        {}
func (StopAudio) command()        {}
func (GetRecording) command()     {}
func (ListCalls) command()        {}
func (GetCall) command()          {}
func (SendMessage) command()      {}
func (Register) command()         {}
func (Unregister) command()       {}
func (GetRegistration) command()  {}
func (UpdateSettings) command()   {}
func (StartCapture) command()     {}
func (StopCapture) command()      {}
func (GrantCallIDs) command()     {}
