package interop

import (
	"fmt"
	"testing"
	"time"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/peers"
	"ringmaster/tests/phones"
)

// TestCallsFromSIPp lets SIPp call the phone.
func TestCallsFromSIPp(t *testing.T) {
	refused := func(status int, says, first, second string) map[string]any {
		return map[string]any{"status": status, "says": says, "first": first, "second": second}
	}
	const head = "v=0\no=- 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\n"
	play(t, []sippCase{
		{feature: "call in, BYE out", scenario: "calls_and_talks", phone: answerThenHangUp},
		{feature: "ACK late: our 200 is repeated", scenario: "ack_late", phone: ackLate},
		{feature: "ACK missing: BYE after 32 s", scenario: "never_acked", phone: neverAcked},
		{feature: "early media from our phone (183 with SDP)", scenario: "early_media_in", phone: earlyMediaIn},
		{feature: "INVITE without SDP (late offer)", scenario: "late_offer", phone: lateOffer},
		{feature: "late offer without an answer", scenario: "late_offer_unanswered", phone: lateOfferUnanswered},
		{feature: "CANCEL from the far end", scenario: "gives_up", phone: givenUp},
		{feature: "CANCEL from the far end crosses our 200", scenario: "gives_up_late", phone: givenUpLate},
		{feature: "PRACK required: 420", scenario: "invite_refused", values: refused(420, "Unsupported: 100rel", "Require: 100rel", ""), phone: nothing},
		{feature: "offer without common codec: 488", scenario: "invite_refused", values: refused(488, "", head+"m=audio [media_port] RTP/AVP 18\na=rtpmap:18 G729/8000\n", ""), phone: nothing},
		{feature: "offer of video only: 488", scenario: "invite_refused", values: refused(488, "", head+"m=video [media_port] RTP/AVP 96\na=rtpmap:96 H264/90000\n", ""), phone: nothing},
		{feature: "offer whose audio has port 0: 488", scenario: "invite_refused", values: refused(488, "", head+"m=audio 0 RTP/AVP 0\n", ""), phone: nothing},
		{feature: "garbage for an offer: 488", scenario: "invite_refused", values: refused(488, "", "this is\nno description\n", ""), phone: nothing},
		{feature: "body that is no SDP: 415", scenario: "invite_refused", values: refused(415, "Accept: application/sdp", "Content-Type: text/plain", "hello\nthere\n"), phone: nothing},
		{feature: "Replaces of a call that there is not: 481", scenario: "invite_refused", values: refused(481, "", "Replaces: nobody;to-tag=1;from-tag=2", description), phone: nothing},
		{feature: "outside calls: OPTIONS, unknown method, requests of no dialog, MESSAGE", scenario: "outside", phone: nothing},
		{feature: "glare: 491 to our re-INVITE, not owner of the Call-ID", scenario: "glare_refused_in", phone: glareRefusedIn},
		{feature: "Record-Route of a call that came in", scenario: "routed_in", phone: answerThenHangUp},
	}, func(t *testing.T, c sippCase, a *phones.Phone) *peers.SIPp {
		return peers.Play(t, c.scenario, fmt.Sprintf("127.0.0.1:%d", a.Port), c.values)
	})
}

// description is a plain offer.
const description = "v=0\no=- 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 0\na=rtpmap:0 PCMU/8000\na=sendrecv\n"

// nothing is what a phone does that has no say in the matter.
func nothing(*duel) {}

// answered answers SIPp and hears its echo.
func (d *duel) answered() (call int) {
	d.t.Helper()
	call = d.a.Answers()
	d.a.Reaches(call, "CONFIRMED")
	d.a.Receives(call, echoed)
	return call
}

func answerThenHangUp(d *duel) { d.hangUp(d.answered()) }

// ackLate: repetitions after 0.5 s and 1.5 s.
func ackLate(d *duel) {
	answerThenHangUp(d)
	if n := len(d.far.Received("SIP/2.0 200 OK")); n < 3 {
		d.t.Errorf("our 200 came %d times within 1.8 s without an ACK, want 3", n)
	}
}

func neverAcked(d *duel) {
	began := time.Now()
	call := d.a.Answers()
	d.c.Until(40*time.Second, "the end of a call without ACK", "a_get_call_info", mcpclient.Args{"call_id": call},
		func(a mcpclient.Answer) bool { return a.String("state") == "DISCONNECTED" })
	d.a.Ends(call, 408)
	if took := time.Since(began); took < 32*time.Second {
		d.t.Errorf("the call ended after %v without an ACK, want 32 s", took)
	}
}

func earlyMediaIn(d *duel) {
	call := d.a.Rings()
	d.a.Do("answer_call", mcpclient.Args{"call_id": call, "status_code": 183})
	d.a.Reaches(call, "EARLY")
	d.a.Receives(call, echoed)
	d.a.Do("answer_call", mcpclient.Args{"call_id": call})
	d.a.Reaches(call, "CONFIRMED")
	d.hears(call)
	d.hangUp(call)
}

// lateOffer: the ACK chose PCMA.
func lateOffer(d *duel) {
	call := d.answered()
	d.codecIs(call, "PCMA")
	d.hears(call)
	d.hangUp(call)
}

func lateOfferUnanswered(d *duel) { d.a.Ends(d.a.Answers(), 488) }

func givenUp(d *duel) { d.a.Ends(d.a.Rings(), 487) }

func givenUpLate(d *duel) { d.a.Ends(d.a.Answers(), 200) }

func glareRefusedIn(d *duel) {
	call := d.answered()
	began := time.Now()
	d.offerPCMA()
	if took := time.Since(began); took > 3*time.Second {
		d.t.Errorf("the re-INVITE was final after %v; who does not own the Call-ID waits 2 s at most", took)
	}
	d.codecIs(call, "PCMA")
	d.hears(call)
	d.hangUp(call)
}

// TestRegistersWithSIPp: an overloaded registrar, and one that wants a longer
// interval.
func TestRegistersWithSIPp(t *testing.T) {
	if !peers.Wanted() {
		t.Skipf("%s is not 1: run this by `make interop`", peers.Variable)
	}
	t.Parallel()
	covers(t, "REGISTER: 503 with Retry-After, then 423 with Min-Expires", "SIPp")
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	far := peers.Wait(t, "registrar", nil)
	began := time.Now()
	a := phones.Add(t, c, "a", mcpclient.Args{"domain": far.Domain()})
	if a.Added.Bool("is_registered") || a.Added.Int("status_code") != 503 {
		t.Errorf("at an overloaded registrar, add_phone answers %s", a.Added.Text)
	}
	status := c.Until(phones.Patience, "a registration", "a_get_registration_status", nil, func(s mcpclient.Answer) bool { return s.Bool("is_registered") })
	if took := time.Since(began); took < 2*time.Second {
		t.Errorf("it registered after %v, and Retry-After said 2 s", took)
	}
	if got := status.Int("expires"); got < 7190 || got > 7200 {
		t.Errorf("expires is %d, want the 7200 that the registrar granted", got)
	}
	c.Must("drop_phone", mcpclient.Args{"phone_id": "a"})
	far.Done()
}
