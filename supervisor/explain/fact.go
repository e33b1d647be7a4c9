package explain

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/diagnose"
)

// Facts is what is on record of one call at one phone.
type Facts struct {
	PhoneID phone.ID
	// Call is the newest that is known of it.
	Call phone.CallInfo
	// Messages are those with the call's Call-ID in the phone's log, oldest
	// first. A phone that calls itself has those of both ends there.
	Messages []diagnose.Message
	// Events are those of the call, and the phone's own (phone.exited, …),
	// oldest first.
	Events []phone.Event
	Now    time.Time
	// Uncounted says that the statistics of sound in Call are not known.
	Uncounted bool
	// Replaced says that a message of another call asked for this one to be
	// replaced, as an attended transfer does.
	Replaced bool
	// SRTP says that the phone is set to encrypt sound; false when its settings
	// are not known.
	SRTP bool
}

// Evidence is what a finding rests on: a message, an event or a statistic, and
// when it was.
type Evidence struct {
	At        time.Time
	Message   string // "RX 486 Busy Here to INVITE (cseq 1) from UDP 127.0.0.1:5060"
	Statistic string // "rx_packets 0, tx_packets 412"
}

// record is the facts with what follows from them.
type record struct {
	Facts
	exchanges  []*exchange
	setup      []*exchange // the INVITEs that began the call, oldest first
	agreements []agreement // oldest first
	end        time.Time   // of the call; now while it lasts
	died       bool        // its worker did
}

func newRecord(f Facts) *record {
	r := &record{Facts: f, end: f.Call.EndedAt}
	if r.end.IsZero() {
		r.end = f.Now
	}
	r.Messages = r.ownEnd()
	r.exchanges = exchangesOf(r.Messages)
	for _, x := range r.exchanges {
		if x.method == "INVITE" && x.ours == r.outbound() && x.request != nil && diagnose.Tag(x.request.Header("To")) == "" {
			r.setup = append(r.setup, x)
		}
	}
	r.agreements = agreementsOf(r.exchanges)
	for _, e := range f.Events {
		if e.Type == "call.state.disconnected" && word(e.Data["reason"]) == workerExited {
			r.died = true
		}
	}
	return r
}

// ownEnd leaves out the messages of the other end of a call of the phone to
// itself. What the caller asks has the caller's tag in From, and is sent by the
// one end and received by the other.
func (r *record) ownEnd() []diagnose.Message {
	caller, sent, received := "", false, false
	for _, m := range r.Messages {
		if m.IsRequest() && m.Method == "INVITE" && diagnose.Tag(m.Header("To")) == "" {
			caller = diagnose.Tag(m.Header("From"))
			sent, received = sent || m.Sent, received || !m.Sent
		}
	}
	if !sent || !received {
		return r.Messages
	}
	var own []diagnose.Message
	for _, m := range r.Messages {
		asked := m.Sent == m.IsRequest() // by this phone
		byCaller := diagnose.Tag(m.Header("From")) == caller
		if r.outbound() == (asked == byCaller) {
			own = append(own, m)
		}
	}
	return own
}

// stopped says that the phone was stopped, and the call with it, without a word
// to the far end.
func (r *record) stopped() bool {
	return r.over() && r.Call.LastStatusText == phoneStopped && r.lastWord() == nil
}

// phoneStopped is the reason that a phone gives for the end of the calls that
// it leaves as they are.
const phoneStopped = "Phone stopped"

// workerExited is the reason that the fleet gives for the end of a dead
// worker's calls.
const workerExited = "worker exited"

func (r *record) outbound() bool { return r.Call.Direction == phone.Outbound }
func (r *record) over() bool     { return r.Call.State == phone.StateDisconnected }
func (r *record) answered() bool { return !r.Call.AnsweredAt.IsZero() }

// last is the INVITE that decided what became of the call; nil when none is on
// record.
func (r *record) last() *exchange {
	if len(r.setup) == 0 {
		return nil
	}
	return r.setup[len(r.setup)-1]
}

// outcome is the final answer of that INVITE; nil when there was none.
func (r *record) outcome() *diagnose.Message {
	if x := r.last(); x != nil {
		return x.final()
	}
	return nil
}

// refusal is that answer when it is no success.
func (r *record) refusal() *diagnose.Message {
	if m := r.outcome(); m != nil && m.Status >= 300 {
		return m
	}
	return nil
}

// find gives the exchanges of one method, oldest first.
func (r *record) find(method string) []*exchange {
	var found []*exchange
	for _, x := range r.exchanges {
		if x.method == method {
			found = append(found, x)
		}
	}
	return found
}

// changes are the INVITEs and UPDATEs of the call once it was there.
func (r *record) changes() []*exchange {
	var found []*exchange
	for _, x := range r.exchanges {
		if (x.method == "INVITE" || x.method == "UPDATE") && x.request != nil && diagnose.Tag(x.request.Header("To")) != "" {
			found = append(found, x)
		}
	}
	return found
}

// within says that a moment belongs to the call, or is that of its end.
func (r *record) within(at time.Time) bool {
	return !at.Before(r.Call.StartedAt) && !at.After(r.end.Add(time.Second))
}

// counted says that the statistics of sound are known: a worker that dies takes
// them along.
func (r *record) counted() bool { return !r.died && !r.Uncounted }

// statistic is evidence made of numbers.
func (r *record) statistic(format string, args ...any) Evidence {
	return Evidence{At: r.end, Statistic: fmt.Sprintf(format, args...)}
}

// message is evidence made of a message.
func message(m diagnose.Message) Evidence {
	way, from := "RX", "from"
	if m.Sent {
		way, from = "TX", "to"
	}
	what := m.Method
	if !m.IsRequest() {
		what = strings.TrimSpace(fmt.Sprintf("%d %s", m.Status, short(m.Reason, 40))) + " to " + m.Method
	}
	cseq := ""
	if m.CSeq != nil {
		cseq = fmt.Sprintf(" (cseq %d)", *m.CSeq)
	}
	return Evidence{At: m.Time, Message: fmt.Sprintf("%s %s%s %s %s %s", way, short(what, 60), cseq, from, strings.ToUpper(string(m.Transport)), m.Remote)}
}

// event is evidence made of an event.
func event(e phone.Event, words string) Evidence {
	return Evidence{At: e.Time, Statistic: strings.TrimSpace(e.Type + " " + words)}
}

// header is evidence made of a message and one of its headers.
func header(m diagnose.Message, name string) Evidence {
	e := message(m)
	if m.Header(name) == "" {
		return e
	}
	e.Message += fmt.Sprintf(", %s: %s", name, short(m.Header(name), 200))
	return e
}

// short makes text from the network safe to stand in a sentence: bounded, and
// without characters that are not to be seen.
func short(s string, most int) string {
	if text := []rune(s); len(text) > most {
		s = string(text[:most-1]) + "…"
	}
	quoted := strconv.QuoteToGraphic(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

func word(v any) string {
	s, _ := v.(string)
	return s
}

// roughly is a duration as a person would say it.
func roughly(d time.Duration) time.Duration {
	switch {
	case d < 100*time.Millisecond:
		return d.Round(time.Millisecond)
	case d < time.Second:
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(100 * time.Millisecond)
}
