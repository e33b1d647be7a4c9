package spec

import (
	"fmt"
	"slices"
	"time"

	"ringmaster/proto/phone"
)

// Fact is one thing that must be so. Exactly one of Event, InOrder and Call is
// set.
type Fact struct {
	Path    string // "expect[0]"
	Event   *EventFact
	InOrder []EventFact
	Call    *CallFact

	late *Node // the fact as written, when variables are still to be put in
}

// EventFact is about events: how often one came, and when. Events are in the
// order of their time stamps.
type EventFact struct {
	Events []EventPattern
	Phones []phone.ID // nil is any
	Call   CallRef    // the zero CallRef is any call, or none
	Match  Match
	// Within, when not 0, bounds the time since the run began; since the event
	// of After; in a series, since the event before.
	Within time.Duration
	// After, when set: only events count that came after the first of these.
	After *EventFact
	// Count is how often the event is to come.
	Count Range
}

// CallFact is about one call of the run, as the phone knows it.
type CallFact struct {
	Whose  CallSelector
	Checks []CallCheck
}

// CallSelector names a call. In expect the phone is always given; in assert
// the zero values are the phone and the call of the sequence.
type CallSelector struct {
	PhoneID phone.ID
	Call    CallRef
}

// CallRef names a call by its id, or by its place among the calls that began
// on the phone during the run. The zero CallRef names none.
type CallRef struct {
	ID  *phone.CallID
	Nth int // 1 is the first; Last is the newest
}

// Last is the place of the newest call.
const Last = -1

// IsZero says that no call is named.
func (c CallRef) IsZero() bool { return c.ID == nil && c.Nth == 0 }

var places = []string{"first", "second", "third", "last"}

// String gives the call in the words of the language.
func (c CallRef) String() string {
	switch {
	case c.ID != nil:
		return fmt.Sprintf("call %d", *c.ID)
	case c.Nth == Last:
		return "last call"
	case c.Nth > 0:
		return places[c.Nth-1] + " call"
	default:
		return "call"
	}
}

var eventParams = []Param{
	{Name: "event", Type: TypeEvents, Required: true},
	{Name: "phone_id", Type: TypePhones},
	{Name: "call_id", Type: TypeCallRef},
	{Name: "match", Type: TypeMatch},
}

// inOrderParams are the keys of one event of in_order.
func inOrderParams() []Param {
	return append(slices.Clone(eventParams), Param{Name: "within_ms", Type: TypeDuration})
}

func eventFactParams() []Param {
	return append(inOrderParams(), Param{Name: "after", Type: TypeAnEvent}, Param{Name: "count", Type: TypeCount}, Param{Name: "never", Type: TypeBoolean})
}

var seriesFactParams = []Param{{Name: "in_order", Type: TypeSeries, Required: true}}

// factValue reads the types that only facts have.
func (r *reader) factValue(n *Node, p Param) any {
	switch p.Type {
	case TypeFacts:
		return r.facts(n)
	case TypeSeries:
		return r.series(n, p)
	case TypeAnEvent:
		if e := r.event(n, "after", eventParams); e != nil {
			return e
		}
		return nil
	case TypeCallRef:
		return r.callRef(n, p)
	case TypeSelector:
		return r.selector(n, p)
	case TypeCount, TypeBounds, TypeTone, TypeSpan:
		return r.bounds(n, p)
	case TypeWant:
		if p.Name == "last_status" {
			r.checkStatus(n, p.Name)
		}
		return r.want(n)
	case TypeAudio, TypeRTP:
		return r.group(n, p)
	default:
		return r.text(n, p)
	}
}

// facts reads a list of facts; a single one may stand without its list.
func (r *reader) facts(n *Node) []Fact {
	var list []Fact
	for _, item := range n.asList() {
		if f, ok := r.fact(item); ok {
			list = append(list, f)
		}
	}
	return list
}

