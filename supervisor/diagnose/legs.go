package diagnose

import (
	"cmp"
	"net"
	"slices"
	"strings"
	"time"

	"ringmaster/proto/phone"
)

// Leg is what one phone said and heard under one Call-ID.
type Leg struct {
	PhoneID   phone.ID
	SIPCallID string
	Remote    string // host:port that the phone spoke with at first
	// JoinedBy says why the leg is part of the call, in a few words.
	JoinedBy string

	out            bool // the phone sent the INVITE
	began, ended   time.Time
	caller, called string // users
	begun          bool   // an INVITE that begins a dialog was seen
}

// The reasons for which a leg is part of a call.
const (
	joinedByCallID    = "same Call-ID"
	joinedBySessionID = "same Session-ID"
	joinedByReplaces  = "Replaces"
	joinedByCaller    = "same far end, time and caller"
	joinedByCalled    = "same far end, time and called user"
	joinedByBoth      = "same far end, time, caller and called user"
)

// Joined finds the legs of one call among messages of all phones, and the
// messages of those legs. sipCallID is the Call-ID of one leg.
//
// A proxy keeps the Call-ID, so all phones have the same. A back-to-back user
// agent (most PBXs) gives each leg its own, and nothing in SIP says that two
// belong together. In this order, a leg is part of the call that
//
//   - has the Call-ID of one that is,
//   - shares a UUID of Session-ID with one (RFC 7989),
//   - replaces one, or is named in a Refer-To as what is to be replaced (RFC 3891),
//   - comes in to a phone from the far end that another phone had called,
//     while that call was there, for the same caller or called user. Where
//     several calls would do, that with most in common, then the newest, has it.
func Joined(messages []Message, sipCallID string) ([]Leg, []Message) {
	threads := threadsOf(messages)
	in := map[string]string{sipCallID: joinedByCallID}
	for next := []string{sipCallID}; len(next) > 0; {
		from := threadOf(threads, next[0])
		next = next[1:]
		if from == nil {
			continue
		}
		for id, why := range from.neighbours(threads) {
			if _, there := in[id]; !there {
				in[id] = why
				next = append(next, id)
			}
		}
	}
	var legs []Leg
	for _, t := range threads {
		if why, there := in[t.sipCallID]; there {
			for _, l := range t.legs {
				l.JoinedBy = why
				legs = append(legs, l)
			}
		}
	}
	return legs, slices.DeleteFunc(slices.Clone(messages), func(m Message) bool {
		_, there := in[m.Header("Call-ID")]
		return !there
	})
}

// thread is everything with one Call-ID.
type thread struct {
	sipCallID string
	legs      []Leg    // by phone
	sessions  []string // UUIDs of Session-ID
	replaces  []string // Call-IDs
}

func threadsOf(messages []Message) []*thread {
	var all []*thread
	known := map[string]*thread{}
	for _, m := range messages {
		id := m.Header("Call-ID")
		t := known[id]
		if t == nil {
			t = &thread{sipCallID: id}
			known[id] = t
			all = append(all, t)
		}
		t.add(m)
	}
	return all
}

func (t *thread) add(m Message) {
	i := slices.IndexFunc(t.legs, func(l Leg) bool { return l.PhoneID == m.PhoneID })
	if i < 0 {
		i = len(t.legs)
		t.legs = append(t.legs, Leg{PhoneID: m.PhoneID, SIPCallID: t.sipCallID, Remote: m.Remote})
	}
	t.legs[i].add(m)
	t.sessions = append(t.sessions, sessionIDs(m.Header("Session-ID"))...)
	t.replaces = append(t.replaces, m.Replaces()...)
}

func (l *Leg) add(m Message) {
	switch {
	case m.IsRequest() && m.Method == "INVITE" && !l.begun && Tag(m.Header("To")) == "":
		l.begun, l.out, l.began, l.Remote = true, m.Sent, m.Time, m.Remote
		l.caller, l.called = User(m.Header("From")), User(m.Header("To"))
	case m.IsRequest() && m.Method == "BYE",
		m.Status >= 300 && m.Method == "INVITE" && m.Status != 401 && m.Status != 407:
		l.ended = m.Time
	}
}

func threadOf(threads []*thread, sipCallID string) *thread {
	for _, t := range threads {
		if t.sipCallID == sipCallID {
			return t
		}
	}
	return nil
}

