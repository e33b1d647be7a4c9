package spec

import (
	"regexp"
	"slices"
	"strings"

	"ringmaster/proto/phone"
)

// actions reads a list of actions; a single one may stand without its list.
func (r *reader) actions(n *Node) []Action {
	var list []Action
	for _, item := range n.asList() {
		if a, ok := r.action(item); ok {
			list = append(list, a)
		}
	}
	return list
}

// branches reads the lists of actions of parallel.
func (r *reader) branches(n *Node, p Param) any {
	if n.Kind != List || len(n.Items) < 2 {
		return r.wrong(n, p, "a list of at least two lists of actions")
	}
	var list [][]Action
	for _, item := range n.Items {
		actions := r.actions(item)
		if len(item.asList()) == 0 {
			r.fault(item, MalformedAction, "an empty branch of parallel")
		}
		list = append(list, actions)
	}
	return list
}

// action reads one action in any of its forms:
//
//	hangup
//	{send_dtmf: "1"}
//	{hangup: {phone_id: a}}
//	{action: send_dtmf, digits: "1"}
func (r *reader) action(n *Node) (Action, bool) {
	before := len(r.issues)
	word, given := r.unfold(n)
	if word == "" {
		return Action{}, false
	}
	kind := actionKinds[word]
	values := r.table(n, tableOf{what: "argument of " + word, whose: word, params: r.paramsOf(word)}, given)
	if len(r.issues) > before {
		return Action{}, false
	}
	a := Action{
		Name: word, Step: kind.build(values), CallID: callOf(values, "call_id"),
		ContinueOnError: arg(values, "on_error", "") == "continue",
	}
	a.PhoneID = arg(values, "phone_id", phone.ID(""))
	if slices.ContainsFunc(given, func(f Field) bool { return !nested(kind, f.Name) && len(References(f.Value)) > 0 }) {
		a.late, a.latePhone = n, values["phone_id"] == any(late{})
	} else {
		r.checkStep(n, &a)
	}
	r.checkPlace(n, a, given)
	return a, len(r.issues) == before
}

// paramsOf gives every argument of an action; the list is made once for all of
// its kind.
func (r *reader) paramsOf(word string) []Param {
	params, made := r.params[word]
	if !made {
		if r.params == nil {
			r.params = map[string][]Param{}
		}
		params = actionKinds[word].all(word)
		r.params[word] = params
	}
	return params
}

// nested says whether an argument holds actions or facts, which bind their
// variables for themselves.
func nested(kind actionKind, name string) bool {
	return slices.ContainsFunc(kind.params, func(p Param) bool {
		return p.Name == name && (p.Type == TypeActions || p.Type == TypeBranches || p.Type == TypeFacts)
	})
}

// checkPlace refuses variables of the run where the run has to know before it
// begins.
func (r *reader) checkPlace(n *Node, a Action, given []Field) {
	if a.late == nil {
		return
	}
	switch a.Step.(type) {
	case Repeat, AddPhone:
		for _, f := range given {
			if names := References(f.Value); !nested(actionKinds[a.Name], f.Name) && len(names) > 0 {
				r.fault(n, BadValue, "%s: %s takes no ${%s}, which is captured while the run goes on; only what vars gives can stand here", a.Name, f.Name, names[0])
			}
		}
	}
}

// unfold finds the action's word and its arguments as written; word is ""
// after a fault.
func (r *reader) unfold(n *Node) (word string, given []Field) {
	switch n.Kind {
	case String:
		if !r.knownAction(n, n.Text) {
			return "", nil
		}
		return n.Text, nil
	case Map:
	default:
		r.fault(n, MalformedAction, "an action is a word or a mapping, not %s", n.Kind)
		return "", nil
	}
	if name := n.Field("action"); name != nil {
		if name.Kind != String || !r.knownAction(name, name.Text) {
			if name.Kind != String {
				r.fault(name, MalformedAction, "action takes the name of an action, not %s", name.Kind)
			}
			return "", nil
		}
		return name.Text, slices.DeleteFunc(slices.Clone(n.Fields), func(f Field) bool { return f.Name == "action" })
	}
	return r.unfoldKeyed(n)
}

