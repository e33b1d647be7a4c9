package siptx

import "time"

// Timers are the base values of RFC 3261 §17.1.1.1; every timer A to M is
// derived from them. A zero field has the RFC's default.
type Timers struct {
	T1     time.Duration // round-trip estimate; 500 ms
	T2     time.Duration // longest interval between retransmissions; 4 s
	T4     time.Duration // longest life of a message in the network; 5 s
	Trying time.Duration // a silent user's INVITE gets 100 after this; 200 ms (§17.2.1)
}

func (t Timers) withDefaults() Timers {
	def := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&t.T1, 500*time.Millisecond)
	def(&t.T2, 4*time.Second)
	def(&t.T4, 5*time.Second)
	def(&t.Trying, 200*time.Millisecond)
	return t
}

// Give-up time of every transaction (timers B, D, F, H, J, L, M): 64*T1.
func (t Timers) giveUp() time.Duration { return 64 * t.T1 }

// first is how long a timer runs when it is armed, per RFC 3261 Table 4 and
// RFC 6026 §7. D, I, J and K wait for retransmissions, which a reliable
// transport does not have.
func (t Timers) first(timer Input, reliable bool) time.Duration {
	switch timer {
	case TimerA, TimerE, TimerG:
		return t.T1
	case TimerB, TimerF, TimerH, TimerL, TimerM:
		return t.giveUp()
	case TimerD, TimerJ:
		if reliable {
			return 0
		}
		return t.giveUp()
	case TimerI, TimerK:
		if reliable {
			return 0
		}
		return t.T4
	case TimerTrying:
		return t.Trying
	default:
		return 0
	}
}

// next is the interval after last of a retransmission timer: A doubles
// (§17.1.1.2), E and G double up to T2 (§17.1.2.2, §17.2.1).
func (t Timers) next(timer Input, last time.Duration) time.Duration {
	if timer == TimerA {
		return 2 * last
	}
	return min(2*last, t.T2)
}
