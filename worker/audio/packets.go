package audio

import (
	"sync/atomic"
	"time"

	"ringmaster/worker/jitter"
)

// packetSlots is how many packets may arrive between two ticks of the clock:
// over a second of one call's, as a late clock finds them.
const packetSlots = 64

// packetQueue hands packets from the reader to the clock without a lock. It
// copies them; its slots grow to the size of the payloads and stay.
type packetQueue struct {
	slots      [packetSlots]arrived
	taken, put atomic.Uint32 // how many in all: the clock's, and the reader's
}

// arrived is a packet with when it came.
type arrived struct {
	at time.Time
	jitter.Packet
	clockRate int
}

// add queues a packet. It reports false, and drops it, when the queue is full.
func (q *packetQueue) add(a arrived) bool {
	n := q.put.Load()
	if n-q.taken.Load() == packetSlots {
		return false
	}
	slot := &q.slots[n%packetSlots]
	payload := append(slot.Payload[:0], a.Payload...)
	*slot = a
	slot.Payload = payload
	q.put.Store(n + 1)
	return true
}

// peek is the oldest packet, nil when there is none. It stays until drop.
func (q *packetQueue) peek() *arrived {
	n := q.taken.Load()
	if n == q.put.Load() {
		return nil
	}
	return &q.slots[n%packetSlots]
}

func (q *packetQueue) drop() { q.taken.Add(1) }
