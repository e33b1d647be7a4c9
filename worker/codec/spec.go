// Package codec turns PCM frames into RTP payloads and back.
package codec

// Spec names a codec as SDP does, with what its frames look like.
type Spec struct {
	Name       string // as in a=rtpmap, in the registered spelling: "PCMA"
	StaticPT   int    // payload type of RFC 3551; -1 when dynamic
	ClockRate  int    // RTP clock in Hz; 8000 for G722 although it samples at 16000 (RFC 3551 §4.5.2)
	SampleRate int    // PCM samples per second on our side
	Channels   int    // 1, always, today
}

// Static payload types of RFC 3551 §6.
var (
	PCMU = Spec{Name: "PCMU", StaticPT: 0, ClockRate: 8000, SampleRate: 8000, Channels: 1}
	PCMA = Spec{Name: "PCMA", StaticPT: 8, ClockRate: 8000, SampleRate: 8000, Channels: 1}
)
