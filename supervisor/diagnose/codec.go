package diagnose

import (
	"fmt"
	"strings"
	"time"

	"ringmaster/proto/sdp"
)

// Names that are no speech.
const (
	eventName = "telephone-event"
	noiseName = "CN"
)

// IsSpeech says whether a codec's name is one that a phone's list of codecs
// decides on: telephone-event and comfort noise go with any.
func IsSpeech(codec string) bool {
	return !strings.EqualFold(codec, eventName) && !strings.EqualFold(codec, noiseName)
}

// codecOf names a payload type: by the description of the port that it is sent
// to, else of the one that it comes from, that was in force then; else by
// RFC 3551; else by what most phones use.
func codecOf(known []Described, at time.Time, d datagram, payloadType uint8) sdp.Codec {
	for _, port := range []uint16{d.to.Port(), d.from.Port()} {
		if c, ok := described(known, at, int(port), payloadType); ok {
			return c
		}
	}
	if c, ok := sdp.Static(payloadType); ok {
		return c
	}
	if payloadType == 101 || payloadType == 120 {
		return sdp.Codec{PT: payloadType, Name: eventName, ClockRate: 8000}
	}
	return sdp.Codec{PT: payloadType, Name: fmt.Sprintf("PT=%d", payloadType)}
}

// described finds the last description of a port up to a moment that names the
// payload type, or else the first after it: media may be faster than SIP.
func described(known []Described, at time.Time, port int, payloadType uint8) (found sdp.Codec, ok bool) {
	var when time.Time
	for _, d := range known {
		for _, m := range d.Media {
			if m.Port != port {
				continue
			}
			for _, c := range m.Codecs {
				if c.PT != payloadType {
					continue
				}
				if !ok || better(d.At, when, at) {
					found, when, ok = c, d.At, true
				}
			}
		}
	}
	return found, ok
}

// better says whether a description's time fits a moment better than another's.
func better(this, other, at time.Time) bool {
	if other.After(at) {
		return this.Before(other)
	}
	return !this.After(at) && !this.Before(other)
}

// jitterRate is the clock that a codec's timestamps keep; 0 for those that
// stand still or are not known.
func jitterRate(c sdp.Codec) int {
	if !IsSpeech(c.Name) {
		return 0
	}
	return c.ClockRate
}
