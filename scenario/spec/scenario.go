package spec

import (
	"fmt"
	"slices"
	"time"

	"ringmaster/proto/phone"
)

// Scenario is a whole scenario, read and without faults. Patterns are still
// to be unfolded.
type Scenario struct {
	Name        string
	Description string
	// Phones must exist when it runs; artifacts are collected for these.
	Phones   []phone.ID
	Patterns []PatternUse
	Fragment
	StopOn  []Stop
	Timeout time.Duration
	// FullTimeline records sip.* and media.* events even when nobody names
	// them.
	FullTimeline bool
}

// Fragment is the part of a scenario that a pattern can hold too.
type Fragment struct {
	Initial []Action
	Hooks   []Hook
}

// Hook says what to do when something happens.
type Hook struct {
	// ID is the author's, or the hook's place: "hooks[2]".
	ID   string
	When []EventPattern
	// Phones restricts the hook to events of these; nil is any.
	Phones []phone.ID
	Match  Match
	// Once: after the first event it is over.
	Once bool
	Then []Action
	// Pattern is the name of the pattern it came from, or "".
	Pattern string
}

// Stop is a condition that ends the run.
type Stop struct {
	Events []EventPattern
	Phones []phone.ID // nil is any
	CallID *phone.CallID
	Match  Match
	Path   string // "stop_on[0]"
}

// PatternUse is one entry of patterns.
type PatternUse struct {
	Name string
	// Node is the whole entry, {use: NAME, param: value, …}.
	Node *Node
}

// The defaults of a scenario's own settings.
const (
	DefaultName    = "<anonymous>"
	DefaultTimeout = 60 * time.Second
)

// Read makes a Scenario of a tree. file only names the text in issues. With
// issues the Scenario is not to be run.
func Read(file string, root *Node) (Scenario, Issues) {
	r := &reader{file: file}
	s := r.scenario(root)
	return s, r.issues.sorted()
}

// ReadFragment reads the part of a tree that a pattern holds. Every issue
// begins with prefix.
func ReadFragment(file, prefix string, root *Node) (Fragment, Issues) {
	r := &reader{file: file, prefix: prefix}
	var f Fragment
	r.fragment(root, &f)
	return f, r.issues
}

var scenarioKeys = []string{"name", "description", "phones", "patterns", "initial_actions", "hooks", "stop_on", "timeout_ms", "timeline"}

func (r *reader) scenario(root *Node) Scenario {
	s := Scenario{Name: DefaultName, Timeout: DefaultTimeout}
	if root.Kind != Map {
		r.fault(root, WrongType, "a scenario is a mapping, not %s", root.Kind)
		return s
	}
	r.keys(root, "scenario key", UnknownKey, scenarioKeys)
	set(r, root, Param{Name: "name", Type: TypeString}, &s.Name)
	set(r, root, Param{Name: "description", Type: TypeString}, &s.Description)
	set(r, root, Param{Name: "phones", Type: TypePhones}, &s.Phones)
	set(r, root, Param{Name: "timeout_ms", Type: TypeDuration}, &s.Timeout)
	timeline := "normal"
	set(r, root, Param{Name: "timeline", Type: TypeString, OneOf: []string{"normal", "full"}}, &timeline)
	s.FullTimeline = timeline == "full"
	r.patternUses(root, &s)
	r.fragment(root, &s.Fragment)
	r.stops(root, &s)
	if n := root.Field("timeout_ms"); n != nil && s.Timeout == 0 {
		r.fault(n, BadValue, "timeout_ms is 0; give the run some time")
	}
	return s
}

// set reads an optional field into place; null is the same as left out.
func set[T any](r *reader, n *Node, p Param, place *T) {
	field := n.Field(p.Name)
	if field == nil || field.Kind == Null {
		return
	}
	if v, ok := r.value(field, p).(T); ok {
		*place = v
	}
}

// keys reports the fields that have no meaning here.
func (r *reader) keys(n *Node, what, kind string, known []string) {
	for _, f := range n.Fields {
		if !slices.Contains(known, f.Name) {
			r.unknown(f.Key, kind, what, f.Name, known)
		}
	}
}

// list gives the items of an optional list field.
func (r *reader) list(n *Node, name string) []*Node {
	field := n.Field(name)
	if field == nil || field.Kind == Null {
		return nil
	}
	if field.Kind != List {
		r.fault(field, WrongType, "%s takes a list, not %s", name, field.Kind)
		return nil
	}
	return field.Items
}

func (r *reader) patternUses(root *Node, s *Scenario) {
	for _, n := range r.list(root, "patterns") {
		if n.Kind == String {
			n = &Node{Kind: Map, Line: n.Line, Column: n.Column, parent: n.parent, step: n.step, Fields: []Field{{Name: "use", Key: n, Value: n}}}
		}
		use := n.Field("use")
		if use == nil || use.Kind != String {
			r.fault(n, Missing, "a pattern is {use: NAME, parameter: value, …}")
			continue
		}
		s.Patterns = append(s.Patterns, PatternUse{Name: use.Text, Node: n})
	}
}

