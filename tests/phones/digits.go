package phones

import (
	"time"

	"ringmaster/tests/mcpclient"
)

// Sends lets the phone send telephone digits on a call, and returns the
// position in the journal before which none of them can have arrived.
func (p *Phone) Sends(call int, digits string) (cursor int) {
	p.t.Helper()
	return p.Do("send_dtmf", mcpclient.Args{"call_id": call, "digits": digits}).Int("cursor")
}

// Digits waits for as many telephone digits as there are in want, after a
// position of the journal, and requires that they are these, in order.
func (p *Phone) Digits(after, call int, want string) {
	p.t.Helper()
	var got string
	for len(got) < len(want) {
		a := p.c.Must("wait_for_event", mcpclient.Args{
			"type": "dtmf.in", "phone_id": p.ID, "call_id": call, "after": after, "timeout_ms": int(Patience / time.Millisecond),
		})
		if a.Bool("timed_out") {
			p.t.Fatalf("%s received the digits %q, want %q", p.ID, got, want)
		}
		got += a.Object("event").Object("data").String("digit")
		after = a.Int("cursor")
	}
	if got != want {
		p.t.Errorf("%s received the digits %q, want %q", p.ID, got, want)
	}
}
