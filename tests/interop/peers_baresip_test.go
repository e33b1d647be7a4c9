package interop

import (
	"net/url"
	"strings"
	"testing"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/peers"
	"ringmaster/tests/phones"
)

// onward is our phone a in a call with baresip, and our phone b, which is in
// another one with it and hears what baresip has decoded of a's sound.
type onward struct {
	t        *testing.T
	c        *mcpclient.Client
	far      *peers.Baresip
	a, b     *phones.Phone
	atA, atB int
}

// TestWithBaresip lets baresip be the far end.
func TestWithBaresip(t *testing.T) {
	if !peers.Wanted() {
		t.Skipf("%s is not 1: run this by `make interop`", peers.Variable)
	}
	for _, c := range []struct {
		feature string
		codec   string // of our phones; "" is all that they have by themselves
		rate    int    // of baresip's sound, in samples per second
		theirs  string // baresip's codecs
		test    func(*onward)
	}{
		{"PCMU, audio both ways", "", 8000, "PCMU/8000/1", soundAs("PCMU")},
		{"PCMA, audio both ways", "", 8000, "PCMA/8000/1", soundAs("PCMA")},
		{"G722, audio both ways", "", 16000, "G722/16000/1", soundAs("G722")},
		{"L16, audio both ways", "L16", 16000, "L16/16000/1", soundAs("L16")},
		{"ptime 30 asked by the far end, audio both ways", "", 8000, "PCMU/8000/1;ptime=30", packetsOf30},
		{"call from the far end, audio both ways", "", 8000, "PCMU/8000/1", calledByBaresip},
		{"early media from our phone, calling", "", 8000, "PCMU/8000/1", earlyToBaresip},
		{"early media from our phone, called (183 with SDP)", "", 8000, "PCMU/8000/1", earlyFromPhone},
		{"hold and unhold, by our phone", "", 8000, "PCMU/8000/1", holdBaresip},
		{"hold and resume, by the far end", "", 8000, "PCMU/8000/1", heldByBaresip},
		{"digits both ways (RFC 4733)", "", 8000, "PCMU/8000/1", digitsWithBaresip},
		{"codecs of a live call changed by our re-INVITE", "", 8000, "PCMU/8000/1,PCMA/8000/1", recodedWithBaresip},
		{"blind transfer, far end as transferee", "", 8000, "PCMU/8000/1", transferBaresip},
		{"blind transfer, our phone as transferee", "", 8000, "PCMU/8000/1", transferredByBaresip},
		{"attended transfer by the far end: our phones as transferee and target", "", 8000, "PCMU/8000/1", joinedByBaresip},
		{"call refused by the far end", "", 8000, "PCMU/8000/1", refusedByBaresip},
		{"call refused by our phone", "", 8000, "PCMU/8000/1", refuseBaresip},
		{"CANCEL, both ways", "", 8000, "PCMU/8000/1", cancelledWithBaresip},
	} {
		t.Run(c.feature, func(t *testing.T) {
			t.Parallel()
			covers(t, c.feature, "baresip")
			client := mcpclient.Start(t, programs, mcpclient.Options{})
			direct := mcpclient.Args{"register": false}
			if c.codec != "" {
				direct["codecs"] = []string{c.codec}
			}
			c.test(&onward{
				t: t, c: client, far: peers.StartBaresip(t, c.rate, phones.ToneLevel, c.theirs),
				a: phones.Add(t, client, "a", direct), b: phones.Add(t, client, "b", direct),
			})
		})
	}
}

// monitor lets b listen.
func (o *onward) monitor() {
	o.t.Helper()
	o.atB = o.b.Call(o.far.URI("monitor"))
	o.b.Reaches(o.atB, "CONFIRMED")
	o.far.Await("CALL_ESTABLISHED")
}

// talk lets a call baresip, which answers.
func (o *onward) talk() {
	o.t.Helper()
	o.atA = o.a.Call(o.far.URI("peer"))
	o.far.Await("CALL_INCOMING")
	o.far.From("peer")
	o.far.Do("accept", "")
	o.a.Reaches(o.atA, "CONFIRMED")
	o.far.Await("CALL_ESTABLISHED")
}

// sound ends both calls when it must have been heard at both ends, and
// requires that it was: baresip's tone by a, a's by b.
func (o *onward) sound() {
	o.t.Helper()
	o.a.Plays(o.atA, 600)
	o.a.Speaks(o.atA)
	o.a.Receives(o.atA, phones.Talking)
	o.b.Receives(o.atB, phones.Talking)
	o.b.Do("hangup", mcpclient.Args{"call_id": o.atB})
	o.a.Do("hangup", mcpclient.Args{"call_id": o.atA})
	o.b.Ends(o.atB, 200)
	o.a.Ends(o.atA, 200)
	o.b.Heard(o.b.Recording(o.atB), 600)
	o.a.Heard(o.a.Recording(o.atA), peers.BaresipTone)
}

