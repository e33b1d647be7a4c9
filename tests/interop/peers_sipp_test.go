package interop

import (
	"testing"
	"time"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/peers"
	"ringmaster/tests/phones"
)

// echoed is how much sound must come back from SIPp, which echoes.
const echoed = 200 * time.Millisecond

// sippCase is a scenario of sipp/ and what our phone does meanwhile.
type sippCase struct {
	feature  string
	scenario string
	values   map[string]any // of the scenario
	phone    func(*duel)
}

// duel is our phone a against one SIPp.
type duel struct {
	t   *testing.T
	c   *mcpclient.Client
	a   *phones.Phone
	far *peers.SIPp
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
			client := mcpclient.Start(t, programs, mcpclient.Options{})
			a := phones.AddDirect(t, client, "a")
			far := start(t, c, a)
			c.phone(&duel{t, client, a, far})
			far.Done()
		})
	}
}

// TestCallsToSIPp lets the phone call SIPp, which answers by its scenario.
func TestCallsToSIPp(t *testing.T) {
	garbage := func(body string) map[string]any { return map[string]any{"body": body} }
	play(t, []sippCase{
		{feature: "early media (183 with SDP)", scenario: "early_media", phone: earlyMedia},
		{feature: "ACK lost: the 200 comes again", scenario: "ack_lost", phone: ackLost},
		{feature: "forked answers: first wins, other gets ACK and BYE", scenario: "forked", phone: talkThenHangUp},
		{feature: "CANCEL, 487", scenario: "cancelled", phone: cancelEarly(487)},
		{feature: "CANCEL crosses 200", scenario: "crossed", phone: cancelEarly(200)},
		{feature: "CANCEL waits for the first answer, and hangup for the CANCEL", scenario: "cancel_waits", phone: cancelWaits},
		{feature: "302 followed by preference", scenario: "redirect", phone: talkThenHangUp},
		{feature: "302 loop guard", scenario: "redirect_loop", phone: endsWith(302)},
		{feature: "401 and 407: several challenges, unknown algorithm, stale", scenario: "challenged", phone: talkThenHangUp},
		{feature: "401 again: wrong password", scenario: "wrong_password", phone: endsWith(401)},
		{feature: "407 again, with another nonce: asked once", scenario: "proxy_loop", phone: endsWith(407)},
		{feature: "401, every nonce stale: believed once", scenario: "stale_loop", phone: endsWith(401)},
		{feature: "503 with Retry-After ends the call", scenario: "refused", values: map[string]any{"status": "503 Service Unavailable"}, phone: endsWith(503)},
		{feature: "answer without common codec", scenario: "bad_answer", values: garbage("v=0\no=- 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 18\na=rtpmap:18 G729/8000\n"), phone: endsWith(488)},
		{feature: "answer refuses audio with port 0", scenario: "bad_answer", values: garbage("v=0\no=- 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\nm=audio 0 RTP/AVP 0\n"), phone: endsWith(488)},
		{feature: "garbage for an answer", scenario: "bad_answer", values: garbage("this is\nno description\n"), phone: endsWith(488)},
		{feature: "200 without an answer", scenario: "bad_answer", values: garbage(""), phone: endsWith(488)},
		{feature: "Record-Route: requests through two proxies", scenario: "routed", phone: talkThenHangUp},
		{feature: "BYE gets 481", scenario: "bye_unknown", phone: talkThenHangUp},
		{feature: "re-INVITE of the far end: sendonly, inactive, 0.0.0.0, recvonly, back", scenario: "held_by_far_end", phone: heldByFarEnd},
		{feature: "re-INVITE without SDP (late offer)", scenario: "late_reoffer", phone: lateReoffer},
		{feature: "hold refused: 488 changes nothing, 481 ends the call", scenario: "hold_refused", phone: holdRefused},
		{feature: "hold meets 500 with Retry-After, and comes again", scenario: "hold_later", phone: holdLater},
		{feature: "REFER refused, then a transfer that fails", scenario: "transfer_refused", phone: transferRefused},
		{feature: "glare: 491 to our re-INVITE, owner of the Call-ID", scenario: "glare_refused", phone: glareRefused},
		{feature: "glare: their re-INVITE meets ours, 491", scenario: "glare_met", phone: glareMet},
		{feature: "glare: both re-INVITE at once", scenario: "glare_both", phone: glareMet},
		{feature: "digits received by INFO, both bodies", scenario: "digits_in", phone: digitsIn},
		{feature: "digits sent by INFO", scenario: "digits_out", phone: digitsOut},
		{feature: "in a call: OPTIONS, unknown method, UPDATE, BYE, BYE again", scenario: "odd_requests", phone: hungUpOn},
	}, func(t *testing.T, c sippCase, _ *phones.Phone) *peers.SIPp {
		return peers.Wait(t, c.scenario, c.values)
	})
}

// talk calls SIPp and hears its echo.
func (d *duel) talk() (call int) {
	d.t.Helper()
	call = d.a.Call(d.far.URI())
	d.a.Reaches(call, "CONFIRMED")
	d.a.Receives(call, echoed)
	return call
}

// hears requires that what the phone plays comes back from SIPp now: it is
// heard at the far end, and from there.
func (d *duel) hears(call int) {
	d.t.Helper()
	d.a.Plays(call, 600)
	phones.Hear(phones.Ear{Phone: d.a, Call: call, Hz: 600})
}

