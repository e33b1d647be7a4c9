// Package restart decides, from the times of a worker's deaths alone, whether
// it is started again and when.
package restart

import (
	"fmt"
	"time"
)

// The policy: a worker that dies more than Limit times within Window stays
// down.
const (
	Window = 60 * time.Second
	Limit  = 3
)

// Decision is what to do after a death.
type Decision struct {
	Restart bool
	Delay   time.Duration // before the restart
	Reason  string        // for staying down
}

// Died decides about a death at now. recent is what Died returned for the
// death before, nil for the first; the new one holds the deaths that still
// count, oldest first.
//
//	deaths within Window   1     2        3     4
//	                       now   250 ms   1 s   stays down
func Died(recent []time.Time, now time.Time) ([]time.Time, Decision) {
	var counted []time.Time
	for _, t := range recent {
		if now.Sub(t) < Window {
			counted = append(counted, t)
		}
	}
	counted = append(counted, now)
	if len(counted) > Limit {
		return counted, Decision{Reason: fmt.Sprintf("its worker ended %d times within %d s", len(counted), Window/time.Second)}
	}
	return counted, Decision{Restart: true, Delay: delay(len(counted))}
}

func delay(deaths int) time.Duration {
	switch deaths {
	case 1:
		return 0
	case 2:
		return 250 * time.Millisecond
	default:
		return time.Second
	}
}
