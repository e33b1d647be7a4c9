package interop

import (
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
	}{
		{"PCMU, audio both ways", []string{"PCMU"}, (*withLinphone).called},
		{"PCMA, audio both ways", []string{"PCMA"}, (*withLinphone).called},
		{"G722, audio both ways", []string{"G722"}, (*withLinphone).called},
		{"call from the far end, audio both ways", nil, (*withLinphone).calls},
		{"hold and unhold, by our phone", []string{"PCMU"}, (*withLinphone).held},
		{"hold and resume, by the far end", []string{"PCMU"}, (*withLinphone).holds},
		{"digits both ways (RFC 4733)", nil, (*withLinphone).digits},
		{"blind transfer, far end as transferee", nil, (*withLinphone).transferred},
		{"blind transfer, our phone as transferee", nil, (*withLinphone).transfers},
		{"call refused by the far end", nil, (*withLinphone).refuses},
		{"CANCEL, both ways", nil, (*withLinphone).cancelled},
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
				t: t, c: client, shift: shift, far: peers.StartLinphone(t, phones.ToneLevel+shift),
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
	l.a.Receives(call, echoed)
	l.sound(call)
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
	l.b.Receives(atB, phones.Talking)
}

func (l *withLinphone) transfers() {
	call := l.talk()
	l.far.Do("transfer %s", l.b.URI())
	atB := l.b.Answers()
	l.b.Reaches(atB, "CONFIRMED")
	l.b.Receives(atB, phones.Talking)
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
