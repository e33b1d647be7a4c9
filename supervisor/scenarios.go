package supervisor

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"ringmaster/scenario"
	"ringmaster/scenario/pattern"
	"ringmaster/scenario/schema"
	"ringmaster/scenario/spec"
)

// folders is a flag that may be given several times.
type folders []string

func (f *folders) String() string { return "" }

// Set takes one more folder.
func (f *folders) Set(value string) error {
	*f = append(*f, value)
	return nil
}

func patternsFlag(f *flag.FlagSet, into *folders) {
	f.Var(into, "patterns", "let scenarios use the patterns of this `folder` (*.yaml) too; may be given several times")
}

// loadPatterns gives the patterns of the program and those of folders. A fault
// in one of their files is an error: what a scenario means must not depend on
// which of them can be read.
func loadPatterns(dirs folders) (*pattern.Library, error) {
	library, _, err := scenario.Patterns()
	if err != nil {
		return nil, cannot(err)
	}
	var faults []error
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			faults = append(faults, fmt.Errorf("--patterns %s: there is no such folder", dir))
			continue
		}
		for _, issue := range library.Add(os.DirFS(dir)) {
			issue.File = filepath.Join(dir, issue.File)
			faults = append(faults, issue)
		}
	}
	if len(faults) > 0 {
		return nil, &exitError{code: exitInvalid, err: errors.Join(faults...), places: true}
	}
	return library, nil
}

// loaded is a scenario and the file it came from.
type loaded struct {
	file     string
	folder   string // of the file, absolute
	scenario scenario.Scenario
}

// loadScenarios reads every file and tells every fault of all of them.
func loadScenarios(files []string, patterns *pattern.Library) ([]loaded, error) {
	var all []loaded
	var faults []error
	for _, file := range files {
		text, err := readScenario(file)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s cannot be read: %w", file, errors.Unwrap(err)))
			continue
		}
		s, issues := scenario.Load(file, text, patterns)
		for _, issue := range issues {
			faults = append(faults, issue)
		}
		folder, err := filepath.Abs(filepath.Dir(file))
		if err != nil {
			return nil, cannot(err)
		}
		all = append(all, loaded{file, folder, s})
	}
	if len(faults) > 0 {
		return nil, &exitError{code: exitInvalid, err: errors.Join(faults...), places: true}
	}
	return all, nil
}

// readScenario reads a file, and no more of an endless one than says that it is
// too large.
func readScenario(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, spec.MaxBytes+1))
}

// printSchema writes the JSON Schema of the scenario language, for editors.
func printSchema(_ context.Context, e Edges, args []string) error {
	f := flag.NewFlagSet("schema", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	var dirs folders
	patternsFlag(f, &dirs)
	rest, err := parse(f, args)
	if errors.Is(err, errHelp) {
		return usage(e, "schema [--patterns FOLDER]…: write the JSON Schema of scenarios, for editors", f)
	}
	if err == nil && len(rest) > 0 {
		err = invalid(fmt.Errorf("schema takes flags only, not %q", rest[0]))
	}
	if err != nil {
		return err
	}
	patterns, err := loadPatterns(dirs)
	if err != nil {
		return err
	}
	text, err := schema.JSON(patterns)
	if err != nil {
		return cannot(err)
	}
	if _, err := e.Stdout.Write(text); err != nil {
		return cannot(err)
	}
	return nil
}

// validate checks scenarios and touches nothing.
func validate(_ context.Context, e Edges, args []string) error {
	f := flag.NewFlagSet("validate", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	var dirs folders
	patternsFlag(f, &dirs)
	files, err := parse(f, args)
	if errors.Is(err, errHelp) {
		return usage(e, "validate FILE… [--patterns FOLDER]…: check scenarios and touch nothing; exit status 0 when all are valid, 2 when one is not, with every fault as file:line:column", f)
	}
	if err == nil && len(files) == 0 {
		err = invalid(errors.New("validate takes the files of scenarios: supervisor validate FILE…"))
	}
	if err != nil {
		return err
	}
	patterns, err := loadPatterns(dirs)
	if err != nil {
		return err
	}
	all, err := loadScenarios(files, patterns)
	if err != nil {
		return err
	}
	for _, l := range all {
		if _, err := fmt.Fprintf(e.Stdout, "%s: %s is valid\n", l.file, l.scenario.Name()); err != nil {
			return cannot(err)
		}
	}
	return nil
}
