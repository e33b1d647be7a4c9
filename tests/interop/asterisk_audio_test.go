package interop

import (
	"testing"

	"ringmaster/tests/asterisk"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// TestAudioThroughAsterisk changes the media of calls, and listens at both ends
// after each change.
func TestAudioThroughAsterisk(t *testing.T) {
	t.Parallel() // its own cases share users
	x := exchange{asterisk.Start(t)}
	for _, c := range []struct {
		name string
		test func(*testing.T, exchange)
	}{
		{"hold and unhold, heard at both ends after each", holdHeard},
		{"hold and unhold under TLS and SRTP", holdSecure},
		{"hold and unhold with direct media", holdDirect},
		{"direct media off: the sound stays with the exchange", indirect},
		{"codecs of a live call changed, heard through another codec", recodedHeard},
		{"playing, stopping and playing something else", playedHeard},
		{"blind transfer by the called phone", transferByCallee},
		{"attended transfer by the called phone", joinByCallee},
		{"blind transfer under TLS and SRTP", transferSecure},
		{"conference of eight, in four codecs, with linphone; one leaves", conferOfEight},
	} {
		t.Run(c.name, func(t *testing.T) {
			covers(t, c.name, "Asterisk 22")
			c.test(t, x)
		})
	}
}

// held lets each phone of a call hold it, and listens before, while and after.
// Whoever is held hears nothing, or what the exchange or the far end plays to
// it; whoever holds hears nothing.
func held(ears []phones.Ear) {
	phones.Hear(ears...)
	for _, e := range ears {
		args := mcpclient.Args{"call_id": e.Call}
		e.Phone.Do("hold", args)
		e.Phone.Silent(e.Call)
		e.Phone.Do("unhold", args)
		phones.Hear(ears...)
	}
}

func holdHeard(t *testing.T, x exchange) {
	a, b := x.pair(t)
	atA, atB := phones.Talk(a, b, x.uri("6002"))
	held(phones.Both(a, b, atA, atB))
}

func holdSecure(t *testing.T, x exchange) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	a, b := x.addOver(t, c, "a", "6004", with(x.tls(), srtp)), x.addOver(t, c, "b", "6005", with(x.reachable(), srtp))
	atA, atB := phones.Talk(a, b, "sip:6005@"+x.TLSAddr)
	held(phones.Both(a, b, atA, atB))
}

func holdDirect(t *testing.T, x exchange) {
	_, p := x.fleet(t, "6007", "6008")
	atA, atB := phones.Talk(p[0], p[1], x.uri("6008"))
	held(phones.Both(p[0], p[1], atA, atB))
}

// indirect: without direct media each phone sends to the exchange.
func indirect(t *testing.T, x exchange) {
	a, b := x.pair(t)
	atA, atB := phones.Talk(a, b, x.uri("6002"))
	phones.Hear(phones.Both(a, b, atA, atB)...)
	a.Do("hangup", mcpclient.Args{"call_id": atA})
	a.Ends(atA, 200)
	b.Ends(atB, 200)
	for _, to := range []struct {
		p, other       *phones.Phone
		call, otherEnd int
	}{{a, b, atA, atB}, {b, a, atB, atA}} {
		if sent, far := to.p.Sidecar(to.call)["remote_rtp_port"], to.other.Sidecar(to.otherEnd)["local_rtp_port"]; sent == far {
			t.Errorf("%s sent to port %v, which is that of the other phone", to.p.ID, sent)
		}
	}
}

// recodedHeard: b stays with PCMU, so that Asterisk has to convert.
func recodedHeard(t *testing.T, x exchange) {
	c, p := x.fleet(t, "6001", "6002")
	c.Must("update_phone", mcpclient.Args{"phone_id": "b", "codecs": []string{"PCMU"}})
	atA, atB := phones.Talk(p[0], p[1], x.uri("6002"))
	ears := phones.Both(p[0], p[1], atA, atB)
	for _, codec := range []string{"G722", "PCMA", "PCMU", "G722"} {
		c.Must("update_phone", mcpclient.Args{"phone_id": "a", "codecs": []string{codec}})
		if got := p[0].Reaches(atA, "CONFIRMED").String("codec"); got != codec {
			t.Errorf("the codec is %s, want %s", got, codec)
		}
		phones.Hear(ears...)
	}
}

func playedHeard(t *testing.T, x exchange) {
	a, b := x.pair(t)
	atA, atB := phones.Talk(a, b, x.uri("6002"))
	ears := phones.Both(a, b, atA, atB)
	phones.Hear(ears...)
	a.Do("stop_audio", mcpclient.Args{"call_id": atA})
	if playing := a.Do("get_call_info", mcpclient.Args{"call_id": atA}).String("playing_file"); playing != "music-on-hold" {
		t.Errorf("after stop_audio, a plays %q", playing)
	}
	phones.Hear(ears[0]) // b goes on
	a.Plays(atA, 600)
	phones.Hear(ears...)
}

// transferByCallee: a calls b, which sends a on to c.
func transferByCallee(t *testing.T, x exchange) {
	_, p := x.fleet(t, "6001", "6002", "6003")
	a, b, c := p[0], p[1], p[2]
	atA, atB := phones.Talk(a, b, x.uri("6002"))
	after := b.Do("blind_transfer", mcpclient.Args{"call_id": atB, "dest_uri": x.uri("6003")}).Int("cursor")
	atC := c.Answers()
	b.Sees(after, "transfer.succeeded", nil)
	b.Ends(atB, 200)
	a.Reaches(atA, "CONFIRMED")
	c.Reaches(atC, "CONFIRMED")
	phones.Hear(phones.Both(a, c, atA, atC)...)
}

// joinByCallee: a calls b, which asks c and then joins the two.
func joinByCallee(t *testing.T, x exchange) {
	_, p := x.fleet(t, "6001", "6002", "6003")
	a, b, c := p[0], p[1], p[2]
	atA, toA := phones.Talk(a, b, x.uri("6002"))
	b.Do("hold", mcpclient.Args{"call_id": toA})
	toC, atC := phones.Talk(b, c, x.uri("6003"))
	phones.Hear(phones.Both(b, c, toC, atC)...)
	after := b.Do("attended_transfer", mcpclient.Args{"call_id": toA, "dest_call_id": toC}).Int("cursor")
	b.Sees(after, "transfer.succeeded", nil)
	b.Ends(toA, 200)
	b.Ends(toC, 200)
	phones.Hear(phones.Both(a, c, atA, atC)...)
}

// transferSecure: a, over TLS with SRTP, sends b, which speaks in the clear, to
// c, which does not.
func transferSecure(t *testing.T, x exchange) {
	client := mcpclient.Start(t, programs, mcpclient.Options{})
	a := x.addOver(t, client, "a", "6004", with(x.tls(), srtp))
	b := x.addOver(t, client, "b", "6001", nil)
	c := x.addOver(t, client, "c", "6005", with(x.reachable(), srtp))
	atA, atB := phones.Talk(a, b, "sip:6001@"+x.TLSAddr)
	after := a.Do("blind_transfer", mcpclient.Args{"call_id": atA, "dest_uri": "sip:6005@" + x.TLSAddr}).Int("cursor")
	atC := c.Answers()
	a.Sees(after, "transfer.succeeded", nil)
	a.Ends(atA, 200)
	c.Reaches(atC, "CONFIRMED")
	phones.Hear(phones.Both(b, c, atB, atC)...)
}
