package interop

import (
	"testing"
	"time"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/peers"
	"ringmaster/tests/phones"
)

// sippCase is a scenario of sipp/ and what our phone does meanwhile.
type sippCase struct {
	feature  string
	scenario string
	phone    func(t *testing.T, a *phones.Phone, far *peers.SIPp)
	values   map[string]any
}

// play runs cases side by side, each with a server and a phone of its own.
func play(t *testing.T, cases []sippCase, start func(t *testing.T, c sippCase, a *phones.Phone) *peers.SIPp) {
	if !peers.Wanted() {
		t.Skipf("%s is not 1: run this by `make interop`", peers.Variable)
	}
	for _, c := range cases {
		t.Run(c.feature, func(t *testing.T) {
			t.Parallel()
			covers(t, c.feature, "SIPp")
			a := phones.AddDirect(t, mcpclient.Start(t, programs, mcpclient.Options{}), "a")
			far := start(t, c, a)
			c.phone(t, a, far)
			far.Done()
		})
	}
}

// echoed is how much sound must come back from SIPp, which echoes.
const echoed = 200 * time.Millisecond

// TestCallsToSIPp lets the phone call SIPp, which answers by its scenario.
func TestCallsToSIPp(t *testing.T) {
	play(t, []sippCase{
		{feature: "early media (183 with SDP)", scenario: "early_media", phone: earlyMedia},
		{feature: "ACK lost: the 200 comes again", scenario: "ack_lost", phone: ackLost},
		{feature: "forked answers: first wins, other gets ACK and BYE", scenario: "forked", phone: talkThenHangUp},
		{feature: "CANCEL, 487", scenario: "cancelled", phone: cancelEarly(487)},
		{feature: "CANCEL crosses 200", scenario: "crossed", phone: cancelEarly(200)},
	}, func(t *testing.T, c sippCase, a *phones.Phone) *peers.SIPp {
		return peers.Wait(t, c.scenario, c.values)
	})
}

func talkThenHangUp(t *testing.T, a *phones.Phone, far *peers.SIPp) {
	call := a.Call(far.URI())
	a.Reaches(call, "CONFIRMED")
	a.Receives(call, echoed)
	a.Do("hangup", mcpclient.Args{"call_id": call})
	a.Ends(call, 200)
}

// earlyMedia: SIPp echoes what comes, from the 183 on.
func earlyMedia(_ *testing.T, a *phones.Phone, far *peers.SIPp) {
	call := a.Call(far.URI())
	a.Reaches(call, "EARLY")
	a.Receives(call, echoed)
	a.Reaches(call, "CONFIRMED")
	a.Receives(call, echoed)
	a.Do("hangup", mcpclient.Args{"call_id": call})
	a.Ends(call, 200)
}

func ackLost(t *testing.T, a *phones.Phone, far *peers.SIPp) {
	call := a.Call(far.URI())
	a.Reaches(call, "CONFIRMED")
	far.Until(3, "ACK ")
	a.Do("hangup", mcpclient.Args{"call_id": call})
	a.Ends(call, 200)
}

// cancelEarly hangs up a call that rings, which then ends with a status.
func cancelEarly(status int) func(*testing.T, *phones.Phone, *peers.SIPp) {
	return func(_ *testing.T, a *phones.Phone, far *peers.SIPp) {
		call := a.Call(far.URI())
		a.Reaches(call, "EARLY")
		a.Do("hangup", mcpclient.Args{"call_id": call})
		a.Ends(call, status)
	}
}
