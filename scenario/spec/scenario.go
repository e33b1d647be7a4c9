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
	StopOn []Stop
	// StopOnAll ends the run when each of them has come once, in any order.
	StopOnAll []Stop
	Timeout   time.Duration
	// Expect are the facts that must hold for the verdict.
	Expect []Fact
	// Settle is how long, once a stop has ended the run, what is expected may
	// still come.
	Settle time.Duration
	// Finally runs when the run is decided, however it ended.
	Finally []Action
	// Vars are the first values of the variables.
	Vars map[string]any
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
	// Capture takes fields of the event into variables when the hook fires.
	Capture []Capture
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
	Path   string // "stop_on[0]", "stop_on_all[0]"
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
	DefaultSettle  = time.Second
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
	r.fragment(literal(root), &f)
	return f, r.issues
}

var scenarioParams = []Param{
	{Name: "name", Type: TypeString},
	{Name: "description", Type: TypeString},
	{Name: "phones", Type: TypePhones},
	{Name: "vars", Type: TypeVars},
	{Name: "patterns", Type: TypePatterns},
	{Name: "initial_actions", Type: TypeActions},
	{Name: "hooks", Type: TypeHooks},
	{Name: "stop_on", Type: TypeStops},
	{Name: "stop_on_all", Type: TypeStops},
	{Name: "expect", Type: TypeFacts},
	{Name: "settle_ms", Type: TypeDuration},
	{Name: "finally", Type: TypeActions},
	{Name: "timeout_ms", Type: TypeDuration},
	{Name: "timeline", Type: TypeString, OneOf: []string{"normal", "full"}},
}

func (r *reader) scenario(root *Node) Scenario {
	s := Scenario{Name: DefaultName, Timeout: DefaultTimeout, Settle: DefaultSettle}
	if root.Kind != Map {
		r.fault(root, WrongType, "a scenario is a mapping, not %s", root.Kind)
		return s
	}
	r.keys(root, "scenario key", UnknownKey, scenarioParams)
	fixed, initial := r.variables(root)
	if s.Vars = initial; len(fixed) > 0 {
		root = Substitute(root, nil, fixed)
	}
	root = literal(root)
	set(r, root, Param{Name: "name", Type: TypeString}, &s.Name)
	set(r, root, Param{Name: "description", Type: TypeString}, &s.Description)
	set(r, root, Param{Name: "phones", Type: TypePhones}, &s.Phones)
	set(r, root, Param{Name: "timeout_ms", Type: TypeDuration}, &s.Timeout)
	set(r, root, Param{Name: "settle_ms", Type: TypeDuration}, &s.Settle)
	timeline := "normal"
	set(r, root, Param{Name: "timeline", Type: TypeString, OneOf: []string{"normal", "full"}}, &timeline)
	s.FullTimeline = timeline == "full"
	r.patternUses(root, &s)
	r.fragment(root, &s.Fragment)
	s.StopOn, s.StopOnAll = r.stops(root, "stop_on"), r.stops(root, "stop_on_all")
	s.Expect = r.expectations(root)
	s.Finally = r.outside(root, "finally", "an action of finally")
	if n := root.Field("timeout_ms"); n != nil && s.Timeout == 0 {
		r.fault(n, BadValue, "timeout_ms is 0; give the run some time")
	}
	return s
}

func (r *reader) expectations(root *Node) []Fact {
	n := root.Field("expect")
	if n == nil || n.Kind == Null {
		return nil
	}
	r.expecting = true
	defer func() { r.expecting = false }()
	facts := r.facts(n)
	if len(n.asList()) == 0 {
		r.fault(n, BadValue, "expect is empty: a run that expects nothing would always hold")
	}
	return facts
}

