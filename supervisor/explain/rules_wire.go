package explain

import (
	"fmt"
	"time"

	"ringmaster/supervisor/diagnose"
)

// ackRules look at whether messages arrive.
func ackRules() []Rule {
	return []Rule{
		{"ack_missing", Error, "the ACK to a 2xx of the phone", "The far end never sent the ACK to the answer, which was sent %d times.", "the far end does not get the answer, or its ACK goes elsewhere: check the Contact of the answer and the Record-Route headers", ackMissing},
		{"ack_late", Warning, "the time from a 2xx to its ACK", "The ACK came %v after the answer, which had been sent %d times by then.", "something on the way is slow or loses packets", ackLate},
		{"ack_lost", Warning, "2xx that come again although they had an ACK", "The far end sent its answer %d times although %d ACKs went out: they do not arrive.", "the ACK goes to the Contact of the answer by its Record-Route: check that both can be reached", ackLost},
		{"hangup_unanswered", Warning, "a BYE without an answer", "The BYE was sent %s and nobody answered it.", "it goes to the far end's Contact by the route of the call: check that both can be reached; the far end may have gone", hangupUnanswered},
		{"hangup_undelivered", Warning, "an ended call without any BYE", "This phone ended the call, and its BYE could not be delivered.", "the far end still has the call: check that its Contact can be reached, and whether it closed the connection", hangupUndelivered},
		{"retransmissions", Warning, "messages that came or went more than once", "Messages of this call were sent again %d times.", "packets are lost or answers come late: look at the ladder for which way", retransmissions},
	}
}

// accepted are the INVITEs of the far end that the phone answered with a 2xx.
func (r *record) accepted() []*exchange {
	var found []*exchange
	for _, x := range r.find("INVITE") {
		if !x.ours && x.success() != nil {
			found = append(found, x)
		}
	}
	return found
}

// ackMissing says that the call ended for want of an ACK.
func (r *record) ackMissing() bool { return ackMissing(r) != nil }

// unacked is how often a 2xx goes out before its ACK is called missing: 3.5 s
// (RFC 3261 §13.3.1.4).
const unacked = 4

func ackMissing(r *record) *match {
	for _, x := range r.accepted() {
		ok := x.success()
		if len(x.acks) == 0 && !r.died && ok.seen >= unacked {
			return matched(message(ok.Message), Evidence{At: ok.last, Statistic: fmt.Sprintf("2xx sent %d times, ACK received 0", ok.seen)}).says(ok.seen)
		}
	}
	return nil
}

// late is from when on an ACK is late: the 2xx has then been sent at least
// twice.
const late = time.Second

func ackLate(r *record) *match {
	for _, x := range r.accepted() {
		ok := x.success()
		if len(x.acks) > 0 && ok.seen > 1 && x.acks[0].Time.Sub(ok.Time) >= late {
			return matched(message(ok.Message), message(x.acks[0])).says(roughly(x.acks[0].Time.Sub(ok.Time)), ok.seen)
		}
	}
	return nil
}

func ackLost(r *record) *match {
	for _, x := range r.find("INVITE") {
		if ok := x.success(); x.ours && ok != nil && ok.seen > 2 && len(x.acks) > 1 {
			return matched(message(ok.Message), message(x.acks[len(x.acks)-1])).says(ok.seen, len(x.acks))
		}
	}
	return nil
}

// unansweredBye is the phone's BYE that got no answer: it had to repeat it, or
// gave up at once, since nothing listens there.
func (r *record) unansweredBye() *exchange {
	for _, x := range r.find("BYE") {
		if x.ours && x.request != nil && len(x.answers) == 0 && (x.sent > 2 || r.listened(x.request.Time) >= patience) {
			return x
		}
	}
	return nil
}

// listened is for how long the phone was there after a moment.
func (r *record) listened(since time.Time) time.Duration {
	for _, e := range r.Events {
		if (e.Type == "phone.stopped" || e.Type == "phone.exited") && !e.Time.Before(since) {
			return e.Time.Sub(since)
		}
	}
	return r.Now.Sub(since)
}

func hangupUnanswered(r *record) *match {
	x := r.unansweredBye()
	if x == nil {
		return nil
	}
	return matched(message(*x.request), Evidence{At: x.request.Time, Statistic: fmt.Sprintf("BYE sent %d times, answers 0", x.sent)}).says(times(x.sent))
}

func hangupUndelivered(r *record) *match {
	if !r.untold() {
		return nil
	}
	found := matched(r.statistic("no BYE is on record, last_status %d %s", r.Call.LastStatus, short(r.Call.LastStatusText, 60)))
	if m := r.introduced(); m != nil {
		found.evidence = append(found.evidence, header(*m, "Contact"))
	}
	return found
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprint(n, " times")
}

// retransmissions leaves out what another rule explains, and a single
// repetition, which a busy far end causes too.
func retransmissions(r *record) *match {
	total := 0
	var found []Evidence
	for _, x := range r.exchanges {
		n := x.repeats()
		if n == 0 || x == r.unheard() || x == r.unansweredBye() || x.explainedRepeats() {
			continue
		}
		total += n
		if x.request != nil && x.sent > 1 {
			found = append(found, repeated(*x.request, x.sent))
		}
		for _, a := range x.answers {
			if a.seen > 1 {
				found = append(found, repeated(a.Message, a.seen))
			}
		}
	}
	if total < 2 {
		return nil
	}
	return matched(found...).says(total)
}

// explainedRepeats are those of a 2xx whose ACK was missing, late or lost.
func (x *exchange) explainedRepeats() bool {
	ok := x.success()
	return x.method == "INVITE" && x.sent < 2 && ok != nil && ok.seen > 1
}

func repeated(m diagnose.Message, times int) Evidence {
	e := message(m)
	e.Message += fmt.Sprintf(", %d times", times)
	return e
}
