package interop

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/peers"
	"ringmaster/tests/phones"
)

// broken is a call that SIPp breaks, or does not, and what must be found: the
// rules, in any order, and no other.
type broken struct {
	sippCase
	finds string
	says  string         // is in the summary
	by    string         // who ended it
	calls bool           // SIPp calls the phone
	args  mcpclient.Args // of add_phone
}

// TestBrokenCallsExplainThemselves breaks calls on purpose. What is found in
// each is what was broken, and nothing else; in good calls nothing is found.
func TestBrokenCallsExplainThemselves(t *testing.T) {
	if !peers.Wanted() {
		t.Skipf("%s is not 1: run this by `make interop`", peers.Variable)
	}
	const head = "v=0\no=- 1 1 IN IP4 [local_ip]\ns=-\n"
	body := func(address, port, formats string) map[string]any {
		b := head + "c=IN IP4 " + address + "\nt=0 0\nm=audio " + port + " RTP/AVP " + formats + "\n"
		if strings.Contains(formats, "101") {
			b += "a=rtpmap:101 telephone-event/8000\n"
		}
		return map[string]any{"body": b}
	}
	status := func(s string) map[string]any { return map[string]any{"status": s} }
	stream := func(t *testing.T, fill byte, kind, port, formats string) map[string]any {
		values := body("[media_ip]", port, formats)
		values["file"] = filepath.Join(t.TempDir(), "sound.raw")
		values["type"] = kind
		sound := bytes.Repeat([]byte{fill, fill, 0x80 ^ fill, 0x80 ^ fill}, 4000)
		if fill == silent {
			sound = bytes.Repeat([]byte{fill}, 16_000)
		}
		if err := os.WriteFile(values["file"].(string), sound, 0o644); err != nil {
			t.Fatal(err)
		}
		return values
	}
	for _, c := range []broken{
		{sippCase: sippCase{"a good call out", "early_media", nil, talkThenHangUp}, by: "local", says: nothingUnusual},
		{sippCase: sippCase{"a good call in", "calls_and_talks", nil, answerThenHangUp}, calls: true, by: "local", says: nothingUnusual},
		{sippCase: sippCase{"a good call through two proxies", "routed", nil, talkThenHangUp}, by: "local", says: nothingUnusual},
		{sippCase: sippCase{"a good call with held and changed media", "held_by_far_end", nil, heldByFarEnd}, by: "local", says: nothingUnusual},
		{sippCase: sippCase{"a good call after several challenges", "challenged", nil, talkThenHangUp}, by: "local", says: nothingUnusual},
		{sippCase: sippCase{"a good call after a redirection", "redirect", nil, talkThenHangUp}, by: "local", says: nothingUnusual},
		{sippCase: sippCase{"wrong password", "wrong_password", nil, endsWith(401)}, finds: "wrong_credentials", by: "far end", says: `credentials of user "a" for realm "far"`},
		{sippCase: sippCase{"challenges for ever", "stale_for_ever", nil, endsWith(401)}, finds: "auth_loop", by: "far end", says: `Realm "far" challenged 3 times`},
		{sippCase: sippCase{"486", "refused", status("486 Busy Here"), endsWith(486)}, finds: "refused", by: "far end", says: "486 Busy Here (the called party is busy)"},
		{sippCase: sippCase{"404", "refused", status("404 Not Found"), endsWith(404)}, finds: "refused", by: "far end", says: "404 Not Found (nobody has this number"},
		{sippCase: sippCase{"503 with Retry-After", "refused", status("503 Service Unavailable"), endsWith(503)}, finds: "refused", by: "far end", says: "503 Service Unavailable"},
		{sippCase: sippCase{"482", "refused", status("482 Loop Detected"), endsWith(482)}, finds: "routing_loop", by: "far end", says: "482"},
		{sippCase: sippCase{"488", "refused", status("488 Not Acceptable Here"), endsWith(488)}, finds: "codec_mismatch", by: "far end", says: "did not agree on a codec"},
		{sippCase: sippCase{"488 to SRTP", "refused", status("488 Not Acceptable Here"), endsWith(488)}, finds: "encryption_mismatch", by: "far end", says: "RTP/SAVP", args: mcpclient.Args{"srtp": true}},
		{sippCase: sippCase{"an offer without audio", "invite_refused", map[string]any{"status": 488, "says": "", "first": head + "c=IN IP4 [media_ip]\nt=0 0\nm=video [media_port] RTP/AVP 96\na=rtpmap:96 H264/90000\n", "second": ""}, refusing}, calls: true, finds: "unusable_offer", by: "local", says: "it has no audio stream"},
		{sippCase: sippCase{"302 in a circle", "redirect_loop", nil, endsWith(302)}, finds: "redirect_loop", by: "far end", says: "in a circle"},
		{sippCase: sippCase{"an answer of another codec", "bad_answer", body("[media_ip]", "[media_port]", "18"), endsWith(488)}, finds: "codec_mismatch", by: "local", says: "the far end G729"},
		{sippCase: sippCase{"garbage for an answer", "bad_answer", map[string]any{"body": "this is\nno description\n"}, endsWith(488)}, finds: "unusable_answer", by: "local", says: "cannot be read"},
		{sippCase: sippCase{"no answer, CANCEL", "cancelled", nil, cancelEarly(487)}, finds: "no_answer", by: "local", says: "nobody answered"},
		{sippCase: sippCase{"CANCEL from the far end", "gives_up", nil, givenUp}, calls: true, finds: "no_answer", by: "far end", says: "nobody answered"},
		{sippCase: sippCase{"no response at all", "never_answers", nil, timesOut}, finds: "no_response", by: "network", says: "Nobody answered the INVITE"},
		{sippCase: sippCase{"ACK late", "ack_late", nil, answerThenHangUp}, calls: true, finds: "ack_late", by: "local", says: "after the answer, which had been sent 3 times"},
		{sippCase: sippCase{"ACK missing", "never_acked", nil, neverAcked}, calls: true, finds: "ack_missing", by: "network", says: "never sent the ACK"},
		{sippCase: sippCase{"BYE at once", "hangs_up_at_once", nil, hungUpOn}, finds: "ended_at_once", by: "far end", says: "after it was answered"},
		{sippCase: sippCase{"481 to BYE", "bye_unknown", nil, talkThenHangUp}, finds: "unknown_call", by: "local", says: "The BYE got 481"},
		{sippCase: sippCase{"glare", "glare_refused", nil, glareRefused}, finds: "glare", by: "local", says: "491"},
		{sippCase: sippCase{"a transfer refused", "transfer_refused", nil, transferRefused}, finds: "transfer_refused", by: "local", says: "refused with 603"},
		{sippCase: sippCase{"session timer", "session_timer", nil, hungUpOn}, finds: "session_timer", by: "far end", says: "session timer was 6s"},
		{sippCase: sippCase{"no telephone-event", "digits_out", nil, digitsOut}, finds: "no_telephone_event", by: "local", says: "the far end does not offer it"},
		{sippCase: sippCase{"nothing comes", "answers_with", body("[media_ip]", "9", "0 101"), hangUpAfter(2 * time.Second)}, finds: "no_sound_in", by: "local", says: "nothing came from the far end"},
		{sippCase: sippCase{"wrong c= in SDP", "answers_with", body("127.0.0.2", "9", "0 101"), hangUpAfter(2 * time.Second)}, finds: "wrong_media_address no_sound_in", by: "local", says: "its sound is at 127.0.0.2, but its SIP comes from 127.0.0.1"},
		{sippCase: sippCase{"RTP from another port", "streams", stream(t, 0x21, "0", "9", "0 101"), hangUpAfter(2 * time.Second)}, finds: "rtp_from_elsewhere", by: "local", says: "description says 127.0.0.1:9"},
		{sippCase: sippCase{"silence comes", "streams", stream(t, silent, "0", "[rtpstream_audio_port]", "0 101"), hangUpAfter(2500 * time.Millisecond)}, finds: "only_silence_in", by: "local", says: "held only silence"},
		{sippCase: sippCase{"a good call with a stream", "streams", stream(t, 0x21, "0", "[rtpstream_audio_port]", "0 101"), hangUpAfter(2 * time.Second)}, by: "local", says: nothingUnusual},
		{sippCase: sippCase{"another codec than agreed", "streams", stream(t, 0x21, "8", "[rtpstream_audio_port]", "0 101"), hangUpAfter(2 * time.Second)}, finds: "unagreed_codec", by: "local", says: "payload type 8 (PCMA)"},
	} {
		t.Run(c.feature, func(t *testing.T) {
			t.Parallel()
			covers(t, "explained: "+c.feature, "SIPp")
			client := mcpclient.Start(t, programs, mcpclient.Options{})
			args := mcpclient.Args{"register": false}
			for k, v := range c.args {
				args[k] = v
			}
			a := phones.Add(t, client, "a", args)
			var far *peers.SIPp
			if c.calls {
				far = peers.Play(t, c.scenario, fmt.Sprintf("127.0.0.1:%d", a.Port), c.values)
			} else {
				far = peers.Wait(t, c.scenario, c.values)
			}
			c.phone(&duel{t, client, a, far})
			far.Done()
			explained(t, client, "a", nil, c.finds, c.by, c.says)
		})
	}
}

