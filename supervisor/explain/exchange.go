package explain

import (
	"bytes"
	"time"

	"ringmaster/supervisor/diagnose"
)

// exchange is one request and what came back. Who asked and the number in the
// CSeq tell exchanges apart (RFC 3261 §12.2.1.1); an ACK belongs to its INVITE.
type exchange struct {
	ours    bool // the phone asked
	method  string
	cseq    uint32
	request *diagnose.Message // nil when it is not on record
	sent    int               // how often the request was seen
	answers []answer          // each once, in order
	acks    []diagnose.Message
}

// answer is a response and how often it was seen.
type answer struct {
	diagnose.Message
	seen int
	last time.Time // when it was seen last
}

func exchangesOf(messages []diagnose.Message) []*exchange {
	var all []*exchange
	for _, m := range messages {
		if m.CSeq == nil || m.Method == "" {
			continue
		}
		method, ours := m.Method, m.Sent == m.IsRequest()
		if method == "ACK" {
			method = "INVITE"
		}
		x := lookUp(all, ours, method, *m.CSeq)
		if x == nil {
			x = &exchange{ours: ours, method: method, cseq: *m.CSeq}
			all = append(all, x)
		}
		x.add(m)
	}
	return all
}

// lookUp finds the newest of that kind.
func lookUp(all []*exchange, ours bool, method string, cseq uint32) *exchange {
	for i := len(all) - 1; i >= 0; i-- {
		if x := all[i]; x.ours == ours && x.method == method && x.cseq == cseq {
			return x
		}
	}
	return nil
}

func (x *exchange) add(m diagnose.Message) {
	switch {
	case m.Method == "ACK":
		x.acks = append(x.acks, m)
	case m.IsRequest():
		if x.request == nil {
			x.request = &m
		}
		x.sent++
	default:
		for i := range x.answers {
			if bytes.Equal(x.answers[i].Raw, m.Raw) {
				x.answers[i].seen++
				x.answers[i].last = m.Time
				return
			}
		}
		x.answers = append(x.answers, answer{Message: m, seen: 1, last: m.Time})
	}
}

// final is the answer that decided: a success, else the first refusal; nil when
// there was none.
func (x *exchange) final() *diagnose.Message {
	if a := x.success(); a != nil {
		return &a.Message
	}
	for i := range x.answers {
		if x.answers[i].Status >= 300 {
			return &x.answers[i].Message
		}
	}
	return nil
}

// success is the first 2xx; nil when there was none.
func (x *exchange) success() *answer {
	for i := range x.answers {
		if s := x.answers[i].Status; s >= 200 && s < 300 {
			return &x.answers[i]
		}
	}
	return nil
}

// rang is the first answer that said that the far end was told of the call.
func (x *exchange) rang() *diagnose.Message {
	for i := range x.answers {
		if s := x.answers[i].Status; s > 100 && s < 200 {
			return &x.answers[i].Message
		}
	}
	return nil
}

// repeats is how many messages of the exchange were repetitions.
func (x *exchange) repeats() int {
	n := max(0, x.sent-1)
	for _, a := range x.answers {
		n += a.seen - 1
	}
	return n
}