// neighbours are the threads that are part of the same call as t, by their
// Call-IDs, and why.
func (t *thread) neighbours(threads []*thread) map[string]string {
	found := map[string]string{}
	for _, mine := range t.legs {
		if !mine.out {
			if origin, why := originOf(mine, threads); why != "" {
				found[origin.SIPCallID] = why
			}
			continue
		}
		for _, other := range threads {
			for _, l := range other.legs {
				if score, _ := mine.begot(l); score == 0 {
					continue
				}
				if origin, why := originOf(l, threads); origin.SIPCallID == mine.SIPCallID && origin.PhoneID == mine.PhoneID {
					found[other.sipCallID] = why
				}
			}
		}
	}
	for _, other := range threads { // better reasons come last
		if slices.Contains(t.replaces, other.sipCallID) || slices.Contains(other.replaces, t.sipCallID) {
			found[other.sipCallID] = joinedByReplaces
		}
		if slices.ContainsFunc(t.sessions, func(id string) bool { return slices.Contains(other.sessions, id) }) {
			found[other.sipCallID] = joinedBySessionID
		}
	}
	return found
}

// slack is how far the clocks of two phones' logs may be apart.
const slack = 50 * time.Millisecond

// originOf finds the outgoing leg because of which one came in.
func originOf(to Leg, threads []*thread) (origin Leg, why string) {
	best := 0
	if cameThrough(to, threads) {
		return Leg{}, ""
	}
	for _, t := range threads {
		for _, l := range t.legs {
			score, reason := l.begot(to)
			if score > 0 && (score > best || score == best && l.began.After(origin.began)) {
				best, origin, why = score, l, reason
			}
		}
	}
	return origin, why
}

// cameThrough says that a leg came in by a proxy, from one with its own
// Call-ID: no other is where it came from.
func cameThrough(to Leg, threads []*thread) bool {
	t := threadOf(threads, to.SIPCallID)
	return t != nil && slices.ContainsFunc(t.legs, func(l Leg) bool { return l.out && l.begun })
}

// begot says how likely it is, and why, that a leg came in because of an
// outgoing one; 0 is not at all.
func (l Leg) begot(to Leg) (score int, reason string) {
	if to.out || !to.begun || !l.out || !l.begun || l.SIPCallID == to.SIPCallID || !sameFarEnd(l.Remote, to.Remote) ||
		to.began.Before(l.began.Add(-slack)) || !l.ended.IsZero() && to.began.After(l.ended) {
		return 0, ""
	}
	return l.common(to)
}

// common says what two legs have in common: the called user says more than the
// caller, who may have several calls at a time.
func (l Leg) common(other Leg) (score int, reason string) {
	caller := l.caller != "" && l.caller == other.caller
	called := l.called != "" && l.called == other.called
	switch {
	case caller && called:
		return 3, joinedByBoth
	case called:
		return 2, joinedByCalled
	case caller:
		return 1, joinedByCaller
	}
	return 0, ""
}

// sameFarEnd compares host:port; a PBX has other ports for TCP and TLS, so
// one host will do, unless that is this machine, where everybody is.
func sameFarEnd(a, b string) bool {
	if a == b {
		return true
	}
	hostA, _, errA := net.SplitHostPort(a)
	hostB, _, errB := net.SplitHostPort(b)
	ip := net.ParseIP(hostA)
	return cmp.Or(errA, errB) == nil && hostA == hostB && (ip == nil || !ip.IsLoopback())
}

// sessionIDs are the UUIDs of a Session-ID header, but the one that stands for
// none (RFC 7989 §5).
func sessionIDs(value string) []string {
	var ids []string
	for _, part := range strings.Split(value, ";") {
		id := strings.ToLower(strings.TrimSpace(part))
		id = strings.TrimPrefix(id, "remote=")
		if len(id) == 32 && strings.Trim(id, "0") != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// Replaces are the Call-IDs of what a request replaces, or wants replaced
// (RFC 3891).
func (m Message) Replaces() []string {
	var ids []string
	for _, value := range []string{m.Header("Replaces"), replacedIn(m.Header("Refer-To"))} {
		if id, _, _ := strings.Cut(value, ";"); strings.TrimSpace(id) != "" {
			ids = append(ids, strings.TrimSpace(id))
		}
	}
	return ids
}

// replacedIn is the Replaces header that a Refer-To asks for, unescaped as far
// as its Call-ID needs it.
func replacedIn(referTo string) string {
	_, value, found := strings.Cut(referTo, "Replaces=")
	if !found {
		return ""
	}
	value, _, _ = strings.Cut(value, ">")
	value, _, _ = strings.Cut(value, "&")
	return strings.NewReplacer("%3B", ";", "%3b", ";", "%40", "@", "%3D", "=", "%3d", "=").Replace(value)
}