func soundAs(codec string) func(*onward) {
	return func(o *onward) {
		o.monitor()
		o.talk()
		if got := o.a.Reaches(o.atA, "CONFIRMED").String("codec"); got != codec {
			o.t.Errorf("the codec is %s, want %s", got, codec)
		}
		o.sound()
	}
}

// packetsOf30: in its offer baresip asks for packets of 30 ms. (In its answer it
// would ask for what our offer does.)
func packetsOf30(o *onward) {
	calledByBaresip(o)
	rtp := o.a.Do("get_call_info", mcpclient.Args{"call_id": o.atA}).Object("rtp")
	if rtp.Int("tx_bytes") != 240*rtp.Int("tx_packets") || rtp.Int("rx_bytes") != 160*rtp.Int("rx_packets") {
		o.t.Errorf("packets are not of 240 bytes, or what comes not of 160: %s", rtp.Text)
	}
}

// dialled lets baresip call a, which answers.
func (o *onward) dialled() {
	o.t.Helper()
	o.far.From("peer")
	o.far.Do("dial", o.a.URI())
	o.atA = o.a.Answers()
	o.a.Reaches(o.atA, "CONFIRMED")
	o.far.Await("CALL_ESTABLISHED")
}

func calledByBaresip(o *onward) {
	o.monitor()
	o.dialled()
	o.sound()
}

// earlyToBaresip: what our phone plays is to be heard before the answer.
func earlyToBaresip(o *onward) {
	o.monitor()
	o.atA = o.a.Call(o.far.URI("early"))
	o.a.Reaches(o.atA, "EARLY")
	o.hearsEarly()
	o.a.Ends(o.atA, 487)
}

// earlyFromPhone: the same, when our phone is the one that is called.
func earlyFromPhone(o *onward) {
	o.monitor()
	o.far.From("peer")
	o.far.Do("dial", o.a.URI())
	o.atA = o.a.Rings()
	o.a.Do("answer_call", mcpclient.Args{"call_id": o.atA, "status_code": 183})
	o.a.Reaches(o.atA, "EARLY")
	o.hearsEarly()
	o.a.Ends(o.atA, 603)
}

// hearsEarly ends both calls when b has heard a long enough.
func (o *onward) hearsEarly() {
	o.t.Helper()
	o.a.Plays(o.atA, 600)
	o.a.Speaks(o.atA)
	o.b.Receives(o.atB, phones.Talking)
	o.b.Do("hangup", mcpclient.Args{"call_id": o.atB})
	o.a.Do("hangup", mcpclient.Args{"call_id": o.atA})
	o.b.Heard(o.b.Recording(o.atB), 600)
}

// holdBaresip: while it is held, baresip sends nothing; after unhold, both do.
func holdBaresip(o *onward) {
	o.talk()
	for range 2 {
		phones.Hear(phones.Ear{Phone: o.a, Call: o.atA, Hz: peers.BaresipTone})
		o.a.Do("hold", mcpclient.Args{"call_id": o.atA})
		o.a.Silent(o.atA)
		o.a.Do("unhold", mcpclient.Args{"call_id": o.atA})
	}
	o.monitor()
	o.sound()
}

// heldByBaresip: while it holds, our phone sends nothing.
func heldByBaresip(o *onward) {
	o.talk()
	o.a.Receives(o.atA, echoed)
	o.far.From("peer")
	o.far.Do("hold", "")
	o.a.Mute(o.atA)
	o.far.From("peer")
	o.far.Do("resume", "")
	o.a.Speaks(o.atA)
	o.monitor()
	o.sound()
}

func digitsWithBaresip(o *onward) {
	o.talk()
	o.a.Sends(o.atA, "159*#D")
	for _, want := range "159*#D" {
		if got := o.far.Await("CALL_DTMF_START"); got != string(want) {
			o.t.Errorf("baresip received %q, want %q", got, want)
		}
	}
	cursor := o.c.Must("wait_for_event", mcpclient.Args{"type": "*", "timeout_ms": 0}).Int("cursor")
	for _, digit := range "260" {
		o.far.Do("sndcode", string(digit))
	}
	o.a.Digits(cursor, o.atA, "260")
}

