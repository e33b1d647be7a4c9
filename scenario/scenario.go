// Package scenario is the way in to scenarios: load a file, check an object,
// run what came of it.
package scenario

import (
	"context"
	"io/fs"

	"ringmaster/proto/phone"
	"ringmaster/scenario/engine"
	"ringmaster/scenario/pattern"
	"ringmaster/scenario/spec"
	"ringmaster/scenario/timeline"
)

// Scenario is a scenario without faults, ready to run any number of times.
type Scenario struct{ spec spec.Scenario }

// Name is the scenario's own, or spec.DefaultName.
func (s Scenario) Name() string { return s.spec.Name }

// Phones are those that the scenario lists.
func (s Scenario) Phones() []phone.ID { return append([]phone.ID(nil), s.spec.Phones...) }

// Patterns gives the patterns of this program and, after them, those of the
// user's folders. An error is one of ours; issues are faults in the folders'
// files, whose other files can be used all the same.
func Patterns(folders ...fs.FS) (*pattern.Library, spec.Issues, error) {
	library, err := pattern.Builtin()
	if err != nil {
		return nil, nil, err
	}
	var issues spec.Issues
	for _, folder := range folders {
		issues = append(issues, library.Add(folder)...)
	}
	return library, issues, nil
}

// Load reads the YAML text of a file. With issues there is nothing to run; the
// name is given all the same when it could be read.
func Load(file string, text []byte, patterns *pattern.Library) (Scenario, spec.Issues) {
	root, issues := spec.ParseYAML(file, text)
	return read(file, root, issues, patterns)
}

// Check reads the object of a tool call. Its issues name paths, not lines.
func Check(object map[string]any, patterns *pattern.Library) (Scenario, spec.Issues) {
	root, issues := spec.FromObject(object)
	return read("", root, issues, patterns)
}

// Object reads the YAML text of a file as the object that a tool call takes,
// without looking at what it says.
func Object(file string, text []byte) (map[string]any, spec.Issues) {
	root, issues := spec.ParseYAML(file, text)
	if root == nil {
		return nil, issues
	}
	object, _ := root.Plain().(map[string]any)
	return object, issues
}

func read(file string, root *spec.Node, issues spec.Issues, patterns *pattern.Library) (Scenario, spec.Issues) {
	if root == nil {
		return Scenario{spec.Scenario{Name: spec.DefaultName}}, issues
	}
	s, faults := spec.Read(file, root)
	issues = append(issues, faults...)
	s, faults = patterns.Unfold(file, s)
	return Scenario{s}, append(issues, faults...)
}

// Run runs a scenario and answers when it is over; see engine.Run.
func Run(ctx context.Context, s Scenario, env engine.Env) timeline.Result {
	return engine.Run(ctx, s.spec, env)
}
