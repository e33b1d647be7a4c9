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
	Pending bool   // Hangup: the CANCEL may not leave before the far end has answered at all, or the BYE not before its ACK
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
	Heard, Sent    Sound    // from the far end, decoded; to it
	Quality        *Quality // nil until packets have come

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

// Sound is one direction of a call's audio, since its media came up. Every
// moment is heard, silent or missing: the three together are how long it
// lasted, hold included.
type Sound struct {
	HeardMs   int64 // audio of -60 dBov or more
	SilentMs  int64 // audio below that, and comfort noise
	MissingMs int64 // none: lost and concealed, late, not begun, on hold; while digits are sent
	// LevelDBov is the power of what was heard: 0 is a square wave at full
	// scale, a full-scale sine is -3. PeakDBov is its highest sample against
	// full scale. Both are -127 while nothing was heard.
	LevelDBov, PeakDBov float64
	// ToneHz is the frequency above 100 Hz that was the strongest for the
	// longest time; 0 when none held a third of the power. TonePart is the
	// share of the time heard, 0 to 1, in which it was the strongest, give or
	// take 12 Hz: near 1 for a steady tone, low for speech.
	ToneHz, TonePart float64
}

// Lasted is how long the media was up, hold included; 0 when it never was.
func (s Sound) Lasted() time.Duration {
	return time.Duration(s.HeardMs+s.SilentMs+s.MissingMs) * time.Millisecond
}

// Quality is how good the received direction of a call is likely to sound, by
// the E-model of ITU-T G.107. Measured are loss and round trip; estimated are
// the delay of one way (half the round trip, with a packet's length and the
// jitter buffer) and what the codec costs (G.113's values for G.711, for all).
type Quality struct {
	MOS         float64 // 1 to 4.41
	RFactor     float64 // 0 to 93.2
	LossPercent float64 // packets that did not come, or too late, of those expected
	JitterMs    float64 // RFC 3550 §6.4.1 interarrival jitter
}
