package explain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/diagnose"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func at(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }

const peer = "203.0.113.5:5060"

// msg is one message of phone a's log: "TX" or "RX", its start line, CSeq and
// more headers; what follows an empty line is the body. Requests within the
// call have a tag in To.
func msg(ms int, way, start, cseq, rest string) diagnose.Message {
	raw := start + "\r\nCSeq: " + cseq + "\r\n" + strings.ReplaceAll(rest, "\n", "\r\n")
	return diagnose.Read("a", phone.SIPMessage{Time: at(ms), Sent: way == "TX", Transport: phone.UDP, Remote: peer, Raw: []byte(raw)})
}

// sdp is a body: an address, a port, and formats with their names.
func sdpOf(address string, port int, proto string, formats ...string) string {
	b := fmt.Sprintf("Content-Type: application/sdp\n\nv=0\no=- 1 1 IN IP4 %s\ns=-\nc=IN IP4 %s\nt=0 0\nm=audio %d %s", address, address, port, proto)
	for _, f := range formats {
		pt, _, _ := strings.Cut(f, " ")
		b += " " + pt
	}
	b += "\n"
	for _, f := range formats {
		b += "a=rtpmap:" + f + "\n"
	}
	return b
}

const (
	pcmu   = "0 PCMU/8000"
	pcma   = "8 PCMA/8000"
	g729   = "18 G729/8000"
	events = "101 telephone-event/8000"
)

func ours(more ...string) string {
	return sdpOf("198.51.100.9", 16384, "RTP/AVP", append([]string{pcma, pcmu}, more...)...)
}

func theirs(more ...string) string {
	return sdpOf("203.0.113.5", 4000, "RTP/AVP", append([]string{pcma}, more...)...)
}

const (
	target  = "INVITE sip:b@203.0.113.5 SIP/2.0"
	fresh   = "From: <sip:a@h>;tag=1\nTo: <sip:b@h>\n"
	inside  = "From: <sip:a@h>;tag=1\nTo: <sip:b@h>;tag=2\n"
	contact = "Contact: <sip:b@203.0.113.5:5060>\n"
)

// talked is a good call of twelve seconds, with changes.
func talked(change func(f *Facts), more ...diagnose.Message) Facts {
	f := Facts{PhoneID: "a", Now: at(60_000), Call: phone.CallInfo{
		State: phone.StateDisconnected, Direction: phone.Outbound, RemoteURI: "<sip:b@203.0.113.5>", Codec: "PCMA", LastStatus: 200, LastStatusText: "Normal call clearing",
		StartedAt: at(0), AnsweredAt: at(1001), EndedAt: at(13_000),
		RTP: phone.RTPStats{TxPackets: 600, RxPackets: 600, RxJitterUsec: 900, RxFrom: "203.0.113.5:4000"},
	}}
	f.Messages = append([]diagnose.Message{
		msg(0, "TX", target, "1 INVITE", fresh+ours(events)),
		msg(5, "RX", "SIP/2.0 100 Trying", "1 INVITE", fresh+"\n"),
		msg(100, "RX", "SIP/2.0 180 Ringing", "1 INVITE", inside+"\n"),
		msg(1000, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+contact+theirs(events)),
		msg(1001, "TX", "ACK sip:b@203.0.113.5 SIP/2.0", "1 ACK", inside+"\n"),
	}, more...)
	if !slices.ContainsFunc(more, func(m diagnose.Message) bool { return m.Method == "BYE" }) {
		f.Messages = append(f.Messages, bye(13_000, "TX"), msg(13_005, "RX", "SIP/2.0 200 OK", "9 BYE", inside+"\n"))
	}
	if change != nil {
		change(&f)
	}
	slices.SortStableFunc(f.Messages, func(a, b diagnose.Message) int { return a.Time.Compare(b.Time) })
	return f
}

func byeAnswered(ms int) diagnose.Message {
	return msg(ms, "RX", "SIP/2.0 200 OK", "9 BYE", inside+"\n")
}

func bye(ms int, way string) diagnose.Message {
	return msg(ms, way, "BYE sip:b@h SIP/2.0", "9 BYE", inside+"\n")
}

// failed is an outgoing call that never was answered.
func failed(status int, text string, endMS int, messages ...diagnose.Message) Facts {
	return Facts{PhoneID: "a", Now: at(60_000), Messages: messages, Call: phone.CallInfo{
		State: phone.StateDisconnected, Direction: phone.Outbound, RemoteURI: "sip:b@203.0.113.5", LastStatus: status, LastStatusText: text, StartedAt: at(0), EndedAt: at(endMS),
	}}
}

func invite(ms, cseq int, rest string) diagnose.Message {
	return msg(ms, "TX", target, fmt.Sprint(cseq, " INVITE"), fresh+rest+ours(events))
}

func reply(ms, cseq int, status, rest string) diagnose.Message {
	return msg(ms, "RX", "SIP/2.0 "+status, fmt.Sprint(cseq, " INVITE"), inside+rest+"\n")
}

