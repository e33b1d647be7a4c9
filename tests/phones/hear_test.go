package phones

import (
	"math"
	"testing"
)

func TestWhatCountsAsHeard(t *testing.T) {
	power := math.Pow(10, ToneLevel/10)
	steady := func(ms, lasted float64) heard {
		return heard{lasted: lasted, heard: ms, power: ms * power, hz: 600, tone: ms}
	}
	from := steady(2000, 2000)
	for name, c := range map[string]struct {
		change func(*heard)
		heard  bool
	}{
		"a second of the tone":  {func(*heard) {}, true},
		"another frequency":     {func(h *heard) { h.hz = 610 }, false},
		"3 dB too loud":         {func(h *heard) { h.power += 1000 * power }, false},
		"3 dB too quiet":        {func(h *heard) { h.power -= 500 * power }, false},
		"1 dB too quiet":        {func(h *heard) { h.power -= 200 * power }, true},
		"a gap":                 {func(h *heard) { h.lasted += 300 }, false},
		"silence":               {func(h *heard) { *h = from; h.lasted += 1000 }, false},
		"something else louder": {func(h *heard) { h.tone -= 300 }, false},
	} {
		to := steady(3000, 3000)
		c.change(&to)
		if why := (Ear{Hz: 600}).fault(from, to); (why == "") != c.heard {
			t.Errorf("%s: %q", name, why)
		}
	}
}
