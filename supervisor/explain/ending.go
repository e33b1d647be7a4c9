package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/diagnose"
)

// Ending is how a call stands, or how it ended.
type Ending struct {
	Outcome string // one of the Outcome constants
	EndedBy string // one of the By constants
	Status  int    // SIP status that goes with it; 0 when there is none
	Text    string // its reason phrase
	Meaning string // what the status usually means
	Cause   *Cause // nil when no message said one
	Said    string // the Reason header of what ended it, when that is no such cause (RFC 3326)
}

// How a call stands.
const (
	OutcomeCalling    = "calling"     // no answer of any kind yet, or only 100
	OutcomeRinging    = "ringing"     // it rings, here or there
	OutcomeTalking    = "talking"     // it is answered
	OutcomeCompleted  = "completed"   // answered, and ended in order
	OutcomeRefused    = "refused"     // a final answer of 300 or more
	OutcomeCancelled  = "cancelled"   // the caller gave up
	OutcomeNoResponse = "no response" // nobody said anything final
	OutcomeDropped    = "dropped"     // answered, and ended by a fault
)

// Who ended a call.
const (
	ByLocal   = "local"
	ByFarEnd  = "far end"
	ByNetwork = "network"
	ByNobody  = "nobody yet"
	ByUnknown = "unknown" // the messages that would say so are not on record any more
)

func (r *record) ending() Ending {
	e := Ending{EndedBy: ByNobody, Status: r.Call.LastStatus, Text: short(r.Call.LastStatusText, 100)}
	if e.Status > 0 {
		e.Meaning = meaningOf(e.Status).means
	}
	if r.stopped() {
		e.Meaning = "the phone was dropped, without a word to the far end"
	}
	if !r.over() {
		e.Outcome = r.standing()
		return e
	}
	e.Outcome, e.EndedBy = r.ended()
	switch {
	case r.died:
		e.Meaning = "the process of the phone died in the call"
	case e.Outcome == OutcomeNoResponse && e.Status >= 300:
		// Nobody sent this status: it is how the phone itself puts it.
		e.Meaning = "no final answer came; this status is the phone's own word for that"
	}
	last := r.lastWord()
	if last == nil {
		return e
	}
	e.Cause = causeIn(*last)
	if e.Cause == nil {
		e.Said = short(last.Header("Reason"), 120)
	}
	if last.IsRequest() && last.Method == "BYE" && e.Status == 200 && !r.died {
		e.Meaning = "the call was answered, and ended by BYE"
	}
	return e
}

func (r *record) standing() string {
	switch r.Call.State {
	case phone.StateConnecting, phone.StateConfirmed:
		return OutcomeTalking
	case phone.StateIncoming, phone.StateEarly:
		return OutcomeRinging
	}
	return OutcomeCalling
}

func (r *record) ended() (outcome, by string) {
	if r.died || r.stopped() {
		return OutcomeDropped, ByLocal
	}
	bye := r.firstBye()
	switch {
	case bye != nil:
		return r.byed(bye)
	case len(r.setup) == 0 && len(r.find("CANCEL")) == 0:
		return r.remembered(), ByUnknown
	case r.untold():
		return OutcomeCompleted, ByLocal
	case r.answered():
		// Without a BYE: the far end had forgotten the call, or was silent.
		if r.Call.LastStatus == 481 {
			return OutcomeDropped, ByFarEnd
		}
		return OutcomeDropped, ByNetwork
	}
	return r.unanswered()
}

// untold says that the phone ended the call and its BYE could not even leave:
// only BYE gives an answered call this status.
func (r *record) untold() bool {
	return r.over() && r.answered() && len(r.setup) > 0 && r.Call.LastStatus == 200 && r.firstBye() == nil && !r.died && !r.stopped()
}

// remembered is how a call ended whose messages are not on record any more, by
// its last status.
func (r *record) remembered() string {
	status := r.Call.LastStatus
	switch {
	case r.answered() && status < 300:
		return OutcomeCompleted
	case r.answered():
		return OutcomeDropped
	case status == 487:
		return OutcomeCancelled
	case status >= 300:
		return OutcomeRefused
	}
	return OutcomeNoResponse
}

// byed is how a call ended in which there was a BYE.
func (r *record) byed(bye *diagnose.Message) (outcome, by string) {
	switch {
	case !bye.Sent:
		return OutcomeCompleted, ByFarEnd
	case r.ackMissing():
		return OutcomeDropped, ByNetwork
	case r.Call.LastStatus >= 300:
		return OutcomeDropped, ByLocal
	}
	return OutcomeCompleted, ByLocal
}

