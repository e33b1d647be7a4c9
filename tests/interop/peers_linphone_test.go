package interop

import (
	"fmt"
	"slices"
	"testing"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/peers"
	"ringmaster/tests/phones"
)

// withLinphone is our phones against one linphonec.
type withLinphone struct {
	t    *testing.T
	c    *mcpclient.Client
	far  *peers.Linphone
	a, b *phones.Phone

	shift float64 // of levels, in dB
}

// TestWithLinphone lets linphone be the far end.
func TestWithLinphone(t *testing.T) {
	if !peers.Wanted() {
		t.Skipf("%s is not 1: run this by `make interop`", peers.Variable)
	}
	for _, c := range []struct {
		feature string
		codecs  []string
		test    func(*withLinphone)
		sip     []string // more of linphone's configuration
	}{
		{"PCMU, audio both ways", []string{"PCMU"}, (*withLinphone).called, nil},
		{"PCMA, audio both ways", []string{"PCMA"}, (*withLinphone).called, nil},
		{"G722, audio both ways", []string{"G722"}, (*withLinphone).called, nil},
		{"call from the far end, audio both ways", nil, (*withLinphone).calls, nil},
		{"hold and unhold, by our phone", []string{"PCMU"}, (*withLinphone).held, nil},
		{"hold and resume, by the far end", []string{"PCMU"}, (*withLinphone).holds, nil},
		{"codecs of a live call changed by our re-INVITE", []string{"PCMU", "PCMA"}, (*withLinphone).recoded, nil},
		{"early media from the far end (183 with SDP)", nil, (*withLinphone).earlyIn, []string{"incoming_calls_early_media=1"}},
		{"early media from our phone, called (183 with SDP)", []string{"PCMU"}, (*withLinphone).earlyOut, nil},
		{"digits both ways (RFC 4733)", nil, (*withLinphone).digits, nil},
		{"digits received by INFO", nil, (*withLinphone).digitsByInfo, []string{"use_info=1", "use_rfc2833=0"}},
		{"blind transfer, far end as transferee", nil, (*withLinphone).transferred, nil},
		{"blind transfer, our phone as transferee", nil, (*withLinphone).transfers, nil},
		{"attended transfer by the far end: our phones as transferee and target", nil, (*withLinphone).joins, nil},
		{"attended transfer by our phone: far end as transferee", nil, (*withLinphone).joined, nil},
		{"call refused by the far end", nil, (*withLinphone).refuses, nil},
		{"CANCEL, both ways", nil, (*withLinphone).cancelled, nil},
	} {
		t.Run(c.feature, func(t *testing.T) {
			t.Parallel()
			covers(t, c.feature, "linphone 5.1")
			client := mcpclient.Start(t, programs, mcpclient.Options{})
			args := mcpclient.Args{"register": false}
			if c.codecs != nil {
				args["codecs"] = c.codecs
			}
			shift := 0.0
			if slices.Contains(c.codecs, "G722") {
				// Against Asterisk, baresip and the ITU's vectors, the G.722 of linphone 5.1 sends 6 dB too little and
				// hears 6 dB too much.
				shift = 6
			}
			c.test(&withLinphone{
				t: t, c: client, shift: shift, far: peers.StartLinphone(t, phones.ToneLevel+shift, c.sip...),
				a: phones.Add(t, client, "a", args), b: phones.AddDirect(t, client, "b"),
			})
		})
	}
}

// talk lets a call linphone, which answers.
func (l *withLinphone) talk() (call int) {
	l.t.Helper()
	call = l.a.Call(l.far.URI())
	l.far.Await(peers.LinphoneRings)
	l.far.Do("answer")
	l.a.Reaches(call, "CONFIRMED")
	l.far.Await(peers.LinphoneConnected)
	l.a.Receives(call, echoed)
	return call
}

// sound ends the call when it must have been heard at both ends, and requires
// that it was.
func (l *withLinphone) sound(call int) {
	l.t.Helper()
	l.a.Plays(call, 600)
	l.a.Speaks(call)
	l.a.Receives(call, phones.Talking)
	l.a.Do("hangup", mcpclient.Args{"call_id": call})
	l.a.Ends(call, 200)
	l.far.Await(peers.LinphoneEnded)
	l.a.Heard(l.a.Recording(call), peers.LinphoneTone)
	l.far.Heard(600, phones.ToneLevel+l.shift)
}