const (
	challenge   = "WWW-Authenticate: Digest realm=\"far, away\", nonce=\"n1\", algorithm=MD5\n"
	credentialA = "Authorization: Digest username=\"a\", realm=\"far, away\", nonce=\"n1\", response=\"0\"\n"
)

func cancel(ms int) diagnose.Message {
	return msg(ms, "TX", "CANCEL sip:b@h SIP/2.0", "1 CANCEL", fresh+"\n")
}

// inbound makes a talked call one that came in.
func calledIn(change func(f *Facts), more ...diagnose.Message) Facts {
	f := talked(nil)
	f.Call.Direction = phone.Inbound
	f.Messages = append([]diagnose.Message{
		msg(0, "RX", target, "1 INVITE", fresh+contact+theirs(events)),
		msg(100, "TX", "SIP/2.0 180 Ringing", "1 INVITE", inside+"\n"),
	}, more...)
	if change != nil {
		change(&f)
	}
	return f
}

func accept(ms int) diagnose.Message {
	return msg(ms, "TX", "SIP/2.0 200 OK", "1 INVITE", inside+ours(events))
}

func ack(ms int) diagnose.Message {
	return msg(ms, "RX", "ACK sip:a@h SIP/2.0", "1 ACK", inside+"\n")
}

// answeredWith is a call whose 200 has another body.
func answeredWith(body string) func(f *Facts) {
	return func(f *Facts) {
		f.Messages[3] = msg(1000, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+contact+body)
		f.Call.LastStatus, f.Call.LastStatusText = 488, "Not Acceptable Here"
		f.Call.EndedAt, f.Messages[5].Time = at(1010), at(1010)
		f.Call.RTP = phone.RTPStats{}
	}
}

func rtp(change func(s *phone.RTPStats)) func(f *Facts) {
	return func(f *Facts) { change(&f.Call.RTP) }
}

func reinvite(ms, cseq int, way, status, direction string) []diagnose.Message {
	back := map[string]string{"TX": "RX", "RX": "TX"}[way]
	body, answer := ours(events), theirs(events)
	if way == "RX" {
		body, answer = answer, body
	}
	if status[0] != '2' {
		answer = "\n"
	}
	return []diagnose.Message{
		msg(ms, way, "INVITE sip:x@h SIP/2.0", fmt.Sprint(cseq, " INVITE"), inside+body+"a="+direction+"\n"),
		msg(ms+5, back, "SIP/2.0 "+status, fmt.Sprint(cseq, " INVITE"), inside+answer),
		msg(ms+6, way, "ACK sip:x@h SIP/2.0", fmt.Sprint(cseq, " ACK"), inside+"\n"),
	}
}

// toItself is one end of a call of a phone to itself, which the called end ends
// right after it was challenged and answered; the log has both ends.
func toItself(end phone.Direction) Facts {
	f := talked(func(f *Facts) { f.Call.Direction, f.Call.AnsweredAt = end, at(1003) })
	const back = "From: <sip:b@h>;tag=2\nTo: <sip:a@h>;tag=1\n"
	f.Messages = []diagnose.Message{
		msg(0, "TX", target, "1 INVITE", fresh+theirs(events)), msg(1, "RX", target, "1 INVITE", fresh+theirs(events)),
		msg(2, "TX", "SIP/2.0 180 Ringing", "1 INVITE", inside+"\n"), msg(3, "RX", "SIP/2.0 180 Ringing", "1 INVITE", inside+"\n"),
		msg(1000, "TX", "SIP/2.0 200 OK", "1 INVITE", inside+theirs(events)), msg(1001, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+theirs(events)),
		msg(1002, "TX", "ACK sip:a@h SIP/2.0", "1 ACK", inside+"\n"), msg(1003, "RX", "ACK sip:a@h SIP/2.0", "1 ACK", inside+"\n"),
		msg(13_000, "TX", "BYE sip:a@h SIP/2.0", "1 BYE", back+"\n"), msg(13_001, "RX", "BYE sip:a@h SIP/2.0", "1 BYE", back+"\n"),
		msg(13_002, "TX", "SIP/2.0 200 OK", "1 BYE", back+"\n"), msg(13_003, "RX", "SIP/2.0 200 OK", "1 BYE", back+"\n"),
	}
	return f
}

