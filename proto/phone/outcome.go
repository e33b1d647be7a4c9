package phone

import "time"

// Outcome is a phone's answer to a Command that succeeded. Cursor is always
// set; which of the other fields are depends on the command.
type Outcome struct {
	// Cursor is the journal position at which the command was accepted:
	// every entry caused by the command has a higher sequence number.
	Cursor uint64

	// Call is set by every command on one call.
	Call *CallOutcome
	// Calls is set by ListCalls (active first, then recently ended, newest
	// first) and GetCall (exactly one).
	Calls []CallInfo
	// Participants is set by Conference: calls mixed, the phone not counted.
	Participants int
	// Registration is set by Register, GetRegistration and UpdateSettings.
	Registration *Registration
	// Recording is set by GetRecording.
	Recording *RecordingInfo
	// Updated is set by UpdateSettings.
	Updated *Updated
	// Capture is set by StartCapture and StopCapture, and by UpdateSettings
	// when calls are being captured.
	Capture *CaptureInfo
}

// CallOutcome says which call a command acted on and how that call stood
// right after.
type CallOutcome struct {
	CallID  CallID
	State   State
	Already bool   // the call was in the wanted state before
	Status  int    // Reject: the code sent
	Playing string // PlayAudio: what plays now
	Digits  string // SendDTMF: the digits queued
}

// Updated says what UpdateSettings touched.
type Updated struct {
	Reregistered       bool
	AffectedCallIDs    []CallID // calls whose recording was switched
	CodecReinvitedIDs  []CallID // calls that were re-INVITEd
	CodecReinviteError string   // "" when every re-INVITE was accepted
}

// RecordingInfo describes the recording segment now open. Path and MetaPath
// are "" when none is open.
type RecordingInfo struct {
	CallID   CallID
	Enabled  bool
	Path     string
	MetaPath string
	Size     int64 // bytes written so far
}

// CaptureInfo describes a capture.
type CaptureInfo struct {
	Path   string
	Mode   string // "tcpdump", or "own" for the phone's own packets
	Reason string // why the mode is "own"; "" otherwise
	Size   int64  // bytes; StopCapture only
}

// CallInfo is everything the phone knows of one call.
type CallInfo struct {
	CallID         CallID
	SIPCallID      string // the Call-ID header
	State          State
	Direction      Direction
	RemoteURI      string
	RemoteContact  string
	LocalContact   string
	Codec          string        // "" before the first answer
	Duration       time.Duration // since the answer; 0 before it
	LastStatus     int           // last SIP status sent or received; 0 before any
	LastStatusText string
	RecordingFile  string // newest segment; "" when none
	PlayingFile    string // "" when nothing plays
	OnHold         bool   // held by this phone
	RTP            RTPStats

	StartedAt  time.Time // the INVITE
	AnsweredAt time.Time // zero before the answer
	EndedAt    time.Time // zero before the end
}

// RTPStats counts one call's media, both directions. Times are microseconds.
type RTPStats struct {
	TxPackets, TxBytes int64 // bytes are RTP payload bytes
	RxPackets, RxBytes int64
	RxLoss             int64 // expected less distinct ones received: RFC 3550 §A.3, but a duplicate does not make up for a loss
	RxDup              int64
	RxReorder          int64
	RxDiscard          int64 // came too late, or could not be used
	RxJitterUsec       int64 // RFC 3550 §6.4.1 interarrival jitter
	RTTUsec            int64 // 0 until an RTCP report allows it

	RxFrom       string // host:port that the newest RTP packet came from; "" before any
	RxUnagreed   int64  // of RxDiscard: packets of a payload type that nobody had agreed on
	RxUnagreedPT int64  // the newest such type
}
