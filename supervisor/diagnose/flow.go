package diagnose

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"ringmaster/proto/phone"
)

// Flow is who said what to whom, in the order of time.
type Flow struct {
	// Parties are the phones, by their ids, and whom they spoke with.
	Parties []string
	Steps   []Step
	// Began is when the first step was, also of those that were left out.
	Began time.Time
}

// Step is one message on its way.
type Step struct {
	At       time.Time
	From, To int // in Parties
	// Label is the message in a few words: "INVITE, SDP", "200 OK to INVITE".
	Label  string
	Status int // of a response; 0 is a request
	// Again says that the same message was on the same way before: a
	// retransmission.
	Again bool
}

// ReadFlow orders the messages of any number of phones. names gives the names
// of far ends by their host:port; others are shown by that. A message that one
// phone sent and another received is one step.
func ReadFlow(messages []Message, names map[string]string) Flow {
	messages = slices.Clone(messages)
	slices.SortStableFunc(messages, func(a, b Message) int {
		// What left at the moment at which it came had left before.
		return cmp.Or(a.Time.Compare(b.Time), sentFirst(a, b))
	})
	r := flowReader{names: names, half: map[string][]int{}, known: map[int]int{}, seen: map[string]bool{}}
	for _, m := range messages {
		r.take(m)
	}
	r.resolve()
	if len(r.flow.Steps) > 0 {
		r.flow.Began = r.flow.Steps[0].At
	}
	return r.flow
}

// Newest keeps the last n steps, and those who take part in them.
func (f Flow) Newest(n int) Flow {
	if n >= len(f.Steps) {
		return f
	}
	kept := Flow{Began: f.Began}
	place := map[int]int{}
	at := func(party int) int {
		if _, ok := place[party]; !ok {
			place[party] = len(kept.Parties)
			kept.Parties = append(kept.Parties, f.Parties[party])
		}
		return place[party]
	}
	for _, s := range f.Steps[len(f.Steps)-n:] {
		s.From, s.To = at(s.From), at(s.To)
		kept.Steps = append(kept.Steps, s)
	}
	return kept
}

// mostParties bounds who stands side by side.
const mostParties = 12

// fold puts one party in the place of all that find no room.
func (f *Flow) fold() {
	if len(f.Parties) <= mostParties {
		return
	}
	last := mostParties - 1
	f.Parties = append(f.Parties[:last], fmt.Sprintf("%d others", len(f.Parties)-last))
	for i := range f.Steps {
		s := &f.Steps[i]
		s.From, s.To = min(s.From, last), min(s.To, last)
	}
}

// since gives the times of a step as pages show them: since the first message,
// and since the one before, which is "" for the first.
func (f Flow) since(i int) (began, before string) {
	began = fmt.Sprintf("%.3fs", f.Steps[i].At.Sub(f.Began).Seconds())
	if i > 0 {
		before = fmt.Sprintf("+%.3f", f.Steps[i].At.Sub(f.Steps[i-1].At).Seconds())
	}
	return began, before
}

// words are what stands on a step's arrow.
func (s Step) words() string {
	if s.Again {
		return s.Label + " (again)"
	}
	return s.Label
}

func sentFirst(a, b Message) int {
	switch {
	case a.Sent == b.Sent:
		return 0
	case a.Sent:
		return -1
	}
	return 1
}

type flowReader struct {
	flow  Flow
	names map[string]string
	phone []phone.ID       // whose log a step is from
	sent  []bool           // whether that phone sent it
	half  map[string][]int // by the message's bytes: steps of which one end's log is known
	known map[int]int      // addresses that turned out to be phones
	seen  map[string]bool
}

// take adds a message, or finds the step that its other end has told of.
func (r *flowReader) take(m Message) {
	own, raw := r.party(string(m.PhoneID)), string(m.Raw)
	for i, step := range r.half[raw] {
		if r.phone[step] == m.PhoneID || r.sent[step] == m.Sent {
			continue
		}
		far := r.flow.Steps[step].To
		if m.Sent {
			far = r.flow.Steps[step].From
		}
		r.known[far] = own
		r.half[raw] = slices.Delete(r.half[raw], i, i+1)
		return
	}
	far := r.party(cmp.Or(r.names[m.Remote], m.Remote))
	key := fmt.Sprint(m.PhoneID, m.Sent, raw)
	s := Step{At: m.Time, From: own, To: far, Label: label(m), Status: m.Status, Again: r.seen[key]}
	if !m.Sent {
		s.From, s.To = far, own
	}
	r.seen[key] = true
	r.half[raw] = append(r.half[raw], len(r.flow.Steps))
	r.flow.Steps = append(r.flow.Steps, s)
	r.phone, r.sent = append(r.phone, m.PhoneID), append(r.sent, m.Sent)
}

func (r *flowReader) party(name string) int {
	i := slices.Index(r.flow.Parties, name)
	if i < 0 {
		i = len(r.flow.Parties)
		r.flow.Parties = append(r.flow.Parties, name)
	}
	return i
}

// resolve puts phones in the place of their addresses, and forgets the parties
// that nobody speaks with then.
func (r *flowReader) resolve() {
	place := map[int]int{}
	var kept []string
	at := func(party int) int {
		if own, ok := r.known[party]; ok {
			party = own
		}
		if _, ok := place[party]; !ok {
			place[party] = len(kept)
			kept = append(kept, r.flow.Parties[party])
		}
		return place[party]
	}
	for i := range r.flow.Steps {
		s := &r.flow.Steps[i]
		s.From, s.To = at(s.From), at(s.To)
	}
	r.flow.Parties = kept
	r.flow.fold()
}

// maxLabel bounds what comes from the network.
const maxLabel = 40

func label(m Message) string {
	words := m.Method
	if !m.IsRequest() {
		words = strings.TrimSpace(fmt.Sprintf("%d %s", m.Status, m.Reason))
	}
	words = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, words)
	if short := []rune(words); len(short) > maxLabel {
		words = string(short[:maxLabel-1]) + "…"
	}
	if !m.IsRequest() && m.Method != "INVITE" {
		words += " to " + m.Method
	}
	if len(bytes.TrimSpace(m.Body)) > 0 && strings.Contains(strings.ToLower(m.Header("Content-Type")), "sdp") {
		words += ", SDP"
	}
	return words
}
