package dtmf

// remembered is how many events are known not to be new when a packet of theirs
// comes once more.
const remembered = 32

// Receiver tells digits from telephone-event packets: each digit once, with the
// first packet of it that arrives, whatever is lost, doubled or out of order.
// The zero value is ready.
type Receiver struct {
	seen [remembered]event // a ring
	next int
}

// event is one event, or one segment of a long one.
type event struct {
	known     bool
	ssrc      uint32
	timestamp uint32
	code      byte
	duration  uint32 // the longest that was told
	ended     bool
}

// Packet takes one packet. ok tells that it is the first of a digit.
func (r *Receiver) Packet(ssrc, timestamp uint32, marker bool, payload []byte) (digit byte, ok bool) {
	if len(payload) < 4 || int(payload[0]) >= len(keys) {
		return 0, false
	}
	e := event{
		known: true, ssrc: ssrc, timestamp: timestamp, code: payload[0],
		duration: uint32(payload[2])<<8 | uint32(payload[3]), ended: payload[1]&0x80 != 0,
	}
	if old := r.find(e); old != nil {
		old.duration = max(old.duration, e.duration)
		old.ended = old.ended || e.ended
		return 0, false
	}
	isNew := marker || !r.continued(e)
	r.seen[r.next] = e
	r.next = (r.next + 1) % remembered
	return keys[e.code], isNew
}

func (r *Receiver) find(e event) *event {
	for i := range r.seen {
		if s := &r.seen[i]; s.known && s.ssrc == e.ssrc && s.timestamp == e.timestamp && s.code == e.code {
			return s
		}
	}
	return nil
}

// longest is the highest duration of a segment (RFC 4733 §2.5.1.3).
const longest = 0xFFFF

// continued reports whether e goes on with an event that is known: as the next
// segment of one longer than a packet can tell, which begins exactly where the
// other ends, or as a sender has it that moves the timestamp with each packet.
// A new digit begins later, since some time lies between two.
func (r *Receiver) continued(e event) bool {
	for _, s := range r.seen {
		if !s.known || s.ssrc != e.ssrc || s.code != e.code || s.ended {
			continue
		}
		if after := e.timestamp - s.timestamp; after <= s.duration || after == longest {
			return true
		}
	}
	return false
}