func recodedWithBaresip(o *onward) {
	o.monitor()
	o.talk()
	for _, codec := range []string{"PCMA", "PCMU"} {
		o.c.Must("update_phone", mcpclient.Args{"phone_id": "a", "codecs": []string{codec}})
		if got := o.a.Reaches(o.atA, "CONFIRMED").String("codec"); got != codec {
			o.t.Errorf("the codec is %s, want %s", got, codec)
		}
		o.heard()
	}
	o.sound()
}

// heard requires that a hears baresip, and b what baresip hears of a, now.
func (o *onward) heard() {
	o.t.Helper()
	o.a.Plays(o.atA, 600)
	phones.Hear(phones.Ear{Phone: o.a, Call: o.atA, Hz: peers.BaresipTone}, phones.Ear{Phone: o.b, Call: o.atB, Hz: 600})
}

// joinedByBaresip: baresip has a call to a and one to b. Its menu has no
// attended transfer, but its REFER carries what it is told to, Replaces
// included (RFC 3891 §4).
func joinedByBaresip(o *onward) {
	o.talk()
	o.far.From("early")
	o.far.Do("dial", o.b.URI())
	o.atB = o.b.Answers()
	o.b.Reaches(o.atB, "CONFIRMED")
	o.far.Await("CALL_ESTABLISHED")
	invite, _ := o.b.Sees(0, "sip.response.200", mcpclient.Args{"method": "INVITE", "call_id": o.atB})
	data := invite.Object("data")
	replaces := url.QueryEscape(data.String("sip_call_id") + ";to-tag=" + tagOf(data.String("to")) + ";from-tag=" + tagOf(data.String("from")))
	after := o.c.Must("wait_for_event", mcpclient.Args{"type": "*", "timeout_ms": 0}).Int("cursor")
	o.far.From("peer")
	o.far.Do("transfer", o.b.URI()+"?Replaces="+replaces)
	taken(o.a, o.b, after, o.atA, o.atB)
}

// tagOf is the tag of a From or To without other parameters.
func tagOf(header string) string {
	_, tag, _ := strings.Cut(header, ";tag=")
	return tag
}

// transferBaresip: a sends baresip to b.
func transferBaresip(o *onward) {
	o.talk()
	after := o.a.Do("blind_transfer", mcpclient.Args{"call_id": o.atA, "dest_uri": o.b.URI()}).Int("cursor")
	answered := o.b.Answers()
	o.transfers(after, "succeeded")
	o.a.Ends(o.atA, 200)
	o.b.Reaches(answered, "CONFIRMED")
	o.b.Receives(answered, phones.Talking)
	o.b.Do("hangup", mcpclient.Args{"call_id": answered})
	o.b.Heard(o.b.Recording(answered), peers.BaresipTone)
}

// transfers waits for an event of a's transfer.
func (o *onward) transfers(after int, what string) {
	o.t.Helper()
	o.c.Must("wait_for_event", mcpclient.Args{"type": "transfer." + what, "phone_id": "a", "after": after})
}

// transferredByBaresip: baresip sends a to b.
func transferredByBaresip(o *onward) {
	o.talk()
	after := o.c.Must("wait_for_event", mcpclient.Args{"type": "*", "timeout_ms": 0}).Int("cursor")
	o.far.Do("transfer", o.b.URI())
	o.atB = o.b.Answers()
	o.b.Reaches(o.atB, "CONFIRMED")
	accepted, _ := o.a.Sees(after, "transfer.accepted", nil)
	phones.Hear(phones.Both(o.a, o.b, accepted.Object("data").Int("new_call_id"), o.atB)...)
	o.a.Ends(o.atA, 200)
}

func refusedByBaresip(o *onward) {
	o.atA = o.a.Call(o.far.URI("peer"))
	o.far.Await("CALL_INCOMING")
	o.far.From("peer")
	o.far.Do("hangup", "")
	o.a.Ends(o.atA, 486)
}

func refuseBaresip(o *onward) {
	o.far.From("peer")
	o.far.Do("dial", o.a.URI())
	o.a.Do("reject_call", mcpclient.Args{"call_id": o.a.Rings(), "status_code": 603})
	if why := o.far.Await("CALL_CLOSED"); why != "603 Decline" {
		o.t.Errorf("baresip was told %q, want 603 Decline", why)
	}
}

func cancelledWithBaresip(o *onward) {
	o.atA = o.a.Call(o.far.URI("peer"))
	o.a.Reaches(o.atA, "EARLY")
	o.a.Do("hangup", mcpclient.Args{"call_id": o.atA})
	o.a.Ends(o.atA, 487)
	o.far.Await("CALL_CLOSED")
	o.far.From("peer")
	o.far.Do("dial", o.a.URI())
	call := o.a.Rings()
	o.far.Do("hangup", "")
	o.a.Ends(call, 487)
}
