package harm

import (
	"encoding/binary"
	"testing"

	"ringmaster/worker/quality"
)

// What a mill says it did is what a receiver counts.
func TestAMillCountsWhatItDoes(t *testing.T) {
	for _, p := range []Plan{
		{}, {Drop: 0.05}, {Swap: 0.1}, {Double: 0.1}, {Drop: 0.1, Swap: 0.1, Double: 0.1},
	} {
		for seed := range uint64(20) {
			p.Seed = seed
			m := newMill(p)
			var r quality.Receiver
			arrived := 0
			for i := range 2000 {
				packet := make([]byte, 12)
				binary.BigEndian.PutUint16(packet[2:], uint16(64000+i))
				for _, out := range m.grind(packet) {
					r.Packet(binary.BigEndian.Uint16(out[2:]))
					arrived++
				}
			}
			got := Done{arrived, int(r.Lost()), int(r.Duplicates()), int(r.Reordered())}
			if got != m.done {
				t.Errorf("%+v: a receiver counts %+v, the mill %+v", p, got, m.done)
			}
		}
	}
}
