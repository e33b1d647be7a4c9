package audio

import "ringmaster/worker/resample"

// converter brings frames of 20 ms to one rate, whatever their own is.
type converter struct {
	to   int
	from map[int]*resample.Resampler
	out  []int16
	used int // samples of out that the call before gave
	last int // rate of the frame before
}

// rates are the sample rates of all codecs and sources.
var rates = [...]int{8000, 16000}

// newConverter makes a converter to a rate, from each that there is.
func newConverter(to int) *converter {
	c := &converter{to: to, from: make(map[int]*resample.Resampler, len(rates)), out: make([]int16, 0, 4*samples(to))}
	for _, rate := range rates {
		if rate != to {
			c.from[rate] = resample.New(rate, to)
		}
	}
	return c
}

// frame converts one frame of samples at the given rate. The result is valid
// until the next call; it is the frame itself when there is nothing to do.
func (c *converter) frame(pcm []int16, rate int) []int16 {
	if rate != c.last {
		c.out, c.used, c.last = c.out[:0], 0, rate
	}
	if rate == c.to {
		return pcm
	}
	n := samples(c.to)
	c.out = c.out[:copy(c.out, c.out[c.used:])]
	c.out = c.from[rate].Process(c.out, pcm)
	if short := n - len(c.out); short > 0 { // the filter gives its first samples late
		c.out = c.out[:n]
		copy(c.out[short:], c.out[:n-short])
		clear(c.out[:short])
	}
	c.used = n
	return c.out[:n]
}
