package quality

import "time"

// Impairment is what a codec costs by itself, and how it bears random loss
// (ITU-T G.113, appendix I).
type Impairment struct {
	Equipment  float64 // Ie
	Robustness float64 // Bpl, in percent
}

// G711Concealed is G.711 with concealment by its Appendix I. It stands for
// every codec that a phone has today: the E-model is of narrow-band telephony,
// in which G.722 and linear samples are no worse than G.711, and what is lost
// of them is concealed in the same way.
var G711Concealed = Impairment{Equipment: 0, Robustness: 25.1}

// Rating is the factor R of the E-model of ITU-T G.107, from 0 to 93.2, with
// every parameter but delay, codec and random loss at its default:
// R = 93.2 - Id - Ie,eff. The delay's part is the usual approximation by two
// straight lines. delay is one way, mouth to ear; loss from 0 to 1.
func Rating(delay time.Duration, loss float64, codec Impairment) float64 {
	ms := float64(delay) / float64(time.Millisecond)
	id := 0.024 * ms
	if ms > 177.3 {
		id += 0.11 * (ms - 177.3)
	}
	percent := 100 * loss
	ie := codec.Equipment + (95-codec.Equipment)*percent/(percent+codec.Robustness)
	return max(0, 93.2-id-ie)
}

// MOS estimates how a listener would rate a call of rating r, from 1 to 4.5:
// the mapping of ITU-T G.107, annex B.
func MOS(r float64) float64 {
	switch {
	case r <= 0:
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1, 1+0.035*r+r*(r-60)*(100-r)*7e-6)
}
