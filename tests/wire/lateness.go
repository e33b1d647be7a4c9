package wire

import (
	"slices"
	"time"
)

// Lateness tells how late packets were, against the moments at which an even
// sender would have sent them.
type Lateness struct {
	Packets           int
	P50, P99, Longest time.Duration
}

// Late measures flows of packets, each of one sender that sends every period.
// The even moments of a flow are those by which its earliest packet is on time.
func Late(period time.Duration, flows ...[]Packet) Lateness {
	var late []time.Duration
	for _, flow := range flows {
		from := len(late)
		at := time.Duration(0) // of the packet in an even flow
		for i, p := range flow {
			if i > 0 {
				at += time.Duration(int16(p.Sequence-flow[i-1].Sequence)) * period
			}
			late = append(late, p.At.Sub(flow[0].At)-at)
		}
		if own := late[from:]; len(own) > 0 {
			earliest := slices.Min(own)
			for i := range own {
				own[i] -= earliest
			}
		}
	}
	if len(late) == 0 {
		return Lateness{}
	}
	slices.Sort(late)
	at := func(share float64) time.Duration { return late[min(len(late)-1, int(share*float64(len(late))))] }
	return Lateness{Packets: len(late), P50: at(0.5), P99: at(0.99), Longest: late[len(late)-1]}
}
