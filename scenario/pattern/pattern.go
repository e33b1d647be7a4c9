package pattern

import (
	"fmt"
	"regexp"
	"slices"

	"ringmaster/scenario/spec"
)

// Pattern is one piece of scenario with parameters.
type Pattern struct {
	Name        string
	Description string
	Parameters  []Parameter
	node        *spec.Node
}

// Parameter is one thing a pattern wants to know.
type Parameter struct {
	spec.Param
	Description string
	// Default is nil when the parameter must be given.
	Default *spec.Node
}

var (
	patternKeys   = []string{"name", "description", "parameters", "initial_actions", "hooks"}
	parameterKeys = []string{"name", "type", "default", "description", "one_of"}
	nameForm      = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	paramForm     = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
)

// parser collects the faults of one pattern file.
type parser struct {
	file   string
	issues spec.Issues
}

func (p *parser) fault(at *spec.Node, kind, format string, args ...any) {
	p.issues = append(p.issues, spec.NewIssue(p.file, at, kind, format, args...))
}

// parse reads a pattern file. The pattern is tried with a sample of every
// parameter, so that its faults are found here, at its own lines, and not by
// whoever uses it.
func parse(file string, text []byte) (Pattern, spec.Issues) {
	root, issues := spec.ParseYAML(file, text)
	if len(issues) > 0 {
		return Pattern{}, issues
	}
	p := &parser{file: file}
	pattern := p.pattern(root)
	if len(p.issues) > 0 {
		return pattern, p.issues
	}
	samples := map[string]*spec.Node{}
	for _, param := range pattern.Parameters {
		samples[param.Name] = param.sample()
	}
	_, issues = spec.ReadFragment(file, "", spec.Substitute(root, nil, samples))
	return pattern, issues
}

func (p *parser) pattern(root *spec.Node) Pattern {
	pattern := Pattern{node: root}
	if root.Kind != spec.Map {
		p.fault(root, spec.WrongType, "a pattern is a mapping, not %s", root.Kind)
		return pattern
	}
	p.keys(root, patternKeys)
	pattern.Name, pattern.Description = p.text(root, "name"), p.text(root, "description")
	if !nameForm.MatchString(pattern.Name) {
		p.fault(root, spec.BadValue, "name takes lower-case letters, digits and -")
	}
	if list := root.Field("parameters"); list != nil {
		for _, n := range list.Items {
			pattern.Parameters = append(pattern.Parameters, p.parameter(n))
		}
	}
	declared := append(pattern.parameterNames(), spec.CapturedNames(root)...)
	for _, name := range spec.References(root) {
		if !slices.Contains(declared, name) {
			p.issues = append(p.issues, spec.UnknownWord(p.file, root, spec.UnknownParameter, "parameter", name, declared))
		}
	}
	return pattern
}

func (p *parser) keys(n *spec.Node, known []string) {
	for _, f := range n.Fields {
		if !slices.Contains(known, f.Name) {
			p.issues = append(p.issues, spec.UnknownWord(p.file, f.Key, spec.UnknownKey, "key", f.Name, known))
		}
	}
}

func (p *parser) text(n *spec.Node, name string) string {
	field := n.Field(name)
	if field == nil || field.Kind != spec.String {
		p.fault(n, spec.Missing, "%s is needed, as a string", name)
		return ""
	}
	return field.Text
}

func (p *parser) parameter(n *spec.Node) Parameter {
	p.keys(n, parameterKeys)
	var param Parameter
	param.Name, param.Type = p.text(n, "name"), spec.Type(p.text(n, "type"))
	if !paramForm.MatchString(param.Name) || param.Name == "use" {
		p.fault(n, spec.BadValue, "a parameter's name takes lower-case letters, digits and _; use is taken")
	}
	if !slices.Contains(spec.Types(), string(param.Type)) {
		p.issues = append(p.issues, spec.UnknownWord(p.file, n, spec.BadValue, "type", string(param.Type), spec.Types()))
	}
	if d := n.Field("description"); d != nil {
		param.Description = d.Text
	}
	if choices := n.Field("one_of"); choices != nil {
		for _, c := range choices.Items {
			param.OneOf = append(param.OneOf, c.Text)
		}
	}
	if param.Default = n.Field("default"); param.Default != nil {
		p.issues = append(p.issues, spec.Check(p.file, param.Default, param.Param)...)
	}
	return param
}

func (p Pattern) parameterNames() []string {
	names := make([]string, len(p.Parameters))
	for i, param := range p.Parameters {
		names[i] = param.Name
	}
	return names
}

// unfold fills in what one entry of a scenario's patterns gives.
func (p Pattern) unfold(file string, use *spec.Node) (spec.Fragment, spec.Issues) {
	var issues spec.Issues
	names := p.parameterNames()
	for _, f := range use.Fields {
		if f.Name != "use" && !slices.Contains(names, f.Name) {
			issues = append(issues, spec.UnknownWord(file, f.Key, spec.UnknownParameter, "parameter of "+p.Name, f.Name, names))
		}
	}
	values := map[string]*spec.Node{}
	for _, param := range p.Parameters {
		given := use.Field(param.Name)
		switch {
		case given != nil && given.Kind != spec.Null:
			issues = append(issues, spec.Check(file, given, param.Param)...)
			values[param.Name] = given
		case param.Default != nil:
			values[param.Name] = param.Default
		default:
			issues = append(issues, spec.NewIssue(file, use, spec.Missing, "pattern %s needs %s", p.Name, param.Name))
		}
	}
	if len(issues) > 0 {
		return spec.Fragment{}, issues
	}
	return spec.ReadFragment(file, fmt.Sprintf("pattern %s: ", p.Name), spec.Substitute(p.node, use, values))
}

// sample is a value that the parameter takes.
func (p Parameter) sample() *spec.Node {
	if p.Default != nil {
		return p.Default
	}
	if len(p.OneOf) > 0 {
		return &spec.Node{Kind: spec.String, Text: p.OneOf[0]}
	}
	text := map[spec.Type]string{
		spec.TypeInteger: "200", spec.TypeBoolean: "true", spec.TypeDuration: "0", spec.TypeURI: "sip:x@127.0.0.1",
		spec.TypeDigits: "1", spec.TypeDigit: "1", spec.TypeCodes: "486", spec.TypeCall: "0", spec.TypeCalls: "auto",
		spec.TypeEvents: "dtmf.in", spec.TypeHeaders: "{}", spec.TypeObject: "{}", spec.TypeMatch: "{}",
	}[p.Type]
	if text == "" {
		text = "x"
	}
	sample, _ := spec.ParseYAML("", []byte(text))
	return sample
}