// fact reads one fact in any of its forms:
//
//	call.state.confirmed
//	{event: dtmf.in, phone_id: b, match: {digit: 5}, within_ms: 2s}
//	{in_order: [{event: call.state.early}, {event: call.state.confirmed}]}
//	{call: a, codec: PCMA, heard: {tone_hz: 440}}
func (r *reader) fact(n *Node) (Fact, bool) {
	before := len(r.issues)
	f := Fact{Path: n.Path()}
	switch {
	case n.Kind != Map && n.Kind != String:
		r.fault(n, WrongType, "a fact is {event: …}, {in_order: […]} or {call: …}, not %s", n.Kind)
	case n.Field("call") != nil:
		f.Call = r.callFact(n)
	case n.Field("in_order") != nil:
		values := r.table(n, tableOf{"key of an in_order fact", "the fact", seriesFactParams}, n.Fields)
		f.InOrder = arg[[]EventFact](values, "in_order", nil)
	default:
		f.Event = r.event(n, "the fact", eventFactParams())
	}
	if len(References(n)) > 0 {
		f.late = n
	}
	return f, len(r.issues) == before
}

// event reads an event fact; its type alone will do.
func (r *reader) event(n *Node, whose string, params []Param) *EventFact {
	before := len(r.issues)
	given := n.Fields
	switch n.Kind {
	case String:
		given = []Field{{Name: "event", Key: n, Value: n}}
	case Map:
	default:
		r.fault(n, WrongType, "%s takes an event type or {event: …}, not %s", whose, n.Kind)
		return nil
	}
	a := r.table(n, tableOf{"key of a fact", whose, params}, given)
	e := &EventFact{
		Events: arg[[]EventPattern](a, "event", nil),
		Phones: arg[[]phone.ID](a, "phone_id", nil),
		Call:   arg(a, "call_id", CallRef{}),
		Match:  arg[Match](a, "match", nil),
		Within: arg(a, "within_ms", time.Duration(0)),
		After:  arg[*EventFact](a, "after", nil),
		Count:  arg(a, "count", AtLeast(1)),
	}
	if e.Call.Nth != 0 && len(e.Phones) != 1 && a["phone_id"] != any(late{}) {
		r.fault(n, Missing, "%s: the %s is whose? give phone_id, one phone", whose, e.Call)
	}
	if within := n.Field("within_ms"); within != nil && a["within_ms"] == any(time.Duration(0)) {
		r.fault(within, BadValue, "within_ms is 0; give the event some time")
	}
	if never := n.Field("never"); arg(a, "never", false) {
		if n.Field("count") != nil {
			r.fault(never, BadValue, "never and count exclude each other; never is count: 0")
		}
		e.Count = Exactly(0)
	} else if never != nil && a["never"] == any(false) {
		r.fault(never, BadValue, "never takes true; leave it out, or give count")
	}
	if e.Count.Min != nil && *e.Count.Min == 0 && e.Count.Max == nil {
		r.fault(n, BadValue, "count: {min: 0} would always hold; give how often the event is to come")
	}
	if match := n.Field("match"); match != nil {
		r.checkMatch(match, e.Events)
	}
	if len(r.issues) > before {
		return nil
	}
	return e
}

func (r *reader) series(n *Node, p Param) any {
	if n.Kind != List || len(n.Items) < 2 {
		return r.wrong(n, p, "a list of at least two events")
	}
	var list []EventFact
	for _, item := range n.Items {
		if e := r.event(item, "an event of in_order", inOrderParams()); e != nil {
			list = append(list, *e)
		}
	}
	return list
}

func (r *reader) callRef(n *Node, p Param) any {
	if whole, ok := n.Value.(int64); ok && whole >= 0 {
		id := phone.CallID(whole)
		return CallRef{ID: &id}
	}
	switch at := slices.Index(places, n.Text); {
	case n.Kind != String || at < 0:
		return r.wrong(n, p, "a call's number, or first, second, third or last of the run")
	case n.Text == "last":
		return CallRef{Nth: Last}
	default:
		return CallRef{Nth: at + 1}
	}
}

var selectorParams = []Param{{Name: "phone_id", Type: TypePhone}, {Name: "call_id", Type: TypeCallRef}}

func (r *reader) selector(n *Node, p Param) any {
	if n.Kind != Map {
		id, ok := r.phone(n, p).(phone.ID)
		if !ok {
			return nil
		}
		return CallSelector{PhoneID: id}
	}
	a := r.table(n, tableOf{"key of " + p.Name, p.Name, selectorParams}, n.Fields)
	if _, given := a["phone_id"]; r.expecting && !given {
		r.fault(n, Missing, "%s needs phone_id, the phone whose call it is", p.Name)
	}
	return CallSelector{PhoneID: arg(a, "phone_id", phone.ID("")), Call: arg(a, "call_id", CallRef{})}
}
