package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ${name} stands for a value. One that vars gives is put in when the scenario
// is read; one that something captures while the run goes on is put in when
// the action begins, or the fact is judged, that it stands in.
//
// A string that is nothing but one ${name} becomes the value with its type; in
// a longer string the value's text is put. $${ is a plain ${.

// Capture takes a field of an event into a variable.
type Capture struct {
	Name string
	Path string // as in Match
}

var (
	variableForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)
	opening      = regexp.MustCompile(`\$\$\{|\$\{([^{}]*)(\}?)`)
)

// refers says whether a string holds a ${name} still to be filled in.
func (n *Node) refers() bool {
	if n.Kind != String || n.plain || !strings.Contains(n.Text, "${") {
		return false
	}
	for _, m := range reference.FindAllStringSubmatch(n.Text, -1) {
		if m[1] != "" {
			return true
		}
	}
	return false
}

// literal gives a tree in which $${ has become a plain ${, in the strings that
// wait for no value any more.
func literal(n *Node) *Node {
	if !holdsEscape(n) {
		return n
	}
	copied := *n
	switch n.Kind {
	case String:
		if !n.refers() {
			copied.Text = strings.ReplaceAll(n.Text, "$${", "${")
			copied.plain = true
		}
	case List:
		copied.Items = make([]*Node, len(n.Items))
		for i, item := range n.Items {
			copied.Items[i] = literal(item)
		}
	case Map:
		copied.Fields = slices.Clone(n.Fields)
		for i, f := range n.Fields {
			copied.Fields[i].Value = literal(f.Value)
		}
	}
	return &copied
}

func holdsEscape(n *Node) bool {
	return (n.Kind == String && !n.plain && strings.Contains(n.Text, "$${")) || slices.ContainsFunc(n.Items, holdsEscape) ||
		slices.ContainsFunc(n.Fields, func(f Field) bool { return holdsEscape(f.Value) })
}

// variables reads vars, and holds every ${name} of the scenario against the
// names that there are. It gives the values of those that nothing captures:
// they can be put in at once. All are in initial.
func (r *reader) variables(root *Node) (fixed map[string]*Node, initial map[string]any) {
	captured := CapturedNames(root)
	known := slices.Clone(captured)
	if vars := root.Field("vars"); vars != nil && vars.Kind != Null {
		if vars.Kind != Map {
			r.fault(vars, WrongType, "vars takes a mapping of names to values, not %s", vars.Kind)
			vars = &Node{}
		}
		for _, f := range vars.Fields {
			if !variableForm.MatchString(f.Name) {
				r.fault(f.Key, BadValue, "%q is not a variable's name; use letters, digits and _", clip(f.Name))
				continue
			}
			known = append(known, f.Name)
			if len(References(f.Value)) > 0 {
				r.fault(f.Value, BadValue, "the value of a variable is plain: no ${…} in vars")
				continue
			}
			if initial == nil {
				fixed, initial = map[string]*Node{}, map[string]any{}
			}
			initial[f.Name] = f.Value.Plain()
			if !slices.Contains(captured, f.Name) {
				fixed[f.Name] = f.Value
			}
		}
	}
	for _, f := range root.Fields {
		if f.Name != "vars" {
			r.checkReferences(f.Value, known)
		}
	}
	return fixed, initial
}

// checkReferences finds every ${ that names nothing.
func (r *reader) checkReferences(n *Node, known []string) {
	if n.Kind == String && strings.Contains(n.Text, "${") {
		for _, m := range opening.FindAllStringSubmatch(n.Text, -1) {
			switch {
			case m[0] == "$${" || slices.Contains(known, m[1]) && m[2] != "":
			case strings.HasPrefix(m[1], "env:"):
				r.fault(n, BadValue, "a scenario cannot read the environment: what it holds would be shown on the timeline")
			case m[2] == "" || !variableForm.MatchString(m[1]):
				r.fault(n, BadValue, "%q is not a variable; write ${name}, or $${ for a plain ${", clip(m[0]))
			default:
				r.unknown(n, UnknownVariable, "variable", m[1], known)
			}
		}
	}
	for _, item := range n.Items {
		r.checkReferences(item, known)
	}
	for _, f := range n.Fields {
		r.checkReferences(f.Value, known)
	}
}

// CapturedNames gives the variables that something in a tree captures.
func CapturedNames(n *Node) []string {
	var names []string
	for _, item := range n.Items {
		names = append(names, CapturedNames(item)...)
	}
	for _, f := range n.Fields {
		switch {
		case f.Name == "capture" && f.Value.Kind == Map:
			for _, c := range f.Value.Fields {
				names = append(names, c.Name)
			}
		case f.Name == "save_call" && f.Value.Kind == String:
			names = append(names, f.Value.Text)
		default:
			names = append(names, CapturedNames(f.Value)...)
		}
	}
	return names
}

func (r *reader) capture(n *Node, p Param) any {
	if n.Kind != Map || len(n.Fields) == 0 {
		return r.wrong(n, p, "a mapping of variables to fields of the event, such as {digit: digit}")
	}
	list := make([]Capture, 0, len(n.Fields))
	for _, f := range n.Fields {
		if !variableForm.MatchString(f.Name) {
			r.fault(f.Key, BadValue, "%q is not a variable's name; use letters, digits and _", clip(f.Name))
		}
		if f.Value.Kind != String || f.Value.Text == "" {
			r.fault(f.Value, WrongType, "capture %s takes a field of the event, such as digit or headers.Subject", clip(f.Name))
		}
		list = append(list, Capture{Name: f.Name, Path: f.Value.Text})
	}
	return list
}

// filled puts the values of variables into a tree. The error names the first
// that has none.
func filled(n *Node, values map[string]any) (*Node, error) {
	nodes := map[string]*Node{}
	for _, name := range References(n) {
		v, ok := values[name]
		if !ok {
			return nil, fmt.Errorf("${%s} has no value: nothing has captured it yet", name)
		}
		var c objectConverter
		nodes[name] = c.convert(v, nil, "", 0)
	}
	return literal(Substitute(n, nil, nodes)), nil
}

// Late says that the action holds variables that are captured while the run
// goes on: it is to be bound when it begins.
func (a Action) Late() bool { return a.late != nil }

// Bind fills in the variables of a late action.
func (a Action) Bind(values map[string]any) (Action, error) {
	n, err := filled(a.late, values)
	if err != nil {
		return a, err
	}
	var r reader
	bound, ok := r.action(n)
	if !ok {
		return a, fmt.Errorf("%s", r.issues[0].Msg)
	}
	bound.Pattern = a.Pattern
	return bound, nil
}

// Late says that the fact holds variables that are captured while the run goes
// on: it is to be bound when it is judged.
func (f Fact) Late() bool { return f.late != nil }

// Bind fills in the variables of a late fact.
func (f Fact) Bind(values map[string]any) (Fact, error) {
	n, err := filled(f.late, values)
	if err != nil {
		return f, err
	}
	var r reader
	bound, ok := r.fact(n)
	if !ok {
		return f, fmt.Errorf("%s", r.issues[0].Msg)
	}
	bound.Path = f.Path
	return bound, nil
}