// set reads an optional field into place; null is the same as left out. What
// is captured while the run goes on cannot stand here.
func set[T any](r *reader, n *Node, p Param, place *T) {
	field := n.Field(p.Name)
	if field == nil || field.Kind == Null {
		return
	}
	if names := References(field); len(names) > 0 {
		r.fault(field, BadValue, "%s takes no ${%s}, which is captured while the run goes on; only what vars gives can stand here", p.Name, names[0])
		return
	}
	if v, ok := r.value(field, p).(T); ok {
		*place = v
	}
}

// keys reports the fields that have no meaning here.
func (r *reader) keys(n *Node, what, kind string, known []Param) {
	for _, f := range n.Fields {
		if !slices.ContainsFunc(known, func(p Param) bool { return p.Name == f.Name }) {
			r.unknown(f.Key, kind, what, f.Name, names(known))
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

// outside reads a list of actions that no event comes before.
func (r *reader) outside(root *Node, name, what string) []Action {
	var list []Action
	for _, n := range r.list(root, name) {
		a, ok := r.action(n)
		if !ok {
			continue
		}
		if lost := phoneless([]Action{a}); len(lost) > 0 {
			r.fault(n, Missing, "%s needs phone_id: no event comes before %s to take it from", lost[0].Name, what)
			continue
		}
		list = append(list, a)
	}
	return list
}

func (r *reader) fragment(root *Node, f *Fragment) {
	f.Initial = r.outside(root, "initial_actions", "an initial action")
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

var hookParams = []Param{
	{Name: "id", Type: TypeString},
	{Name: "when", Type: TypeEvents, Required: true},
	{Name: "on_phone", Type: TypePhones},
	{Name: "match", Type: TypeMatch},
	{Name: "capture", Type: TypeCapture},
	{Name: "once", Type: TypeBoolean},
	{Name: "enabled", Type: TypeBoolean},
	{Name: "then", Type: TypeActions, Required: true},
}

func (r *reader) hook(n *Node, id string) (Hook, bool) {
	h := Hook{ID: id, Once: true}
	enabled := true
	if n.Kind != Map {
		r.fault(n, MalformedHook, "a hook is a mapping with when and then, not %s", n.Kind)
		return h, false
	}
	before := len(r.issues)
	r.keys(n, "hook key", MalformedHook, hookParams)
	set(r, n, Param{Name: "id", Type: TypeString}, &h.ID)
	set(r, n, Param{Name: "when", Type: TypeEvents}, &h.When)
	set(r, n, Param{Name: "on_phone", Type: TypePhones}, &h.Phones)
	set(r, n, Param{Name: "match", Type: TypeMatch}, &h.Match)
	set(r, n, Param{Name: "capture", Type: TypeCapture}, &h.Capture)
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
	for _, a := range phoneless(h.Then) {
		r.fault(n, Missing, "%s needs phone_id: the hook has no on_phone and its events come from no phone", a.Name)
	}
}

var stopParams = []Param{
	{Name: "event", Type: TypeEvents, Required: true},
	{Name: "phone_id", Type: TypePhones},
	{Name: "call_id", Type: TypeCall},
	{Name: "match", Type: TypeMatch},
}

func (r *reader) stops(root *Node, name string) []Stop {
	var list []Stop
	for _, n := range r.list(root, name) {
		if n.Kind != Map {
			r.fault(n, WrongType, "an entry of %s is a mapping with event, not %s", name, n.Kind)
			continue
		}
		before := len(r.issues)
		stop := Stop{Path: n.Path()}
		r.keys(n, name+" key", UnknownKey, stopParams)
		set(r, n, Param{Name: "event", Type: TypeEvents}, &stop.Events)
		set(r, n, Param{Name: "phone_id", Type: TypePhones}, &stop.Phones)
		set(r, n, Param{Name: "match", Type: TypeMatch}, &stop.Match)
		if call := n.Field("call_id"); call != nil && call.Kind != Null {
			var id phone.CallID
			set(r, n, callParam, &id)
			stop.CallID = &id
		}
		if len(r.issues) == before && len(stop.Events) == 0 {
			r.fault(n, Missing, "the entry of %s has no event", name)
		}
		list = append(list, stop)
	}
	return list
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