func (r *record) unanswered() (outcome, by string) {
	if cancels := r.find("CANCEL"); len(cancels) > 0 {
		if cancels[0].ours {
			return OutcomeCancelled, ByLocal
		}
		return OutcomeCancelled, ByFarEnd
	}
	m := r.refusal()
	switch {
	case r.outcome() != nil && m == nil:
		return OutcomeDropped, ByLocal // it was answered in a way that the phone could not take
	case m != nil && m.Sent:
		return OutcomeRefused, ByLocal
	case m != nil:
		return OutcomeRefused, ByFarEnd
	}
	return OutcomeNoResponse, ByNetwork
}

// firstBye is the first BYE on record; nil when there was none.
func (r *record) firstBye() *diagnose.Message {
	for _, x := range r.find("BYE") {
		if x.request != nil {
			return x.request
		}
	}
	return nil
}

// lastWord is the message that ended the call; nil when none did.
func (r *record) lastWord() *diagnose.Message {
	if bye := r.firstBye(); bye != nil {
		return bye
	}
	if cancels := r.find("CANCEL"); len(cancels) > 0 && cancels[0].request != nil {
		return cancels[0].request
	}
	return r.refusal()
}

// summary is two sentences: what became of the call, and the most important
// finding.
func (r *record) summary(report Report) string {
	first := r.beginning() + ", " + r.conclusion(report.Ending) + "."
	i := slices.IndexFunc(report.Findings, func(f Finding) bool { return f.Severity != Note && f.Rule != ruleRefused })
	switch {
	case len(report.Findings) == 0 && slices.Contains([]string{OutcomeRefused, OutcomeNoResponse, OutcomeDropped}, report.Outcome):
		return first + " No rule explains it: read its messages (get_call_messages)."
	case len(report.Findings) == 0:
		return first + " Nothing unusual was found."
	case i >= 0:
		return first + " " + report.Findings[i].Finding
	}
	switch f := report.Findings[0]; f.Rule {
	case ruleRefused:
		return first + " What to do: " + strings.TrimSuffix(f.Advice, ".") + "."
	case ruleRefusedHere:
		return first
	default:
		return first + " " + f.Finding
	}
}

func (r *record) beginning() string {
	far := cmp.Or(short(diagnose.URI(r.Call.RemoteURI), 80), "an unknown far end")
	if r.outbound() {
		return fmt.Sprintf("%s called %s", r.PhoneID, far)
	}
	return fmt.Sprintf("%s was called by %s", r.PhoneID, far)
}

func (r *record) conclusion(e Ending) string {
	status := strings.TrimSpace(fmt.Sprint(e.Status, " ", e.Text))
	lasted := max(0, roughly(r.end.Sub(r.Call.AnsweredAt)))
	by := map[string]string{ByLocal: "this phone", ByFarEnd: "the far end", ByNetwork: "the network"}[e.EndedBy]
	if cancels := r.find("CANCEL"); !r.over() && !r.answered() && len(cancels) > 0 && cancels[0].ours {
		return "and this phone is cancelling it"
	}
	if e.EndedBy == ByUnknown {
		return map[string]string{
			OutcomeCompleted:  fmt.Sprintf("which was answered and lasted %v", lasted),
			OutcomeDropped:    fmt.Sprintf("which was answered and ended with %s after %v", status, lasted),
			OutcomeCancelled:  "which was cancelled before it was answered",
			OutcomeRefused:    fmt.Sprintf("which was refused with %s (%s)", status, e.Meaning),
			OutcomeNoResponse: "and it ended without an answer",
		}[e.Outcome]
	}
	switch e.Outcome {
	case OutcomeCalling:
		return "and there is no answer yet"
	case OutcomeRinging:
		return "and it rings"
	case OutcomeTalking:
		return "and they are talking"
	case OutcomeCompleted:
		if !r.answered() {
			return "which was answered and at once ended by " + by
		}
		return fmt.Sprintf("which was answered, lasted %v and was ended by %s", lasted, by)
	case OutcomeRefused:
		return fmt.Sprintf("which %s refused with %s (%s)", by, status, e.Meaning)
	case OutcomeCancelled:
		return fmt.Sprintf("which %s cancelled before it was answered", by)
	case OutcomeDropped:
		if ok := r.outcome(); !r.answered() && ok != nil && ok.Status < 300 {
			return "which ended by a fault right after its answer"
		}
		if !r.answered() {
			return "which ended by a fault before it was answered"
		}
		return fmt.Sprintf("which was answered and ended by a fault after %v", lasted)
	}
	return "and it ended without a final answer"
}