// cases has at least one call for each rule, and those in which nothing must be
// found; want are all findings, in any order.
var cases = []struct {
	name    string
	facts   Facts
	want    string
	outcome string
	by      string
	summary string // is in it
}{
	{"a good call out", talked(nil), "", OutcomeCompleted, ByLocal, "a called sip:b@203.0.113.5, which was answered, lasted 12s and was ended by this phone. Nothing unusual was found."},
	{"a good call in", calledIn(nil, accept(1000), ack(1005), bye(13_000, "RX")), "", OutcomeCompleted, ByFarEnd, "a was called by sip:b@203.0.113.5"},
	{"transferred away at once", talked(func(f *Facts) { f.Call.EndedAt = at(1500) }, msg(1200, "TX", "REFER sip:b@h SIP/2.0", "2 REFER", inside+"\n"),
		msg(1205, "RX", "SIP/2.0 202 Accepted", "2 REFER", inside+"\n"), bye(1500, "RX")), "", OutcomeCompleted, ByFarEnd, ""},
	{"a consultation that became another call", talked(func(f *Facts) { f.Call.EndedAt, f.Replaced = at(1500), true }, bye(1500, "RX")), "", OutcomeCompleted, ByFarEnd, "Nothing unusual"},
	{"to itself, the caller's end", toItself(phone.Outbound), "", OutcomeCompleted, ByFarEnd, "ended by the far end. Nothing unusual"},
	{"to itself, the called end", toItself(phone.Inbound), "", OutcomeCompleted, ByLocal, "ended by this phone. Nothing unusual"},
	{"lost for no reason on record", talked(func(f *Facts) { f.Messages, f.Call.LastStatus = f.Messages[:5], 408 }), "", OutcomeDropped, ByNetwork, "ended by a fault after 12s. No rule explains it"},
	{"a live call", talked(func(f *Facts) {
		f.Call.State, f.Call.EndedAt, f.Messages = phone.StateConfirmed, time.Time{}, f.Messages[:5]
	}), "", OutcomeTalking, ByNobody, "they are talking"},
	{"it rings", func() Facts {
		f := failed(180, "Ringing", 0, invite(0, 1, ""), reply(100, 1, "180 Ringing", ""))
		f.Call.State, f.Call.EndedAt, f.Now = phone.StateEarly, time.Time{}, at(5000)
		return f
	}(), "", OutcomeRinging, ByNobody, "it rings"},
	{"it rings and is being cancelled", func() Facts {
		f := failed(180, "Ringing", 0, invite(0, 1, ""), reply(100, 1, "180 Ringing", ""), cancel(4000))
		f.Call.State, f.Call.EndedAt, f.Now = phone.StateEarly, time.Time{}, at(5000)
		return f
	}(), "", OutcomeRinging, ByNobody, "and this phone is cancelling it."},
	{"challenged and answered", talked(nil, msg(-10, "TX", target, "0 INVITE", fresh+ours(events)), msg(-5, "RX", "SIP/2.0 401 Unauthorized", "0 INVITE", inside+challenge+"\n")), "", OutcomeCompleted, ByLocal, ""},
	{"one message twice", talked(nil, msg(500, "TX", target, "1 INVITE", fresh+ours(events))), "", OutcomeCompleted, ByLocal, ""},
	{"hold and back, with a re-INVITE", talked(nil, slices.Concat(reinvite(3000, 2, "TX", "200 OK", "sendonly"), reinvite(6000, 3, "TX", "200 OK", "sendrecv"))...), "", OutcomeCompleted, ByLocal, ""},
	{"a short call without sound", talked(func(f *Facts) {
		f.Call.AnsweredAt, f.Call.EndedAt, f.Call.RTP = at(12_500), at(13_000), phone.RTPStats{}
	}), "", OutcomeCompleted, ByLocal, ""},

	{"killed", talked(func(f *Facts) {
		f.Messages = f.Messages[:5]
		f.Call.LastStatusText, f.Call.RTP = "worker exited", phone.RTPStats{}
		f.Events = []phone.Event{
			{Type: "phone.exited", Time: at(13_000), Data: map[string]any{"exit": "signal: killed", "reason": "signal: killed"}},
			{Type: "call.state.disconnected", Time: at(13_001), Data: map[string]any{"reason": "worker exited"}},
		}
	}), "worker_died", OutcomeDropped, ByLocal, "signal: killed"},
	{"dropped like in a power cut", talked(func(f *Facts) { f.Messages, f.Call.LastStatusText = f.Messages[:5], "Phone stopped" }), "phone_dropped", OutcomeDropped, ByLocal, "The phone was dropped without hanging up"},
	{"dropped while it rings", failed(180, "Phone stopped", 20_000, invite(0, 1, ""), reply(100, 1, "180 Ringing", "")), "phone_dropped", OutcomeDropped, ByLocal, "The phone was dropped without hanging up"},
	{"dropped before anybody answers", failed(0, "Phone stopped", 20_000, invite(0, 1, ""), invite(500, 1, ""), invite(1500, 1, "")), "phone_dropped", OutcomeDropped, ByLocal, "ended by a fault before it was answered"},
	{"nobody there", failed(408, "Request Timeout", 32_000, invite(0, 1, ""), invite(500, 1, ""), invite(1500, 1, ""), invite(3500, 1, "")), "no_response", OutcomeNoResponse, ByNetwork, "sent 4 times"},
	{"a dead port", failed(503, "connection refused", 20, invite(0, 1, "")), "unreachable", OutcomeNoResponse, ByNetwork, "connection refused"},
	{"a wrong password", failed(401, "Unauthorized", 30, invite(0, 1, ""), reply(5, 1, "401 Unauthorized", challenge), invite(6, 2, credentialA), reply(9, 2, "401 Unauthorized", challenge)),
		"wrong_credentials", OutcomeRefused, ByFarEnd, `user "a" for realm "far, away"`},
	{"challenged for ever", failed(401, "Unauthorized", 30, invite(0, 1, ""), reply(5, 1, "401 Unauthorized", challenge), invite(6, 2, credentialA), reply(9, 2, "401 Unauthorized", challenge),
		invite(16, 3, credentialA), reply(19, 3, "401 Unauthorized", challenge)), "auth_loop", OutcomeRefused, ByFarEnd, "challenged 3 times"},
	{"another realm", failed(407, "Proxy Authentication Required", 30, invite(0, 1, ""), reply(5, 1, "407 Proxy Authentication Required", "Proxy-Authenticate: Digest realm=\"else\", nonce=\"x\"\n")),
		"unanswered_challenge", OutcomeRefused, ByFarEnd, `challenge 407 of realm "else" (algorithm MD5)`},
	{"busy", failed(486, "Busy Here", 30, invite(0, 1, ""), reply(5, 1, "486 Busy Here", "Reason: Q.850;cause=17;text=\"User busy\"\n")), "refused", OutcomeRefused, ByFarEnd, "the far end refused with 486 Busy Here (the called party is busy)"},
	{"an unknown status", failed(499, "Odd\x1b[31m", 30, invite(0, 1, ""), reply(5, 1, "499 Odd\x1b[31m", "")), "refused", OutcomeRefused, ByFarEnd, `499 Odd\x1b[31m`},
	{"refused by this phone", calledIn(func(f *Facts) {
		f.Call.LastStatus, f.Call.LastStatusText, f.Call.AnsweredAt = 603, "Decline", time.Time{}
	}, msg(900, "TX", "SIP/2.0 603 Decline", "1 INVITE", inside+"\n")), "refused_here", OutcomeRefused, ByLocal, "this phone refused with 603 Decline (the called party declined)."},
	{"nobody answers", failed(487, "Request Terminated", 20_000, invite(0, 1, ""), reply(100, 1, "180 Ringing", ""), cancel(20_000), reply(20_010, 1, "487 Request Terminated", "")), "no_answer", OutcomeCancelled, ByLocal, "It rang for 19.9s"},
	{"the caller gives up", calledIn(func(f *Facts) { f.Call.LastStatus, f.Call.AnsweredAt = 487, time.Time{} },
		msg(9000, "RX", "CANCEL sip:a@h SIP/2.0", "1 CANCEL", fresh+"\n"), msg(9001, "TX", "SIP/2.0 487 Request Terminated", "1 INVITE", inside+"\n")), "no_answer", OutcomeCancelled, ByFarEnd, "cancelled"},
	{"another phone was quicker", calledIn(func(f *Facts) { f.Call.LastStatus, f.Call.AnsweredAt = 487, time.Time{} },
		msg(9000, "RX", "CANCEL sip:a@h SIP/2.0", "1 CANCEL", fresh+"Reason: SIP;cause=200;text=\"Call completed elsewhere\"\n"), msg(9001, "TX", "SIP/2.0 487 Request Terminated", "1 INVITE", inside+"\n")),
		"answered_elsewhere", OutcomeCancelled, ByFarEnd, "cancelled before it was answered. The call was answered by another phone."},
	{"only 100", failed(408, "Request Timeout", 30_000, invite(0, 1, ""), reply(5, 1, "100 Trying", ""), reply(30_000, 1, "408 Request Timeout", "")), "never_rang", OutcomeRefused, ByFarEnd, "100 Trying"},
	{"488", failed(488, "Not Acceptable Here", 30, invite(0, 1, ""), reply(5, 1, "488 Not Acceptable Here", "Warning: 305 h \"Incompatible media format\"\n")), "codec_mismatch", OutcomeRefused, ByFarEnd, "the far end refused the offer of PCMA, PCMU with 488"},
	{"an answer of other codecs", talked(answeredWith(sdpOf("203.0.113.5", 4000, "RTP/AVP", g729, events))), "codec_mismatch", OutcomeDropped, ByLocal, "this phone has PCMA, PCMU and the far end G729"},
	{"SRTP refused", failed(488, "Not Acceptable Here", 30, msg(0, "TX", target, "1 INVITE", fresh+sdpOf("198.51.100.9", 16384, "RTP/SAVP", pcma)), reply(5, 1, "488 Not Acceptable Here", "")), "encryption_mismatch", OutcomeRefused, ByFarEnd, "RTP/SAVP"},
	{"plain sound refused", calledIn(func(f *Facts) { f.SRTP, f.Call.LastStatus, f.Call.AnsweredAt = true, 488, time.Time{} }, msg(900, "TX", "SIP/2.0 488 Not Acceptable Here", "1 INVITE", inside+"\n")), "encryption_mismatch", OutcomeRefused, ByLocal, "RTP/AVP"},
	{"a 200 without a description", talked(answeredWith("\n")), "unusable_answer", OutcomeDropped, ByLocal, "it has no session description"},
	{"garbage for a description", talked(answeredWith("Content-Type: application/sdp\n\nthis is\nnone\n")), "unusable_answer", OutcomeDropped, ByLocal, "cannot be read"},
	{"audio refused", talked(answeredWith(sdpOf("203.0.113.5", 0, "RTP/AVP", pcma))), "unusable_answer", OutcomeDropped, ByLocal, "port 0"},
	{"an offer of video alone", calledIn(func(f *Facts) {
		f.Messages[0] = msg(0, "RX", target, "1 INVITE", fresh+contact+"Content-Type: application/sdp\n\nv=0\nm=video 4000 RTP/AVP 96\n")
		f.Call.LastStatus, f.Call.AnsweredAt = 488, time.Time{}
	}, msg(900, "TX", "SIP/2.0 488 Not Acceptable Here", "1 INVITE", inside+"\n")), "unusable_offer", OutcomeRefused, ByLocal, "it has no audio stream"},
	{"an offer without an address", calledIn(func(f *Facts) {
		f.Messages[0] = msg(0, "RX", target, "1 INVITE", fresh+contact+"Content-Type: application/sdp\n\nv=0\nm=audio 4000 RTP/AVP 8\n")
		f.Call.LastStatus, f.Call.AnsweredAt = 488, time.Time{}
	}, msg(900, "TX", "SIP/2.0 488 Not Acceptable Here", "1 INVITE", inside+"\n")), "unusable_offer", OutcomeRefused, ByLocal, "there is no c= line"},
	{"redirected in a circle", failed(302, "Moved", 30, invite(0, 1, ""), reply(5, 1, "302 Moved Temporarily", "Contact: <sip:b@203.0.113.5>\n")), "redirect_loop", OutcomeRefused, ByFarEnd, "in a circle"},
	{"redirected nowhere", failed(302, "Moved", 30, invite(0, 1, ""), reply(5, 1, "302 Moved Temporarily", "Contact: <tel:+1>\n")), "redirect_not_followed", OutcomeRefused, ByFarEnd, "led nowhere"},
	{"482", failed(482, "Loop Detected", 30, invite(0, 1, ""), reply(5, 1, "482 Loop Detected", "")), "routing_loop", OutcomeRefused, ByFarEnd, "between servers: 482"},
	{"CANCEL crosses 200", talked(func(f *Facts) {
		f.Call.AnsweredAt, f.Call.EndedAt = time.Time{}, at(1100)
		f.Messages[len(f.Messages)-2].Time = at(1100)
	}, cancel(999)), "cancel_crossed", OutcomeCompleted, ByLocal, "answered and at once ended by this phone"},

	{"200 crosses CANCEL", calledIn(func(f *Facts) { f.Call.EndedAt, f.Call.RTP = at(1010), phone.RTPStats{} }, accept(1000), ack(1002),
		msg(1001, "RX", "CANCEL sip:a@h SIP/2.0", "1 CANCEL", fresh+"\n"), bye(1010, "RX")), "cancel_crossed", OutcomeCompleted, ByFarEnd, ""},
	{"no ACK", calledIn(func(f *Facts) { f.Call.LastStatus = 408 }, accept(1000), accept(1500), accept(2500), accept(4500), bye(33_000, "TX"), byeAnswered(33_005)), "ack_missing", OutcomeDropped, ByNetwork, "sent 4 times"},
	{"a late ACK", calledIn(nil, accept(1000), accept(1500), accept(2500), ack(2800), bye(13_000, "RX")), "ack_late", OutcomeCompleted, ByFarEnd, "1.8s after the answer"},
	{"our ACK is lost", talked(nil, msg(1500, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+contact+theirs(events)), msg(1501, "TX", "ACK sip:b@203.0.113.5 SIP/2.0", "1 ACK", inside+"\n"),
		msg(2500, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+contact+theirs(events)), msg(2501, "TX", "ACK sip:b@203.0.113.5 SIP/2.0", "1 ACK", inside+"\n")), "ack_lost", OutcomeCompleted, ByLocal, "3 times although 3 ACKs"},
	{"nobody answers BYE", talked(nil, bye(13_000, "TX"), bye(13_500, "TX"), bye(14_500, "TX")), "hangup_unanswered", OutcomeCompleted, ByLocal, "sent 3 times"},
	{"nobody is there for BYE", talked(nil, bye(13_000, "TX")), "hangup_unanswered", OutcomeCompleted, ByLocal, "The BYE was sent once"},
	{"BYE cannot leave", talked(func(f *Facts) { f.Messages = f.Messages[:5] }), "hangup_undelivered", OutcomeCompleted, ByLocal, "was ended by this phone. This phone ended the call, and its BYE could not be delivered."},
	{"an answer that cannot be used, and BYE cannot leave", func() Facts {
		f := talked(answeredWith(sdpOf("203.0.113.5", 0, "RTP/AVP", pcma)))
		f.Messages, f.Call.AnsweredAt = f.Messages[:5], time.Time{}
		return f
	}(), "unusable_answer", OutcomeDropped, ByLocal, "ended by a fault right after its answer. The answer cannot be used"},
	{"stopped right after its BYE", talked(func(f *Facts) { f.Events = []phone.Event{{Type: "phone.stopped", Time: at(13_010)}} }, bye(13_000, "TX")), "", OutcomeCompleted, ByLocal, ""},
	{"sent again", talked(nil, msg(500, "TX", target, "1 INVITE", fresh+ours(events)), msg(700, "RX", "SIP/2.0 180 Ringing", "1 INVITE", inside+"\n")), "retransmissions", OutcomeCompleted, ByLocal, "2 times"},

	{"BYE at once", talked(func(f *Facts) { f.Call.EndedAt = at(1200) }, bye(1200, "RX")), "ended_at_once", OutcomeCompleted, ByFarEnd, "199ms after it was answered"},
	{"481 to BYE", talked(nil, bye(13_000, "TX"), msg(13_005, "RX", "SIP/2.0 481 No such call", "9 BYE", inside+"\n")), "unknown_call", OutcomeCompleted, ByLocal, "The BYE got 481"},
	{"both change the call", talked(nil, slices.Concat(reinvite(3000, 2, "TX", "491 Request Pending", "sendonly"), reinvite(6000, 3, "TX", "200 OK", "sendrecv"))...), "glare", OutcomeCompleted, ByLocal, "491"},
	{"a hold refused", talked(nil, reinvite(3000, 2, "TX", "488 Not Acceptable Here", "sendonly")...), "change_refused", OutcomeCompleted, ByLocal, "488 Not Acceptable Here"},
	{"the session timer", talked(func(f *Facts) {
		f.Messages[3] = msg(1000, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+contact+"Session-Expires: 90;refresher=uac\n"+theirs(events))
		f.Call.EndedAt = at(61_000)
		f.Call.RTP.RxPackets, f.Call.RTP.TxPackets = 3000, 3000
	}, bye(61_000, "RX")), "session_timer", OutcomeCompleted, ByFarEnd, "session timer was 1m30s"},
	{"the session timer is refreshed", talked(func(f *Facts) {
		f.Messages[3] = msg(1000, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+contact+"Session-Expires: 90;refresher=uas\n"+theirs(events))
		f.Call.EndedAt = at(61_000)
	}, append(reinvite(46_000, 2, "RX", "200 OK", "sendrecv"), bye(61_000, "RX"))...), "", OutcomeCompleted, ByFarEnd, ""},
	{"422", failed(422, "Session Interval Too Small", 30, invite(0, 1, ""), reply(5, 1, "422 Session Interval Too Small", "Min-SE: 1800\n")), "session_interval", OutcomeRefused, ByFarEnd, "at least 1800 s"},
	{"a transfer that fails", talked(nil, msg(5000, "TX", "REFER sip:b@h SIP/2.0", "2 REFER", inside+"\n"), msg(5005, "RX", "SIP/2.0 202 Accepted", "2 REFER", inside+"\n"),
		msg(5100, "RX", "NOTIFY sip:a@h SIP/2.0", "7 NOTIFY", inside+"Content-Type: message/sipfrag\n\nSIP/2.0 486 Busy Here\n"), msg(5101, "TX", "SIP/2.0 200 OK", "7 NOTIFY", inside+"\n")), "transfer_refused", OutcomeCompleted, ByLocal, "486 Busy Here"},
	{"held at the end", talked(nil, reinvite(3000, 2, "TX", "200 OK", "sendonly")...), "on_hold", OutcomeCompleted, ByLocal, "The call stood on hold at its end: this phone says sendonly"},
	{"the log is too short", talked(func(f *Facts) { f.Messages = f.Messages[5:] }), "record_incomplete", OutcomeCompleted, ByLocal, ""},

	{"nothing is on record of a good call", talked(func(f *Facts) { f.Messages = nil }), "record_incomplete", OutcomeCompleted, ByUnknown, "which was answered and lasted 12s. The beginning of the call is not on record any more"},
	{"nothing is on record of a cancelled call", failed(487, "Request Terminated", 30), "record_incomplete", OutcomeCancelled, ByUnknown, "which was cancelled before it was answered."},
	{"nothing is on record of a refused call", failed(486, "Busy Here", 30), "record_incomplete", OutcomeRefused, ByUnknown, "which was refused with 486 Busy Here (the called party is busy)."},
	{"nothing is on record of a call that got no answer", failed(408, "Request Timeout", 30), "record_incomplete", OutcomeRefused, ByUnknown, "408 Request Timeout"},
	{"a wrong address in SDP", talked(func(f *Facts) {
		f.Messages[3] = msg(1000, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+contact+sdpOf("10.0.0.7", 4000, "RTP/AVP", pcma, events))
		f.Call.RTP = phone.RTPStats{TxPackets: 600}
	}), "wrong_media_address no_sound_in", OutcomeCompleted, ByLocal, "its sound is at 10.0.0.7, but its SIP comes from 203.0.113.5 and no sound came at all"},
	{"nothing comes from behind a proxy", talked(func(f *Facts) {
		f.Messages[3] = msg(1000, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+contact+"Record-Route: <sip:203.0.113.5;lr>\n"+sdpOf("203.0.113.77", 4000, "RTP/AVP", pcma, events))
		f.Call.RTP = phone.RTPStats{TxPackets: 600}
	}), "no_sound_in", OutcomeCompleted, ByLocal, "nothing came from the far end"},
	{"a private address behind a proxy", talked(func(f *Facts) {
		f.Messages[3] = msg(1000, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+contact+"Record-Route: <sip:203.0.113.5;lr>\n"+sdpOf("10.0.0.7", 4000, "RTP/AVP", pcma, events))
		f.Call.RTP = phone.RTPStats{TxPackets: 600}
	}), "wrong_media_address no_sound_in", OutcomeCompleted, ByLocal, "its sound is at 10.0.0.7"},
	{"sound by way of a media server", talked(func(f *Facts) {
		f.Messages[3] = msg(1000, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+contact+sdpOf("203.0.113.77", 4000, "RTP/AVP", pcma, events))
		f.Call.RTP.RxFrom = "203.0.113.77:4000"
	}), "", OutcomeCompleted, ByLocal, ""},
	{"sound from another address than said", talked(func(f *Facts) {
		f.Messages[3] = msg(1000, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+contact+sdpOf("203.0.113.77", 4000, "RTP/AVP", pcma, events))
	}), "rtp_from_elsewhere", OutcomeCompleted, ByLocal, "Sound came from 203.0.113.5:4000"},
	{"sound from another address than the private one", talked(func(f *Facts) {
		f.Messages[3] = msg(1000, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+contact+sdpOf("10.0.0.7", 4000, "RTP/AVP", pcma, events))
	}), "wrong_media_address", OutcomeCompleted, ByLocal, "its sound from 203.0.113.5"},
	{"our address is this machine's alone", talked(func(f *Facts) {
		f.Messages[0] = msg(0, "TX", target, "1 INVITE", fresh+sdpOf("127.0.0.1", 16384, "RTP/AVP", pcma, events))
	}), "own_media_address", OutcomeCompleted, ByLocal, "127.0.0.1"},
	{"RTP from another port", talked(rtp(func(s *phone.RTPStats) { s.RxFrom = "203.0.113.5:4444" })), "rtp_from_elsewhere", OutcomeCompleted, ByLocal, "Sound came from 203.0.113.5:4444"},
	{"a private Contact", talked(func(f *Facts) {
		f.Messages[3] = msg(1000, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+"Contact: <sip:b@10.0.0.7>\n"+theirs(events))
	}), "wrong_contact", OutcomeCompleted, ByLocal, "Contact is 10.0.0.7"},
	{"a private Contact behind a proxy", talked(func(f *Facts) {
		f.Messages[3] = msg(1000, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+"Contact: <sip:b@10.0.0.7>\nRecord-Route: <sip:203.0.113.5;lr>\n"+theirs(events))
	}), "", OutcomeCompleted, ByLocal, ""},

	{"nothing comes", talked(rtp(func(s *phone.RTPStats) { s.RxPackets, s.RxFrom = 0, "" })), "no_sound_in", OutcomeCompleted, ByLocal, "nothing came from the far end in 12s"},
	{"nothing comes, as the far end had said", talked(func(f *Facts) {
		f.Messages[3] = msg(1000, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+contact+theirs(events)+"a=recvonly\n")
		f.Call.RTP.RxPackets, f.Call.RTP.RxFrom = 0, ""
	}), "on_hold", OutcomeCompleted, ByLocal, ""},
	{"nothing goes", talked(rtp(func(s *phone.RTPStats) { s.TxPackets = 0 })), "no_sound_out", OutcomeCompleted, ByLocal, "this phone sent nothing"},
	{"nothing at all", talked(rtp(func(s *phone.RTPStats) { *s = phone.RTPStats{} })), "no_sound", OutcomeCompleted, ByLocal, "in either direction"},
	{"it stops", talked(func(f *Facts) {
		f.Events = []phone.Event{{Type: "media.started", Time: at(1100)}, {Type: "media.silence", Time: at(4000), Data: map[string]any{"reason": "no_rtp"}}}
	}), "sound_stopped", OutcomeCompleted, ByLocal, "stopped 9s before the end"},
	{"quiet for a while", talked(func(f *Facts) {
		f.Events = []phone.Event{{Type: "media.silence", Time: at(4000), Data: map[string]any{"reason": "no_rtp"}}, {Type: "media.resumed", Time: at(9000)}}
	}), "", OutcomeCompleted, ByLocal, ""},
	{"somebody listens for a while", talked(func(f *Facts) {
		f.Events = []phone.Event{{Type: "media.silence", Time: at(4000), Data: map[string]any{"reason": "quiet"}}}
		f.Call.Heard = phone.Sound{HeardMs: 3000, SilentMs: 9000}
	}), "", OutcomeCompleted, ByLocal, ""},
	{"silence comes", talked(func(f *Facts) { f.Call.Heard = phone.Sound{SilentMs: 12_000} }), "only_silence_in", OutcomeCompleted, ByLocal, "held only silence for 12s"},
	{"silence goes", talked(func(f *Facts) { f.Call.Sent = phone.Sound{SilentMs: 11_960, MissingMs: 40} }), "only_silence_out", OutcomeCompleted, ByLocal, "This phone sent packets that held only silence"},
	{"another codec", talked(rtp(func(s *phone.RTPStats) { s.RxUnagreed, s.RxUnagreedPT, s.RxDiscard = 600, 0, 600 })), "unagreed_codec", OutcomeCompleted, ByLocal, "600 packets of payload type 0 (PCMU)"},
	{"nothing is known of the sound", talked(func(f *Facts) { f.Uncounted, f.Call.RTP = true, phone.RTPStats{} }), "", OutcomeCompleted, ByLocal, ""},
	{"another clock with another codec", talked(rtp(func(s *phone.RTPStats) { s.RxJitterUsec = 503_397_000 }), reinvite(3000, 2, "TX", "200 OK", "sendrecv")...), "", OutcomeCompleted, ByLocal, ""},
	{"lost packets", talked(rtp(func(s *phone.RTPStats) { s.RxLoss = 60 })), "loss", OutcomeCompleted, ByLocal, "9.1 % of the far end's packets were lost (60 of 660)"},
	{"jitter", talked(rtp(func(s *phone.RTPStats) { s.RxJitterUsec = 80_000 })), "jitter", OutcomeCompleted, ByLocal, "80 ms"},
	{"too late to be played", talked(rtp(func(s *phone.RTPStats) { s.RxDiscard = 90 })), "too_late", OutcomeCompleted, ByLocal, "15.0 %"},

	{"no telephone-event", talked(func(f *Facts) {
		f.Messages[3] = msg(1000, "RX", "SIP/2.0 200 OK", "1 INVITE", inside+contact+theirs())
	}), "no_telephone_event", OutcomeCompleted, ByLocal, "the far end does not offer it"},
	{"a digit refused", talked(nil, msg(3000, "TX", "INFO sip:b@h SIP/2.0", "4 INFO", inside+"Content-Type: application/dtmf-relay\n\nSignal=5\n"), msg(3005, "RX", "SIP/2.0 415 Unsupported Media Type", "4 INFO", inside+"\n")),
		"digits_refused", OutcomeCompleted, ByLocal, "refused with 415"},
	{"digits by INFO", talked(nil, msg(3000, "RX", "INFO sip:a@h SIP/2.0", "4 INFO", inside+"Content-Type: application/dtmf-relay\n\nSignal=5\n"), msg(3005, "TX", "SIP/2.0 200 OK", "4 INFO", inside+"\n")),
		"digits_by_info", OutcomeCompleted, ByLocal, "by INFO although"},
}

