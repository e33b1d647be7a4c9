package negotiate

import (
	"fmt"

	"ringmaster/proto/sdp"
	"ringmaster/worker/codec"
)

// Answer answers the far end's offer: one audio line is taken, every other
// line refused with port 0 in its place. Errors: ErrPending (491), ErrMalformed
// (400), ErrNoAudio, ErrProfile, ErrKeys and ErrNoCommonCodec (488), ErrLocal.
func (n *Negotiation) Answer(offer []byte, l Local) (answer []byte, m Media, err error) {
	if n.pending {
		return nil, Media{}, ErrPending
	}
	if err := n.check(l); err != nil {
		return nil, Media{}, err
	}
	description, err := sdp.Parse(offer)
	if err != nil {
		return nil, Media{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	index, err := n.chooseAudio(description.Media)
	if err != nil {
		return nil, Media{}, err
	}
	theirs := description.Media[index]
	far, err := readFarEnd(theirs)
	if err != nil {
		return nil, Media{}, err
	}
	accepted := common(theirs.Codecs, n.config.Codecs, n.config.PreferOwnOrder)
	var events []sdp.Codec
	if n.config.TelephoneEvent {
		events = acceptEvents(theirs.Codecs, accepted)
	}
	crypto, keys, err := n.answerKeys(theirs, far)
	if err != nil {
		return nil, Media{}, err
	}
	m = n.taken(theirs, far, accepted, events, l.Direction)
	m.SRTP = keys

	lines := make([]sdp.Media, len(description.Media))
	for i, line := range description.Media {
		lines[i] = refusal(line)
	}
	lines[index] = n.stream(l, theirs.Proto, m.Local, append(accepted, events...))
	lines[index].Crypto = crypto
	n.numbers.learn(theirs.Codecs)
	n.lines, n.audio, n.offer, n.current = lines, index, nil, &m
	return n.write(lines, l.Address), m, nil
}

// taken is what an offer comes to when we answer with these codecs and events.
func (n *Negotiation) taken(theirs sdp.Media, far farEnd, accepted, events []sdp.Codec, wanted Direction) Media {
	m := Media{
		Remote: far.rtp, RemoteRTCP: far.rtcp, RemoteHost: far.host,
		SendPT: accepted[0].PT, Receive: map[uint8]codec.Spec{}, EventSendPT: -1, EventRecvPT: -1, CNPT: payloadTypeOf(theirs.Codecs, isComfortNoise),
		Local: wanted.And(far.direction.Reverse()), RemoteHeld: !far.direction.Receives(), Ptime: sendPtime(n.config.Ptime, theirs),
	}
	m.Codec, _ = specOf(n.config.Codecs, accepted[0])
	for _, c := range theirs.Codecs { // a codec offered under two numbers may come under either
		if s, ok := specOf(n.config.Codecs, c); ok {
			m.Receive[c.PT] = s
		}
	}
	if event, ok := eventAt(events, m.Codec.ClockRate); ok {
		m.EventSendPT, m.EventRecvPT = int(event.PT), int(event.PT)
	}
	return m
}

// chooseAudio finds the line to take: the one that is in use, else the first
// that can be. The error tells why the first candidate cannot be.
func (n *Negotiation) chooseAudio(lines []sdp.Media) (int, error) {
	var why error
	try := func(i int) bool {
		err := n.acceptable(lines[i])
		if why == nil {
			why = err
		}
		return err == nil
	}
	if n.lines != nil && n.audio < len(lines) && lines[n.audio].Type == "audio" && try(n.audio) {
		return n.audio, nil
	}
	for i, line := range lines {
		if line.Type == "audio" && line.Port != 0 && try(i) {
			return i, nil
		}
	}
	if why == nil {
		why = fmt.Errorf("%w in the far end's offer", ErrNoAudio)
	}
	return 0, why
}

// acceptable finds out whether a line can be taken.
func (n *Negotiation) acceptable(m sdp.Media) error {
	if m.Port == 0 {
		return fmt.Errorf("%w in the far end's offer: its port is 0", ErrNoAudio)
	}
	if err := n.checkProfile(m); err != nil {
		return err
	}
	if n.secure() {
		if _, _, err := chooseKeys(m.Crypto); err != nil {
			return err
		}
	}
	if len(common(m.Codecs, n.config.Codecs, false)) == 0 {
		return fmt.Errorf("%w: the far end offers %s; this phone has %s", ErrNoCommonCodec, names(m.Codecs), ownNames(n.config.Codecs))
	}
	return nil
}

// refusal is the answer to a line that we do not take (RFC 3264 §6): the same
// media and formats, with port 0.
func refusal(m sdp.Media) sdp.Media {
	r := sdp.Media{Type: m.Type, Proto: m.Proto, Formats: m.Formats, Codecs: m.Codecs, Direction: Inactive}
	if len(r.Formats) == 0 {
		r.Formats = []string{"0"} // the grammar wants one
	}
	return r
}