// silent is a byte of silence in mu-law.
const silent = 0xff

// ofLoad are rules that find, rightly, that this machine has other work to do
// while the tests run: a peer that answers after more than half a second is
// asked again (RFC 3261 §17.1.1.2).
var ofLoad = []string{"too_late", "jitter", "retransmissions"}

// explained requires that diagnose_call finds these rules in a phone's call, by
// default its newest, and no other but those of load.
func explained(t *testing.T, c *mcpclient.Client, id string, call *int, finds, by, says string) {
	t.Helper()
	args := mcpclient.Args{"phone_id": id}
	if call != nil {
		args["call_id"] = *call
	}
	got := c.Must("diagnose_call", args)
	want := strings.Fields(finds)
	var rules []string
	for _, f := range got.List("findings") {
		if rule := f.String("rule"); slices.Contains(want, rule) || !slices.Contains(ofLoad, rule) {
			rules = append(rules, rule)
		} else if says == nothingUnusual {
			says = f.String("finding")
		}
	}
	slices.Sort(want)
	slices.Sort(rules)
	if !slices.Equal(rules, want) || got.String("ended_by") != by || !strings.Contains(got.String("summary"), says) {
		t.Errorf("found %q, ended by %s, want %q, %s, and %q in the summary:\n%s", rules, got.String("ended_by"), want, by, says, got.Text)
	}
	t.Logf("%s\n%s", got.String("summary"), strings.Join(rules, " "))
}

