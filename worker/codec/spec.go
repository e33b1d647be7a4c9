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

// Payload types of RFC 3551 §6. L16 has static ones for 44.1 kHz only, so ours
// are dynamic (RFC 3551 §4.5.11).
var (
	PCMU    = Spec{Name: "PCMU", StaticPT: 0, ClockRate: 8000, SampleRate: 8000, Channels: 1}
	PCMA    = Spec{Name: "PCMA", StaticPT: 8, ClockRate: 8000, SampleRate: 8000, Channels: 1}
	G722    = Spec{Name: "G722", StaticPT: 9, ClockRate: 8000, SampleRate: 16000, Channels: 1}
	L16     = Spec{Name: "L16", StaticPT: -1, ClockRate: 8000, SampleRate: 8000, Channels: 1}
	L16Wide = Spec{Name: "L16", StaticPT: -1, ClockRate: 16000, SampleRate: 16000, Channels: 1}
)