func (r *reader) fragment(root *Node, f *Fragment) {
	for _, n := range r.list(root, "initial_actions") {
		a, ok := r.action(n)
		if !ok {
			continue
		}
		if a.namesPhone() && a.PhoneID == "" {
			r.fault(n, Missing, "%s needs phone_id: no event comes before an initial action to take it from", a.Name)
			continue
		}
		f.Initial = append(f.Initial, a)
	}
	ids := map[string]bool{}
	for i, n := range r.list(root, "hooks") {
		h, enabled := r.hook(n, fmt.Sprintf("hooks[%d]", i))
		if ids[h.ID] {
			r.fault(n, DuplicateKey, "duplicate hook id %q", h.ID)
		}
		ids[h.ID] = true
		if enabled {
			f.Hooks = append(f.Hooks, h)
		}
	}
}

var hookKeys = []string{"id", "when", "on_phone", "match", "once", "then", "enabled"}

func (r *reader) hook(n *Node, id string) (Hook, bool) {
	h := Hook{ID: id, Once: true}
	enabled := true
	if n.Kind != Map {
		r.fault(n, MalformedHook, "a hook is a mapping with when and then, not %s", n.Kind)
		return h, false
	}
	before := len(r.issues)
	r.keys(n, "hook key", MalformedHook, hookKeys)
	set(r, n, Param{Name: "id", Type: TypeString}, &h.ID)
	set(r, n, Param{Name: "when", Type: TypeEvents}, &h.When)
	set(r, n, Param{Name: "on_phone", Type: TypePhones}, &h.Phones)
	set(r, n, Param{Name: "match", Type: TypeMatch}, &h.Match)
	set(r, n, Param{Name: "once", Type: TypeBoolean}, &h.Once)
	set(r, n, Param{Name: "enabled", Type: TypeBoolean}, &enabled)
	if then := n.Field("then"); then != nil {
		h.Then = r.actions(then)
	}
	if len(r.issues) > before {
		return h, false
	}
	if len(h.When) == 0 {
		r.fault(n, MalformedHook, "the hook has no when: which event is it for?")
	}
	if len(h.Then) == 0 {
		r.fault(n, MalformedHook, "the hook has no then: what is it to do?")
	}
	r.checkDefaults(n, h)
	return h, enabled
}

// checkDefaults finds an action that could never know its phone, because no
// event of its hook comes from one.
func (r *reader) checkDefaults(n *Node, h Hook) {
	if len(h.When) == 0 || len(h.Phones) > 0 || slices.ContainsFunc(h.When, EventPattern.mayHavePhone) {
		return
	}
	for _, a := range h.Then {
		if a.namesPhone() && a.PhoneID == "" {
			r.fault(n, Missing, "%s needs phone_id: the hook has no on_phone and its events come from no phone", a.Name)
		}
	}
}

var stopKeys = []string{"event", "phone_id", "call_id", "match"}

func (r *reader) stops(root *Node, s *Scenario) {
	for _, n := range r.list(root, "stop_on") {
		if n.Kind != Map {
			r.fault(n, WrongType, "an entry of stop_on is a mapping with event, not %s", n.Kind)
			continue
		}
		before := len(r.issues)
		stop := Stop{Path: n.Path()}
		r.keys(n, "stop_on key", UnknownKey, stopKeys)
		set(r, n, Param{Name: "event", Type: TypeEvents}, &stop.Events)
		set(r, n, Param{Name: "phone_id", Type: TypePhones}, &stop.Phones)
		set(r, n, Param{Name: "match", Type: TypeMatch}, &stop.Match)
		if call := n.Field("call_id"); call != nil && call.Kind != Null {
			if id, ok := r.value(call, callParam).(phone.CallID); ok {
				stop.CallID = &id
			}
		}
		if len(r.issues) == before && len(stop.Events) == 0 {
			r.fault(n, Missing, "the entry of stop_on has no event")
		}
		s.StopOn = append(s.StopOn, stop)
	}
}

// Matches says whether the event ends the run.
func (s Stop) Matches(e phone.Event) bool {
	return AnyMatches(s.Events, e.Type) && phoneIn(s.Phones, e.PhoneID) &&
		(s.CallID == nil || (e.CallID != nil && *e.CallID == *s.CallID)) && s.Match.Holds(e)
}

// Matches says whether the event fires the hook. on_phone restricts the events
// of phones. The run's own events (scenario.*, user.*, action.failed) are
// nobody's: for them it only says which phone the actions are for.
func (h Hook) Matches(e phone.Event) bool {
	return AnyMatches(h.When, e.Type) && (phoneIn(h.Phones, e.PhoneID) || !OfPhone(e.Type)) && h.Match.Holds(e)
}

func phoneIn(phones []phone.ID, id phone.ID) bool {
	return len(phones) == 0 || slices.Contains(phones, id)
}
