package phones

import (
	"math"
	"time"

	"ringmaster/tests/mcpclient"
)

// Sees waits for an event at the phone, after a position of the journal, and
// returns it with the position after it.
func (p *Phone) Sees(after int, eventType string, match mcpclient.Args) (event mcpclient.Answer, cursor int) {
	p.t.Helper()
	a := p.c.Must("wait_for_event", mcpclient.Args{
		"type": eventType, "phone_id": p.ID, "match": match, "after": after, "timeout_ms": int(Patience / time.Millisecond),
	})
	if a.Bool("timed_out") {
		p.t.Fatalf("%s saw no %s %v", p.ID, eventType, match)
	}
	return a.Object("event"), a.Int("cursor")
}

// When waits for an event at the phone, after a position of the journal, and
// returns when it happened.
func (p *Phone) When(after int, eventType string) time.Time {
	p.t.Helper()
	event, _ := p.Sees(after, eventType, nil)
	ts, ok := event.Fields["ts"].(float64)
	if !ok {
		p.t.Fatalf("the event has no ts: %s", event.Text)
	}
	seconds, fraction := math.Modf(ts)
	return time.Unix(int64(seconds), int64(fraction*1e9))
}
