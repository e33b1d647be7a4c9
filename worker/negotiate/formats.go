package negotiate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ringmaster/proto/sdp"
	"ringmaster/worker/codec"
)

const (
	firstDynamic, lastDynamic = 96, 127 // RFC 3551 §6
	usualEvent                = 101     // what most phones use for telephone-event
)

// encoding is what a payload type number stands for.
type encoding struct {
	name      string // in lower case
	clockRate int
}

func encodingOf(c sdp.Codec) encoding { return encoding{strings.ToLower(c.Name), c.ClockRate} }

// numbers remembers every payload type that either side has named in the
// dialog: a number keeps its meaning for the dialog's life (RFC 3264 §8.3.2).
type numbers map[uint8]encoding

// learn takes over what the far end has named, except where it gives a new
// meaning to a number: each side's numbers are its own (RFC 3264 §6.1), and
// ours stay.
func (n numbers) learn(codecs []sdp.Codec) {
	for _, c := range codecs {
		if _, taken := n[c.PT]; !taken {
			n[c.PT] = encodingOf(c)
		}
	}
}

// take finds the number of e: one that it has, else wish, else a free one.
func (n numbers) take(e encoding, wish uint8) (uint8, error) {
	free := -1
	for pt := firstDynamic; pt <= lastDynamic; pt++ {
		have, taken := n[uint8(pt)]
		switch {
		case taken && have == e:
			return uint8(pt), nil
		case !taken && (free < 0 && pt != usualEvent || pt == int(wish)):
			free = pt
		}
	}
	if free < 0 {
		return 0, fmt.Errorf("%w: no payload type is left for %s/%d; hang up and call again", ErrLocal, e.name, e.clockRate)
	}
	n[uint8(free)] = e
	return uint8(free), nil
}

// describe is a codec as SDP has it.
func describe(s codec.Spec, pt uint8) sdp.Codec {
	return sdp.Codec{PT: pt, Name: s.Name, ClockRate: s.ClockRate, Channels: rtpChannels(s)}
}

// rtpChannels is the channel count in a=rtpmap. Opus always says 2, whatever
// it carries (RFC 7587 §7).
func rtpChannels(s codec.Spec) int {
	if strings.EqualFold(s.Name, "opus") {
		return 2
	}
	return s.Channels
}

// same reports whether an SDP codec is s.
func same(c sdp.Codec, s codec.Spec) bool {
	return strings.EqualFold(c.Name, s.Name) && c.ClockRate == s.ClockRate && c.Channels == rtpChannels(s)
}

func specOf(specs []codec.Spec, c sdp.Codec) (codec.Spec, bool) {
	i := slices.IndexFunc(specs, func(s codec.Spec) bool { return same(c, s) })
	if i < 0 {
		return codec.Spec{}, false
	}
	return specs[i], true
}

// common lists the far end's codecs that we have, each once: in the far end's
// order, or in ours.
func common(theirs []sdp.Codec, ours []codec.Spec, ownOrder bool) []sdp.Codec {
	var both []sdp.Codec
	if ownOrder {
		for _, s := range ours {
			if i := slices.IndexFunc(theirs, func(c sdp.Codec) bool { return same(c, s) }); i >= 0 {
				both = append(both, describe(s, theirs[i].PT))
			}
		}
		return both
	}
	taken := map[encoding]bool{}
	for _, c := range theirs {
		if s, ok := specOf(ours, c); ok && !taken[encodingOf(c)] {
			taken[encodingOf(c)] = true
			both = append(both, describe(s, c.PT))
		}
	}
	return both
}

func isEvent(c sdp.Codec) bool        { return strings.EqualFold(c.Name, "telephone-event") }
func isComfortNoise(c sdp.Codec) bool { return strings.EqualFold(c.Name, "CN") }

// eventAt is the telephone-event of a clock rate among codecs, else the first
// one there is: RFC 4733 §2.5.1.1 wants the audio's clock, but gateways offer
// 8000 beside any codec.
func eventAt(codecs []sdp.Codec, clockRate int) (sdp.Codec, bool) {
	first := -1
	for i, c := range codecs {
		if !isEvent(c) {
			continue
		}
		if c.ClockRate == clockRate {
			return c, true
		}
		if first < 0 {
			first = i
		}
	}
	if first < 0 {
		return sdp.Codec{}, false
	}
	return codecs[first], true
}

// acceptEvents lists the offered telephone-events that go with the codecs of
// our answer. Ours are the events 0 to 16 (16 is the hook flash); towards a
// far end that does not name 16 we do not either (RFC 4733 §2.4.1).
func acceptEvents(offered, answered []sdp.Codec) []sdp.Codec {
	var events []sdp.Codec
	for _, c := range answered {
		event, ok := eventAt(offered, c.ClockRate)
		if !ok || slices.ContainsFunc(events, func(e sdp.Codec) bool { return e.PT == event.PT }) {
			continue
		}
		if event.Fmtp = "0-15"; namesFlash(offered, event.PT) {
			event.Fmtp = "0-16"
		}
		events = append(events, event)
	}
	return events
}

// namesFlash reports whether event 16 is in the list of a telephone-event's
// fmtp, as in "0-16" or "0-11,16".
func namesFlash(codecs []sdp.Codec, pt uint8) bool {
	i := slices.IndexFunc(codecs, func(c sdp.Codec) bool { return c.PT == pt })
	for part := range strings.SplitSeq(codecs[i].Fmtp, ",") {
		low, high, ranged := strings.Cut(strings.TrimSpace(part), "-")
		if !ranged {
			high = low
		}
		from, err := strconv.Atoi(low)
		to, err2 := strconv.Atoi(high)
		if err == nil && err2 == nil && from <= 16 && 16 <= to {
			return true
		}
	}
	return false
}

// payloadTypeOf is the number of the first codec that is meant; -1 when there
// is none.
func payloadTypeOf(codecs []sdp.Codec, meant func(sdp.Codec) bool) int {
	if i := slices.IndexFunc(codecs, meant); i >= 0 {
		return int(codecs[i].PT)
	}
	return -1
}

// names lists codecs for a sentence. They come from the network: few and short.
func names(codecs []sdp.Codec) string {
	var list []string
	for _, c := range codecs {
		if isEvent(c) || isComfortNoise(c) {
			continue
		}
		if len(list) == 10 {
			list = append(list, "…")
			break
		}
		list = append(list, fmt.Sprintf("%.32q", c.Name))
	}
	if list == nil {
		return "none"
	}
	return strings.ReplaceAll(strings.Join(list, ", "), `"`, "")
}

func ownNames(specs []codec.Spec) string {
	var list []string
	for _, s := range specs {
		list = append(list, s.Name)
	}
	return strings.Join(list, ", ")
}
