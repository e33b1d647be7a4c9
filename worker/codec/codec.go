package codec

import "fmt"

// Coder turns frames of one codec into payloads, and payloads into frames. It
// keeps state in both directions, so each direction of each call has its own.
// Nothing allocates as long as dst has room. It is not safe for concurrent use.
type Coder interface {
	// Encode appends the payload for pcm to dst. pcm is mono at the Spec's
	// SampleRate, a whole number of milliseconds long.
	Encode(dst []byte, pcm []int16) []byte
	// Decode appends the samples of payload to dst.
	Decode(dst []int16, payload []byte) []int16
	// Conceal appends n samples to dst that stand for a payload that was
	// lost. Called again and again, it fades to silence within 60 ms.
	Conceal(dst []int16, n int) []int16
	// Ticks is how long payload lasts, in ticks of the RTP clock.
	Ticks(payload []byte) int
}

// Built lists the codecs that this program can speak.
func Built() []Spec { return []Spec{PCMA, PCMU, G722, L16Wide, L16} }

// New makes a coder for a codec that Built lists.
func New(s Spec) (Coder, error) {
	switch s {
	case PCMU:
		return newG711(s, encodeMu, &decodeMu), nil
	case PCMA:
		return newG711(s, encodeA, &decodeA), nil
	case G722:
		return newG722(), nil
	case L16, L16Wide:
		return newLinear(s), nil
	}
	return nil, fmt.Errorf("no codec %s/%d is built in", s.Name, s.ClockRate)
}
