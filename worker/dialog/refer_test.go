package dialog

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

func TestReferIsFollowedToItsEnd(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	s, tag := answered(t, n, p)
	accepted := make(chan int, 1)
	n.on(func() {
		s.Refer(URI{sip.Uri{Scheme: "sip", User: "c", Host: "example.com"}}, "abc;to-tag=1;from-tag=2", func(a Answer, err error) {
			if err != nil {
				t.Error(err)
				return
			}
			accepted <- a.Status
		})
	})
	refer := p.request(sip.REFER)
	if got := refer.GetHeader("Refer-To").Value(); got != "<sip:c@example.com?Replaces=abc%3Bto-tag%3D1%3Bfrom-tag%3D2>" {
		t.Errorf("Refer-To is %s", got)
	}
	p.answer(refer, 202, "", p.contact())
	if got := <-accepted; got != 202 {
		t.Errorf("Refer ended with %d", got)
	}
	frag := []string{"Event: refer", "Content-Type: message/sipfrag", "Subscription-State: active"}
	p.write(n, "NOTIFY", 11, tag, "SIP/2.0 180 Ringing\r\n", frag...)
	p.response(200)
	n.hears("notified 180 false")
	p.write(n, "NOTIFY", 12, tag, "SIP/2.0 200 OK\r\n", frag...)
	p.response(200)
	n.hears("notified 200 true")
	p.write(n, "NOTIFY", 13, tag, "SIP/2.0 200 OK\r\n", frag...)
	p.response(481)
	p.write(n, "NOTIFY", 14, tag, "", "Event: presence")
	p.response(489)
}

func TestReferredCallIsReported(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	_, tag := answered(t, n, p)
	p.write(n, "REFER", 11, tag, "", "Refer-To: <sip:c@example.com?Replaces=abc%3Bto-tag%3D1>", "Referred-By: <sip:peer@example.com>")
	p.response(202)
	n.hears("referred to sip:c@example.com [{Replaces abc;to-tag=1}]")
	notify := p.request(sip.NOTIFY)
	if !strings.HasPrefix(string(notify.Body()), "SIP/2.0 100 ") || notify.GetHeader("Event").Value() != "refer;id=11" {
		t.Errorf("the first NOTIFY is\n%s", notify)
	}
	p.answer(notify, 200, "")
	p.write(n, "REFER", 12, tag, "")
	p.response(400)
}

func TestSipfrag(t *testing.T) {
	for body, want := range map[string]int{
		"SIP/2.0 200 OK\r\n":                 200,
		"SIP/2.0 486 Busy Here\r\nTo: x\r\n": 486,
		"SIP/2.0 603":                        603,
		"":                                   0,
		"SIP/2.0 abc OK":                     0,
		"HTTP/1.1 200 OK":                    0,
		"SIP/2.0 999 X":                      0,
	} {
		if got, _ := sipfrag(body); got != want {
			t.Errorf("sipfrag(%q) = %d, want %d", body, got, want)
		}
	}
}