func (l *withLinphone) called() { l.sound(l.talk()) }

func (l *withLinphone) calls() {
	l.far.Do("call %s", l.a.URI())
	call := l.a.Answers()
	l.a.Reaches(call, "CONFIRMED")
	l.far.Await(peers.LinphoneConnected)
	l.sound(call)
}

func (l *withLinphone) held() {
	call := l.talk()
	l.a.Do("hold", mcpclient.Args{"call_id": call})
	l.a.Silent(call)
	l.a.Do("unhold", mcpclient.Args{"call_id": call})
	l.heard(call)
	l.a.Do("hold", mcpclient.Args{"call_id": call})
	l.a.Silent(call)
	l.a.Do("unhold", mcpclient.Args{"call_id": call})
	l.heard(call)
	l.sound(call)
}

// heard requires that both ends hear each other now.
func (l *withLinphone) heard(call int) {
	l.t.Helper()
	l.a.Plays(call, 600)
	l.a.Receives(call, phones.Talking) // what linphone recorded until now is not looked at
	phones.Hear(phones.Ear{Phone: l.a, Call: call, Hz: peers.LinphoneTone})
	l.far.Heard(600, phones.ToneLevel+l.shift)
}

func (l *withLinphone) recoded() {
	call := l.talk()
	for _, codec := range []string{"PCMA", "PCMU"} {
		l.c.Must("update_phone", mcpclient.Args{"phone_id": "a", "codecs": []string{codec}})
		if got := l.a.Reaches(call, "CONFIRMED").String("codec"); got != codec {
			l.t.Errorf("the codec is %s, want %s", got, codec)
		}
		l.heard(call)
	}
	l.sound(call)
}

// earlyIn: linphone sends before it is answered. It records nothing of such a
// call, so that our phone is the only one to listen.
func (l *withLinphone) earlyIn() {
	call := l.a.Call(l.far.URI())
	l.far.Await(peers.LinphoneRings)
	l.a.Reaches(call, "EARLY")
	l.a.Receives(call, echoed)
	l.far.Do("answer")
	l.a.Reaches(call, "CONFIRMED")
	phones.Hear(phones.Ear{Phone: l.a, Call: call, Hz: peers.LinphoneTone})
}

// earlyOut: linphone takes our 183, and the call goes on as if there had been
// none. What it plays of it, it does not record: baresip's row listens.
func (l *withLinphone) earlyOut() {
	l.far.Do("call %s", l.a.URI())
	call := l.a.Rings()
	l.a.Do("answer_call", mcpclient.Args{"call_id": call, "status_code": 183})
	l.a.Reaches(call, "EARLY")
	l.a.Receives(call, echoed)
	l.a.Do("answer_call", mcpclient.Args{"call_id": call})
	l.a.Reaches(call, "CONFIRMED")
	phones.Hear(phones.Ear{Phone: l.a, Call: call, Hz: peers.LinphoneTone})
}

func (l *withLinphone) digitsByInfo() {
	call := l.talk()
	after := l.c.Must("wait_for_event", mcpclient.Args{"type": "*", "timeout_ms": 0}).Int("cursor")
	l.far.Do("5")
	digit, _ := l.a.Sees(after, "dtmf.in", mcpclient.Args{"method": "info"})
	if got := digit.Object("data").String("digit"); got != "5" || digit.Int("call_id") != call {
		l.t.Errorf("a received %s", digit.Text)
	}
}

// joins: linphone has a call to a and one to b, and joins them. It refers to b
// by what stands in From, so that b has to be found there.
func (l *withLinphone) joins() {
	atA := l.talk()
	l.far.Do("pause") // it wants to be told
	l.far.Await(peers.LinphonePaused)
	l.b = phones.Add(l.t, l.c, "b", mcpclient.Args{"register": false, "local_port": l.b.Port, "domain": fmt.Sprintf("127.0.0.1:%d", l.b.Port)})
	atB := l.b.Call(l.far.URI())
	l.far.Await(peers.LinphoneRings)
	l.far.Do("answer 2")
	l.b.Reaches(atB, "CONFIRMED")
	after := l.c.Must("wait_for_event", mcpclient.Args{"type": "*", "timeout_ms": 0}).Int("cursor")
	l.far.Do("transfer 1 --to-call 2")
	taken(l.a, l.b, after, atA, atB)
}