// A status that nobody sent must not be explained as if a server had.
func TestMeaningOfWhatThePhoneItselfSays(t *testing.T) {
	dead := failed(503, "connection refused", 20, invite(0, 1, ""))
	killed := talked(func(f *Facts) {
		f.Call.LastStatusText = "worker exited"
		f.Events = []phone.Event{{Type: "call.state.disconnected", Time: at(13_001), Data: map[string]any{"reason": "worker exited"}}}
	}, bye(13_002, "TX"))
	for _, c := range []struct {
		name  string
		facts Facts
		want  string
	}{
		{"a dead port", dead, "no final answer came; this status is the phone's own word for that"},
		{"a killed process", killed, "the process of the phone died in the call"},
		{"a server's 503", failed(503, "Busy", 20, invite(0, 1, ""), reply(5, 1, "503 Busy", "")), meaningOf(503).means},
		{"a good call", talked(nil), "the call was answered, and ended by BYE"},
	} {
		if got := Explain(c.facts).Ending.Meaning; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestEveryRule(t *testing.T) {
	proven := map[string]bool{}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			report := Explain(c.facts)
			var got []string
			for _, f := range report.Findings {
				got = append(got, f.Rule)
				proven[f.Rule] = true
				if len(f.Evidence) == 0 || len(f.Evidence) > mostEvidence || f.Advice == "" || strings.Contains(f.Finding, "%!") || !strings.HasSuffix(f.Finding, ".") {
					t.Errorf("the finding is %+v", f)
				}
				for _, e := range f.Evidence {
					if e.At.IsZero() || (e.Message == "") == (e.Statistic == "") {
						t.Errorf("%s rests on %+v", f.Rule, e)
					}
				}
			}
			want := strings.Fields(c.want)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("found %q, want %q: %+v", got, want, report.Findings)
			}
			if report.Outcome != c.outcome || report.EndedBy != c.by {
				t.Errorf("%s, ended by %s; want %s, %s", report.Outcome, report.EndedBy, c.outcome, c.by)
			}
			if !strings.Contains(report.Summary, c.summary) || strings.ContainsAny(report.Summary, "\x1b\n") || len(report.Summary) > 600 {
				t.Errorf("the summary is %q, want %q in it", report.Summary, c.summary)
			}
			if len(got)+len(report.Checked) != len(Rules()) {
				t.Errorf("%d found and %d checked of %d rules", len(got), len(report.Checked), len(Rules()))
			}
		})
	}
	for _, r := range Rules() {
		if !proven[r.ID] {
			t.Errorf("no case for rule %s", r.ID)
		}
	}
}