func (d *duel) hangUp(call int) {
	d.t.Helper()
	d.a.Do("hangup", mcpclient.Args{"call_id": call})
	d.a.Ends(call, 200)
}

func talkThenHangUp(d *duel) { d.hangUp(d.talk()) }

// endsWith expects a call that the far end ends.
func endsWith(status int) func(*duel) {
	return func(d *duel) { d.a.Ends(d.a.Call(d.far.URI()), status) }
}

func hungUpOn(d *duel) {
	call := d.a.Call(d.far.URI())
	d.a.Ends(call, 200)
}

// earlyMedia: SIPp echoes what comes, from the 183 on.
func earlyMedia(d *duel) {
	call := d.a.Call(d.far.URI())
	d.a.Reaches(call, "EARLY")
	d.a.Plays(call, 600)
	d.a.Receives(call, echoed)
	d.a.Reaches(call, "CONFIRMED")
	d.hears(call)
	d.hangUp(call)
}

func ackLost(d *duel) {
	call := d.talk()
	d.far.Until(3, "ACK ")
	d.hangUp(call)
}

// cancelEarly hangs up a call that rings, which then ends with a status.
func cancelEarly(status int) func(*duel) {
	return func(d *duel) {
		call := d.a.Call(d.far.URI())
		d.a.Reaches(call, "EARLY")
		d.a.Do("hangup", mcpclient.Args{"call_id": call})
		d.a.Ends(call, status)
	}
}

// cancelWaits: the far end is silent for 1.3 s.
func cancelWaits(d *duel) {
	call := d.a.Call(d.far.URI())
	began := time.Now()
	done := d.a.Do("hangup", mcpclient.Args{"call_id": call})
	if took := time.Since(began); took < time.Second || done.Fields["warning"] != nil {
		d.t.Errorf("after %v hangup answers %s", took, done.Text)
	}
	d.a.Ends(call, 487)
}

func holdLater(d *duel) {
	call := d.talk()
	began := time.Now()
	d.a.Do("hold", mcpclient.Args{"call_id": call})
	if took := time.Since(began); took < time.Second {
		d.t.Errorf("the hold was final after %v, and Retry-After said 1 s", took)
	}
	d.a.Do("unhold", mcpclient.Args{"call_id": call})
	d.hears(call)
	d.hangUp(call)
}

// heldByFarEnd: after the last re-INVITE, sound comes again.
func heldByFarEnd(d *duel) {
	call := d.a.Call(d.far.URI())
	d.a.Reaches(call, "CONFIRMED")
	d.far.Until(1, "ACK ")
	d.far.Until(5, "SIP/2.0 200")
	d.hears(call)
	d.hangUp(call)
}

// lateReoffer: the ACK chose PCMA.
func lateReoffer(d *duel) {
	call := d.a.Call(d.far.URI())
	d.a.Reaches(call, "CONFIRMED")
	d.codecIs(call, "PCMA")
	d.hears(call)
	d.hangUp(call)
}

// codecIs waits until a call uses a codec.
func (d *duel) codecIs(call int, codec string) {
	d.t.Helper()
	d.c.Until(phones.Patience, "codec "+codec, "a_get_call_info", mcpclient.Args{"call_id": call},
		func(a mcpclient.Answer) bool { return a.String("codec") == codec })
}

// offerPCMA re-INVITEs the phone's calls.
func (d *duel) offerPCMA() {
	d.t.Helper()
	d.c.Must("update_phone", mcpclient.Args{"phone_id": "a", "codecs": []string{"PCMA"}})
}

func holdRefused(d *duel) {
	call := d.talk()
	args := mcpclient.Args{"call_id": call}
	d.a.Refuses("hold", args, "488")
	d.hears(call)
	d.a.Refuses("hold", args, "481")
	d.a.Ends(call, 481)
}

func transferRefused(d *duel) {
	call := d.talk()
	args := mcpclient.Args{"call_id": call, "dest_uri": "sip:c@127.0.0.1:9"}
	d.a.Refuses("blind_transfer", args, "603")
	after := d.a.Do("blind_transfer", args).Int("cursor")
	failed := d.c.Must("wait_for_event", mcpclient.Args{"type": "transfer.failed", "call_id": call, "after": after})
	if status := failed.Object("event").Object("data").Int("status"); status != 486 {
		d.t.Errorf("transfer.failed says %s, want 486", failed.Text)
	}
	d.hears(call)
	d.hangUp(call)
}

func glareRefused(d *duel) {
	call := d.talk()
	began := time.Now()
	d.offerPCMA()
	if took := time.Since(began); took < 2100*time.Millisecond || took > 5*time.Second {
		d.t.Errorf("the re-INVITE was final after %v; the owner of the Call-ID waits 2.1 to 4 s", took)
	}
	d.codecIs(call, "PCMA")
	d.hears(call)
	d.hangUp(call)
}

func glareMet(d *duel) {
	call := d.talk()
	d.offerPCMA()
	d.codecIs(call, "PCMA")
	d.hears(call)
	d.hangUp(call)
}

func digitsIn(d *duel) {
	call := d.talk()
	d.a.Digits(0, call, "5#")
	d.hangUp(call)
}

func digitsOut(d *duel) {
	call := d.talk()
	d.a.Sends(call, "7,D") // in the pause nothing comes
	d.far.Until(2, "INFO ")
	d.hangUp(call)
}