// taken: a is told to take b's call over, and does; both hear each other.
func taken(a, b *phones.Phone, after, atA, atB int) {
	accepted, _ := a.Sees(after, "transfer.accepted", nil)
	next := accepted.Object("data").Int("new_call_id")
	a.Reaches(next, "CONFIRMED")
	b.Ends(atB, 200) // another call has taken its place
	instead := b.Confirmed()
	a.Ends(atA, 200)
	phones.Hear(phones.Both(a, b, next, instead)...)
}

// joined: a has a call to linphone and one to b, and joins them.
func (l *withLinphone) joined() {
	toFar := l.talk()
	toB, atB := phones.Talk(l.a, l.b, l.b.URI())
	after := l.a.Do("attended_transfer", mcpclient.Args{"call_id": toFar, "dest_call_id": toB}).Int("cursor")
	l.a.Sees(after, "transfer.succeeded", nil)
	l.a.Ends(toFar, 200)
	l.a.Ends(toB, 200)
	l.b.Ends(atB, 200)
	instead := l.b.Confirmed()
	l.b.Plays(instead, 600)
	phones.Hear(phones.Ear{Phone: l.b, Call: instead, Hz: peers.LinphoneTone})
	l.b.Receives(instead, phones.Talking)
	l.far.Heard(600, phones.ToneLevel)
}

// holds: while it holds, our phone sends nothing.
func (l *withLinphone) holds() {
	call := l.talk()
	l.far.Do("pause")
	l.far.Await(peers.LinphonePaused)
	l.a.Mute(call)
	l.far.Do("resume")
	l.far.Await(peers.LinphoneConnected)
	l.a.Speaks(call)
	l.heard(call)
	l.sound(call)
}

func (l *withLinphone) digits() {
	call := l.talk()
	l.a.Sends(call, "159*#D")
	for _, want := range "159*#D" {
		if got := l.far.Await(peers.LinphoneDigit)[1]; got != string(want) {
			l.t.Errorf("linphone received %q, want %q", got, want)
		}
	}
	after := l.c.Must("wait_for_event", mcpclient.Args{"type": "*", "timeout_ms": 0}).Int("cursor")
	for _, digit := range "260" {
		l.far.Do("%c", digit)
	}
	l.a.Digits(after, call, "260")
}

func (l *withLinphone) transferred() {
	call := l.talk()
	after := l.a.Do("blind_transfer", mcpclient.Args{"call_id": call, "dest_uri": l.b.URI()}).Int("cursor")
	atB := l.b.Answers()
	l.a.Sees(after, "transfer.succeeded", nil)
	l.a.Ends(call, 200)
	l.b.Plays(atB, 600)
	phones.Hear(phones.Ear{Phone: l.b, Call: atB, Hz: peers.LinphoneTone})
	l.b.Receives(atB, phones.Talking)
	l.far.Heard(600, phones.ToneLevel)
}

func (l *withLinphone) transfers() {
	call := l.talk()
	after := l.c.Must("wait_for_event", mcpclient.Args{"type": "*", "timeout_ms": 0}).Int("cursor")
	l.far.Do("transfer %s", l.b.URI())
	atB := l.b.Answers()
	l.b.Reaches(atB, "CONFIRMED")
	accepted, _ := l.a.Sees(after, "transfer.accepted", nil)
	phones.Hear(phones.Both(l.a, l.b, accepted.Object("data").Int("new_call_id"), atB)...)
	l.a.Ends(call, 200)
}

func (l *withLinphone) refuses() {
	call := l.a.Call(l.far.URI())
	l.far.Await(peers.LinphoneRings)
	l.far.Do("terminate")
	l.a.Ends(call, 603)
}

func (l *withLinphone) cancelled() {
	call := l.a.Call(l.far.URI())
	l.far.Await(peers.LinphoneRings)
	l.a.Reaches(call, "EARLY")
	l.a.Do("hangup", mcpclient.Args{"call_id": call})
	l.a.Ends(call, 487)
	l.far.Await(peers.LinphoneEnded)
	l.far.Do("call %s", l.a.URI())
	call = l.a.Rings()
	l.far.Do("terminate")
	l.a.Ends(call, 487)
}