// hangUpAfter hangs up when the call has lasted so long, counted in packets
// that the phone sent.
func hangUpAfter(d time.Duration) func(*duel) {
	return func(u *duel) {
		call := u.a.Call(u.far.URI())
		u.a.Reaches(call, "CONFIRMED")
		u.c.Until(d+phones.Patience, fmt.Sprintf("%v of sound out", d), "a_get_call_info", mcpclient.Args{"call_id": call},
			func(a mcpclient.Answer) bool {
				return a.Object("rtp").Int("tx_packets") >= int(d/(20*time.Millisecond))
			})
		u.hangUp(call)
	}
}

// refusing waits until the phone has refused a call by itself.
func refusing(d *duel) {
	d.c.Until(phones.Patience, "a refused call", "a_list_calls", nil, func(a mcpclient.Answer) bool {
		return len(a.List("calls")) > 0 && a.List("calls")[0].String("state") == "DISCONNECTED"
	})
}

// timesOut waits until the phone gives up an INVITE that nobody answers
// (RFC 3261 timer B).
func timesOut(d *duel) {
	call := d.a.Call(d.far.URI())
	d.c.Until(40*time.Second, "the end of a call without any answer", "a_get_call_info", mcpclient.Args{"call_id": call},
		func(a mcpclient.Answer) bool { return a.String("state") == "DISCONNECTED" })
}
