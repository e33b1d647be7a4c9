// Package pattern is the library of patterns: pieces of scenario with
// parameters, kept as YAML files.
//
// A pattern file holds the hooks and initial actions of a scenario, with
// ${parameter} wherever a value is to be filled in:
//
//	name: auto-answer
//	description: Answers every incoming call.
//	parameters:
//	  - {name: phone_id, type: phone}
//	  - {name: delay_ms, type: duration, default: 0}
//	hooks:
//	  - when: call.state.incoming
//	    on_phone: ${phone_id}
//	    once: false
//	    then: [{wait: "${delay_ms}"}, answer]
//
// A parameter without a default must be given. enabled: ${boolean} on a hook
// leaves the hook out when it is false.
package pattern

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"ringmaster/scenario/spec"
)

//go:embed library/*.yaml
var embedded embed.FS

// Library holds patterns by name. It is not changed once a scenario uses it.
type Library struct{ patterns map[string]Pattern }

// Builtin gives the patterns that come with the program.
func Builtin() (*Library, error) {
	l := &Library{patterns: map[string]Pattern{}}
	folder, err := fs.Sub(embedded, "library")
	if err != nil {
		return nil, err
	}
	if issues := l.Add(folder); len(issues) > 0 {
		return nil, fmt.Errorf("the patterns of this program are faulty: %w", issues)
	}
	return l, nil
}

// Add reads every *.yaml of a folder. A pattern may not take the name of one
// that is already there: two meanings of one word give two verdicts. With
// issues, the files without any are still added.
func (l *Library) Add(folder fs.FS) spec.Issues {
	files, err := fs.Glob(folder, "*.yaml")
	if err != nil {
		return spec.Issues{{Kind: spec.Syntax, Msg: err.Error()}}
	}
	var issues spec.Issues
	for _, file := range files {
		text, err := fs.ReadFile(folder, file)
		if err != nil {
			issues = append(issues, spec.Issue{Kind: spec.Syntax, File: file, Msg: "cannot be read: " + err.Error()})
			continue
		}
		p, faults := parse(file, text)
		if _, taken := l.patterns[p.Name]; len(faults) == 0 && taken {
			faults = spec.Issues{spec.NewIssue(file, p.node, spec.DuplicateKey, "there is already a pattern named %q", p.Name)}
		}
		if issues = append(issues, faults...); len(faults) == 0 {
			l.patterns[p.Name] = p
		}
	}
	return issues
}

// Names gives the names of all patterns, sorted.
func (l *Library) Names() []string { return slices.Sorted(maps.Keys(l.patterns)) }

// Pattern gives one pattern.
func (l *Library) Pattern(name string) (Pattern, bool) {
	p, ok := l.patterns[name]
	return p, ok
}

// Unfold puts the scenario's patterns in front of its own hooks and initial
// actions, in the order in which they are listed: a gate such as
// wait-for-registration is passed before the scenario's own actions begin.
func (l *Library) Unfold(file string, s spec.Scenario) (spec.Scenario, spec.Issues) {
	var all spec.Fragment
	var issues spec.Issues
	for i, use := range s.Patterns {
		p, ok := l.patterns[use.Name]
		if !ok {
			issues = append(issues, spec.UnknownWord(file, use.Node.Field("use"), spec.UnknownPattern, "pattern", use.Name, l.Names()))
			continue
		}
		f, faults := p.unfold(file, use.Node)
		issues = append(issues, faults...)
		for _, h := range f.Hooks {
			h.ID = fmt.Sprintf("patterns[%d].%s", i, h.ID)
			h.Pattern = p.Name
			all.Hooks = append(all.Hooks, h)
		}
		for _, a := range f.Initial {
			a.Pattern = p.Name
			all.Initial = append(all.Initial, a)
		}
	}
	s.Initial = append(all.Initial, s.Initial...)
	s.Hooks = append(all.Hooks, s.Hooks...)
	return s, issues
}
