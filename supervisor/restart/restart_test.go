package restart

import (
	"testing"
	"time"
)

func TestPolicy(t *testing.T) {
	const s = time.Second
	stays := time.Duration(-1)
	for _, tc := range []struct {
		name   string
		deaths []time.Duration // since the start
		want   []time.Duration // the delay after each; stays: not restarted
	}{
		{"one", []time.Duration{s}, []time.Duration{0}},
		{"the fourth at once", []time.Duration{0, s, 2 * s, 3 * s}, []time.Duration{0, 250 * time.Millisecond, s, stays}},
		{"the fourth just inside the window", []time.Duration{0, s, 2 * s, 60*s - 1}, []time.Duration{0, 250 * time.Millisecond, s, stays}},
		{"the fourth at its end", []time.Duration{0, s, 2 * s, 60 * s}, []time.Duration{0, 250 * time.Millisecond, s, s}},
		{"old deaths are forgotten", []time.Duration{0, s, 100 * s, 200 * s}, []time.Duration{0, 250 * time.Millisecond, 0, 0}},
		{"a slow stream of deaths", []time.Duration{0, 21 * s, 42 * s, 63 * s, 84 * s}, []time.Duration{0, 250 * time.Millisecond, s, s, s}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			start := time.Unix(1e9, 0)
			var recent []time.Time
			for i, at := range tc.deaths {
				var d Decision
				recent, d = Died(recent, start.Add(at))
				if d.Restart != (tc.want[i] != stays) || d.Restart && d.Delay != tc.want[i] {
					t.Errorf("death %d: %+v, want %v", i+1, d, tc.want[i])
				}
				if !d.Restart && d.Reason != "its worker ended 4 times within 60 s" {
					t.Errorf("reason %q", d.Reason)
				}
				if len(recent) > Limit+1 {
					t.Errorf("%d deaths are remembered", len(recent))
				}
			}
		})
	}
}
