package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringmaster/supervisor/diagnose"
)

// callRules look at the call once it is there.
func callRules() []Rule {
	return []Rule{
		{"ended_at_once", Warning, "a BYE of the far end right after the answer", "The far end ended the call %v after it was answered.", "it took the call and could not use it: compare codecs and addresses of both descriptions, and see its log", endedAtOnce},
		{"unknown_call", Warning, "481", "The %s got 481: that end did not know the call any more.", "one end had ended or lost the call: see which BYE the other did not get", unknownCall},
		{"glare", Note, "491", "Both ends changed the call at the same moment, and one was told to try again (491).", "nothing: it is tried again after a short while", glare},
		{"change_refused", Warning, "answers to re-INVITE and UPDATE", "A change of the call was refused with %s.", "the call went on as it was before; see what the offer asked for", changeRefused},
		{"session_timer", Warning, "Session-Expires and the time of the BYE", "The far end ended the call %v after it was last refreshed, and its session timer was %v: nobody refreshed it.", "switch session timers off at the far end, or let it refresh the call itself (refresher=uas when it is called)", sessionTimer},
		{"session_interval", Error, "422", "The session interval that was asked for is too small: the far end wants at least %s s.", "ask for a larger Session-Expires", sessionInterval},
		{"transfer_refused", Warning, "answers to REFER, and NOTIFY after it", "A transfer failed: %s.", "see whether the target can be called, and whether transfers are allowed", transferRefused},
		{"on_hold", Note, "the direction in the last descriptions", "The call %s on hold%s: %s.", "take it up again with unhold at the end that held it", onHold},
		{"record_incomplete", Note, "the log of the phone", "The beginning of the call is not on record any more: findings rest on what is left.", "diagnose a call sooner: the newest 5,000 messages of each phone are kept", recordIncomplete},
	}
}

func endedAtOnce(r *record) *match {
	bye := r.firstBye()
	if bye == nil || bye.Sent || !r.answered() {
		return nil
	}
	after := bye.Time.Sub(r.Call.AnsweredAt)
	if after >= time.Second || r.transferred() || r.Replaced || len(r.find("CANCEL")) > 0 {
		return nil
	}
	found := matched(message(*bye)).says(max(0, after).Round(time.Millisecond))
	if bye.Header("Reason") != "" {
		found.evidence = append(found.evidence, header(*bye, "Reason"))
	}
	return found
}

// transferred says that a REFER was accepted: the call is then ended by rights.
func (r *record) transferred() bool {
	return slices.ContainsFunc(r.find("REFER"), func(x *exchange) bool { return x.success() != nil })
}

func unknownCall(r *record) *match {
	byes := len(r.find("BYE"))
	for _, x := range r.exchanges {
		m := x.final()
		if m == nil || m.Status != 481 || x.method == "CANCEL" || x.request == nil || x == r.last() {
			continue
		}
		if x.method == "BYE" && byes > 1 {
			continue // both hung up at once
		}
		return matched(message(*x.request), message(*m)).says(x.method)
	}
	return nil
}

func glare(r *record) *match {
	for _, x := range r.changes() {
		if m := x.final(); m != nil && m.Status == 491 {
			return matched(message(*x.request), message(*m))
		}
	}
	return nil
}

func changeRefused(r *record) *match {
	for _, x := range r.changes() {
		m := x.final()
		if m == nil || m.Status < 300 || m.Status == 491 || m.Status == 401 || m.Status == 407 || m.Status == 481 || m.Status == 487 {
			continue
		}
		status := strings.TrimSpace(fmt.Sprint(m.Status, " ", short(m.Reason, 40)))
		return matched(message(*x.request), message(*m)).says(status)
	}
	return nil
}

// timer is the session interval that was agreed on, and when the call was last
// refreshed before a moment.
func (r *record) timer(before time.Time) (interval time.Duration, refreshed time.Time, said *diagnose.Message) {
	for _, x := range slices.Concat(r.setup, r.changes()) {
		ok := x.success()
		if ok == nil || ok.Time.After(before) {
			continue
		}
		refreshed = ok.Time
		value, _, _ := strings.Cut(ok.Header("Session-Expires"), ";")
		if s, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && s > 0 && s < 1<<20 {
			interval, said = time.Duration(s)*time.Second, &ok.Message
		}
	}
	return interval, refreshed, said
}

// sessionTimer: who does not refresh and hears of no refresh says BYE a third
// of the interval before its end, or 32 s, whichever is less (RFC 4028 §10);
// some wait until it is over.
func sessionTimer(r *record) *match {
	bye := r.firstBye()
	if bye == nil || bye.Sent {
		return nil
	}
	interval, refreshed, said := r.timer(bye.Time)
	if said == nil {
		return nil
	}
	const leeway = 2 * time.Second
	after := bye.Time.Sub(refreshed)
	early := min(32*time.Second, interval/3)
	if after < interval-early-leeway || after > interval+2*leeway+interval/10 {
		return nil
	}
	return matched(header(*said, "Session-Expires"), message(*bye)).says(roughly(after), interval)
}

func sessionInterval(r *record) *match {
	m := r.refusal()
	if m == nil || m.Status != 422 {
		return nil
	}
	return matched(header(*m, "Min-SE")).says(short(m.Header("Min-SE"), 20))
}

func transferRefused(r *record) *match {
	for _, x := range r.find("REFER") {
		if m := x.final(); m != nil && m.Status >= 300 && m.Status != 401 && m.Status != 407 && x.request != nil {
			return matched(message(*x.request), message(*m)).says(fmt.Sprintf("the REFER was refused with %d %s", m.Status, short(m.Reason, 40)))
		}
	}
	for _, x := range r.find("NOTIFY") {
		if x.request == nil || !strings.Contains(strings.ToLower(x.request.Header("Content-Type")), "sipfrag") {
			continue
		}
		line, _, _ := strings.Cut(string(x.request.Body), "\n")
		if words := strings.Fields(line); len(words) > 1 && len(words[1]) == 3 && words[1] >= "300" {
			return matched(message(*x.request)).says("the new call got " + short(strings.TrimSpace(strings.Join(words[1:], " ")), 60))
		}
	}
	return nil
}

func onHold(r *record) *match {
	a, ok := r.current()
	if !ok || !r.answered() || a.inbound() && a.outbound() {
		return nil
	}
	var who []string
	if !a.local.Direction.Receives() {
		who = append(who, fmt.Sprintf("this phone says %s", a.local.Direction))
	}
	if !a.remote.Direction.Receives() || unspecified(a.remote) || !a.remote.Direction.Sends() && a.local.Direction.Receives() {
		says := a.remote.Direction.String()
		if unspecified(a.remote) {
			says = "the address 0.0.0.0"
		}
		who = append(who, fmt.Sprintf("the far end says %s", says))
	}
	if len(who) == 0 {
		return nil
	}
	stands, at := "stands", ""
	if r.over() {
		stands, at = "stood", " at its end"
	}
	return matched(message(a.ours), message(a.theirs)).says(stands, at, strings.Join(who, ", "))
}

func recordIncomplete(r *record) *match {
	if len(r.setup) > 0 {
		return nil
	}
	return matched(r.statistic("%d messages on record, no INVITE that began the call among them", len(r.Messages)))
}
