package codec

// concealer fills holes in the decoded signal the way ITU-T G.711 Appendix I
// does: it repeats the last pitch period, fades it out, and blends it into the
// first samples that arrive again.
type concealer struct {
	rate    int
	history []int16 // the newest 50 ms that were received
	period  []int16 // what is repeated while packets are missing
	lost    int     // samples concealed since the last received one
}

// The search for the pitch, as in G.711 Appendix I: 66 to 200 Hz.
const (
	historyMS   = 50
	longestMS   = 15
	shortestMS  = 5
	compareMS   = 20
	fullLevelMS = 10 // concealed at full level,
	fadedMS     = 60 // and silent from here on
	blendMS     = 4
)

func newConcealer(rate int) concealer {
	perMS := rate / 1000
	return concealer{
		rate:    rate,
		history: make([]int16, historyMS*perMS),
		period:  make([]int16, 0, longestMS*perMS),
	}
}

// received notes samples that were decoded; after a hole it first blends their
// beginning with the continuation of what was concealed.
func (c *concealer) received(pcm []int16) {
	if c.lost > 0 {
		n := min(len(pcm), blendMS*c.rate/1000)
		for i := range n {
			old := int(c.next())
			pcm[i] = int16((old*(n-i) + int(pcm[i])*i) / n)
		}
		c.lost = 0
	}
	if len(pcm) >= len(c.history) {
		copy(c.history, pcm[len(pcm)-len(c.history):])
		return
	}
	copy(c.history, c.history[len(pcm):])
	copy(c.history[len(c.history)-len(pcm):], pcm)
}

// Conceal appends n samples in place of ones that were lost.
func (c *concealer) Conceal(dst []int16, n int) []int16 {
	if c.lost == 0 && n > 0 {
		lag := c.pitch()
		c.period = append(c.period[:0], c.history[len(c.history)-lag:]...)
	}
	for range n {
		dst = append(dst, c.next())
	}
	return dst
}

// next is one concealed sample.
func (c *concealer) next() int16 {
	full, faded := fullLevelMS*c.rate/1000, fadedMS*c.rate/1000
	if c.lost >= faded {
		return 0
	}
	v := int(c.period[c.lost%len(c.period)])
	if c.lost > full {
		v = v * (faded - c.lost) / (faded - full)
	}
	c.lost++
	return int16(v)
}

// pitch is the lag, in samples, at which the end of the history resembles
// itself most: the highest normalised correlation.
func (c *concealer) pitch() int {
	perMS := c.rate / 1000
	h := c.history
	recent := h[len(h)-compareMS*perMS:]
	best, bestScore := shortestMS*perMS, -1.0
	for lag := shortestMS * perMS; lag <= longestMS*perMS; lag++ {
		before := h[len(h)-len(recent)-lag:]
		var dot, energy float64
		for i := 0; i < len(recent); i += 2 { // every second one decides as well, in half the time
			dot += float64(recent[i]) * float64(before[i])
			energy += float64(before[i]) * float64(before[i])
		}
		if dot <= 0 || energy == 0 {
			continue
		}
		if score := dot * dot / energy; score > bestScore {
			best, bestScore = lag, score
		}
	}
	return best
}
