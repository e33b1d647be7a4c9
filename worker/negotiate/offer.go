package negotiate

import (
	"fmt"
	"slices"

	"ringmaster/proto/sdp"
	"ringmaster/worker/codec"
)

// offer is what we offered.
type offer struct {
	lines     []sdp.Media
	audio     int          // which of lines
	specs     []codec.Spec // the codecs in it
	keys      []Keys       // by tag less 1, without the far end's
	direction Direction
}

// Offer makes and remembers an offer of everything that this phone has. The
// direction is the one of l, whatever the far end wants.
func (n *Negotiation) Offer(l Local) ([]byte, error) {
	if n.pending {
		return nil, ErrPending
	}
	if err := n.check(l); err != nil {
		return nil, err
	}
	codecs, err := n.offered()
	if err != nil {
		return nil, err
	}
	lines, audio, proto := []sdp.Media{{}}, 0, "RTP/AVP"
	if n.secure() {
		proto = "RTP/SAVP"
	}
	if n.lines != nil {
		lines, audio, proto = slices.Clone(n.lines), n.audio, n.lines[n.audio].Proto
	}
	lines[audio] = n.stream(l, proto, l.Direction, codecs)
	crypto, keys := n.offeredKeys()
	lines[audio].Crypto = crypto
	n.offer = &offer{lines: lines, audio: audio, specs: slices.Clone(n.config.Codecs), keys: keys, direction: l.Direction}
	n.pending = true
	return n.write(lines, l.Address), nil
}

// offered lists our codecs with their numbers, then a telephone-event for each
// clock rate among them.
func (n *Negotiation) offered() ([]sdp.Codec, error) {
	var codecs, events []sdp.Codec
	for _, s := range n.config.Codecs {
		pt := uint8(s.StaticPT)
		if s.StaticPT < 0 {
			var err error
			if pt, err = n.numbers.take(encodingOf(describe(s, 0)), firstDynamic); err != nil {
				return nil, err
			}
		}
		codecs = append(codecs, describe(s, pt))
	}
	for _, c := range codecs {
		if !n.config.TelephoneEvent || slices.ContainsFunc(events, func(e sdp.Codec) bool { return e.ClockRate == c.ClockRate }) {
			continue
		}
		event := sdp.Codec{Name: "telephone-event", ClockRate: c.ClockRate, Channels: 1, Fmtp: "0-16"}
		var err error
		if event.PT, err = n.numbers.take(encodingOf(event), usualEvent); err != nil {
			return nil, err
		}
		events = append(events, event)
	}
	return append(codecs, events...), nil
}

// Answered takes the answer to our offer. It may come again, in another form,
// for the same offer (a 183, then the 200): the last one holds. Errors:
// ErrMalformed, ErrNoAudio, ErrRejected, ErrProfile, ErrKeys, ErrNoCommonCodec,
// ErrNoOffer.
func (n *Negotiation) Answered(answer []byte) (Media, error) {
	if n.offer == nil {
		return Media{}, ErrNoOffer
	}
	media, err := n.agree(answer)
	if err != nil {
		n.Rollback()
		return Media{}, err
	}
	n.lines, n.audio = n.offer.lines, n.offer.audio
	n.pending = false
	n.current = &media
	return media, nil
}

// agree finds out what an answer to our offer means.
func (n *Negotiation) agree(answer []byte) (Media, error) {
	description, err := sdp.Parse(answer)
	if err != nil {
		return Media{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	theirs, err := n.answeredLine(description.Media)
	if err != nil {
		return Media{}, err
	}
	keys, err := n.answeredKeys(theirs)
	if err != nil {
		return Media{}, err
	}
	far, err := readFarEnd(theirs)
	if err != nil {
		return Media{}, err
	}
	ours := n.offer.lines[n.offer.audio].Codecs
	media := Media{
		Remote: far.rtp, RemoteRTCP: far.rtcp, RemoteHost: far.host,
		Receive: map[uint8]codec.Spec{}, EventSendPT: -1, EventRecvPT: -1, CNPT: payloadTypeOf(theirs.Codecs, isComfortNoise),
		Local: n.offer.direction.And(far.direction.Reverse()), RemoteHeld: n.heldAfter(far), Ptime: sendPtime(n.config.Ptime, theirs),
		SRTP: keys,
	}
	accepted := common(theirs.Codecs, n.offer.specs, false)
	if len(accepted) == 0 {
		return Media{}, fmt.Errorf("%w: the far end answers %s; this phone offered %s", ErrNoCommonCodec, names(theirs.Codecs), ownNames(n.offer.specs))
	}
	n.numbers.learn(theirs.Codecs)
	for _, c := range accepted { // the far end's numbers first, so that ours win
		media.Receive[c.PT], _ = specOf(n.offer.specs, c)
	}
	for _, c := range ours {
		if i := slices.IndexFunc(accepted, func(a sdp.Codec) bool { return encodingOf(a) == encodingOf(c) }); i >= 0 {
			media.Receive[c.PT], _ = specOf(n.offer.specs, c)
		}
	}
	media.Codec, _ = specOf(n.offer.specs, accepted[0])
	media.SendPT = accepted[0].PT
	if event, ok := eventAt(theirs.Codecs, media.Codec.ClockRate); ok && slices.ContainsFunc(ours, isEvent) {
		ourEvent, _ := eventAt(ours, event.ClockRate)
		media.EventSendPT, media.EventRecvPT = int(event.PT), int(ourEvent.PT)
	}
	return media, nil
}

// heldAfter tells from an answer whether the far end holds. While we do not
// send, its answer cannot say so, and what it said before holds.
func (n *Negotiation) heldAfter(far farEnd) bool {
	if n.offer.direction.Sends() {
		return !far.direction.Receives()
	}
	return n.current != nil && n.current.RemoteHeld
}

// answeredLine finds the answer to the m= line that we offered in its place, or
// wherever the far end put its only audio line.
func (n *Negotiation) answeredLine(lines []sdp.Media) (sdp.Media, error) {
	isAudio := func(m sdp.Media) bool { return m.Type == "audio" }
	index := n.offer.audio
	if index >= len(lines) || !isAudio(lines[index]) {
		if index = slices.IndexFunc(lines, isAudio); index < 0 {
			return sdp.Media{}, fmt.Errorf("%w in the far end's answer", ErrNoAudio)
		}
	}
	m := lines[index]
	if m.Port == 0 {
		return sdp.Media{}, ErrRejected
	}
	return m, n.checkProfile(m)
}