// unfoldKeyed reads {word: value}, where arguments may also stand beside the
// word: {send_dtmf: "1", phone_id: a}.
func (r *reader) unfoldKeyed(n *Node) (word string, given []Field) {
	var value *Node
	for _, f := range n.Fields {
		if _, ok := actionKinds[f.Name]; !ok {
			given = append(given, f)
			continue
		}
		if word != "" {
			r.fault(f.Key, MalformedAction, "two actions in one step: %s and %s; write each as a step of its own", word, f.Name)
			return "", nil
		}
		word, value = f.Name, f.Value
	}
	switch {
	case word == "" && len(n.Fields) == 0:
		r.fault(n, MalformedAction, "an empty action")
		return "", nil
	case word == "":
		r.unknown(n.Fields[0].Key, UnknownAction, "action", n.Fields[0].Name, actionWords())
		return "", nil
	}
	kind := actionKinds[word]
	switch {
	case value.Kind == Null:
	case value.Kind == Map && !kind.whole:
		given = append(slices.Clone(value.Fields), given...)
	case kind.main == "":
		r.fault(value, MalformedAction, "%s takes a mapping of arguments, not %s", word, value.Kind)
		return "", nil
	default:
		given = append([]Field{{Name: kind.main, Key: value, Value: value}}, given...)
	}
	return word, given
}

func (r *reader) knownAction(n *Node, word string) bool {
	if _, ok := actionKinds[word]; ok {
		return true
	}
	r.unknown(n, UnknownAction, "action", word, actionWords())
	return false
}

// tableOf describes a mapping: which fields it has, and how they are called in
// faults.
type tableOf struct {
	what   string // "argument of send_dtmf"
	whose  string // "send_dtmf"
	params []Param
}

// late stands for an argument that a variable will give.
type late struct{}

// table reads what is given by a table of what there is.
func (r *reader) table(n *Node, t tableOf, given []Field) args {
	values := args{}
	seen := map[string]bool{}
	for _, f := range given {
		at := slices.IndexFunc(t.params, func(p Param) bool { return p.Name == f.Name || slices.Contains(p.Aliases, f.Name) })
		if at < 0 {
			r.unknown(f.Key, UnknownKey, t.what, f.Name, names(t.params))
			continue
		}
		p := t.params[at]
		if seen[p.Name] {
			r.fault(f.Key, DuplicateKey, "%s: %s is given twice", t.whose, p.Name)
			continue
		}
		if f.Value.Kind == Null {
			continue // null is the same as left out
		}
		seen[p.Name] = true
		if v := r.value(f.Value, p); v != nil {
			values[p.Name] = v
		}
	}
	for _, p := range t.params {
		if p.Required && !seen[p.Name] {
			r.fault(n, Missing, "%s needs %s", t.whose, p.Name)
		}
	}
	return values
}

func names(params []Param) []string {
	var list []string
	for _, p := range params {
		list = append(append(list, p.Name), p.Aliases...)
	}
	return list
}

var emitForm = regexp.MustCompile(`^` + userName + `$`)

// checkStep refuses what the types of the arguments cannot.
func (r *reader) checkStep(n *Node, a *Action) {
	switch step := a.Step.(type) {
	case AttendedTransfer:
		if (a.CallID == nil) != (step.DestCallID == nil) {
			r.fault(n, Missing, "attended_transfer takes both call_id and dest_call_id, or neither for the phone's first two active calls")
		}
	case Emit:
		step.Name = strings.TrimPrefix(step.Name, "user.")
		if !emitForm.MatchString(step.Name) {
			r.fault(n, BadValue, "emit: %q is not a name; use letters, digits, _ . -", clip(step.Name))
		}
		a.Step = step
	case Repeat:
		if len(step.Actions) == 0 {
			r.fault(n, MalformedAction, "repeat has no actions")
		}
	case Assert:
		if len(step.Facts) == 0 {
			r.fault(n, Missing, "assert has no facts: nothing would always hold")
		}
	case SendMessage:
		if strings.ContainsAny(step.ContentType, "\r\n") {
			r.fault(n, BadValue, "send_message: content_type is one line")
		}
	}
}

// namesPhone says whether the action must know its phone when it runs.
func (a Action) namesPhone() bool {
	_, all := a.Step.(HangupAll)
	_, emits := a.Step.(Emit)
	return actionKinds[a.Name].phone && !all && !emits
}

// phoneless finds the actions of a list, and of those within, that do not say
// which phone they are for.
func phoneless(list []Action) []Action {
	var found []Action
	for _, a := range list {
		if a.namesPhone() && a.PhoneID == "" && !a.latePhone {
			found = append(found, a)
		}
		for _, inner := range a.Inner() {
			found = append(found, phoneless(inner)...)
		}
	}
	return found
}

// Inner gives the lists of actions that the action holds.
func (a Action) Inner() [][]Action {
	switch step := a.Step.(type) {
	case Repeat:
		return [][]Action{step.Actions}
	case Parallel:
		return step.Branches
	}
	return nil
}
