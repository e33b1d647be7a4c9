package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"ringmaster/scenario"
	"ringmaster/scenario/report"
	"ringmaster/scenario/timeline"
	"ringmaster/supervisor/runs"
)

// loaded is a scenario and the file it came from.
type loaded struct {
	file     string
	scenario scenario.Scenario
}

// loadScenarios reads every file and tells every fault of all of them.
func loadScenarios(files []string) ([]loaded, error) {
	patterns, _, err := scenario.Patterns()
	if err != nil {
		return nil, cannot(err)
	}
	var all []loaded
	var faults []error
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s cannot be read: %w", file, errors.Unwrap(err)))
			continue
		}
		s, issues := scenario.Load(file, text, patterns)
		for _, issue := range issues {
			faults = append(faults, issue)
		}
		all = append(all, loaded{file, s})
	}
	if len(faults) > 0 {
		return nil, invalid(errors.Join(faults...))
	}
	return all, nil
}

// validate checks scenarios and touches nothing.
func validate(_ context.Context, e Edges, args []string) error {
	if len(args) == 0 {
		return invalid(errors.New("validate takes the files of scenarios: supervisor validate FILE…"))
	}
	all, err := loadScenarios(args)
	if err != nil {
		return err
	}
	for _, l := range all {
		if _, err := fmt.Fprintf(e.Stdout, "%s: %s is valid\n", l.file, l.scenario.Name()); err != nil {
			return err
		}
	}
	return nil
}

// runScenarios runs scenarios one after the other on the phones of a profile.
func runScenarios(ctx context.Context, e Edges, args []string) error {
	o := &options{}
	f := newFlags("run", "warn", o)
	asJSON := f.Bool("json", false, "write the results as JSON, one object for each scenario, and no lines meanwhile")
	junit := f.String("junit", "", "write the results as JUnit XML to this `file` too")
	files, err := parse(f, args)
	if errors.Is(err, errHelp) {
		return usage(e, "run FILE… [--profile FILE] [--pbx [ADDRESS]] …: run scenarios; exit status 0 when all passed, 1 when one failed, 2 when something is invalid, 3 when one could not run", f)
	}
	if err == nil {
		err = o.check()
	}
	if err == nil && len(files) == 0 {
		err = invalid(errors.New("run takes the files of scenarios: supervisor run FILE…"))
	}
	if err != nil {
		return err
	}
	all, err := loadScenarios(files)
	if err != nil {
		return err
	}
	o.profile = cmp.Or(o.profile, e.roots(o.roots).Profile)
	h, err := newHouse(ctx, e, *o, nil, o.logger(e.Stderr))
	if err != nil {
		return err
	}
	results, err := h.run(ctx, all, printer{out: e.Stdout, style: report.Style{Colour: e.colour()}, json: *asJSON})
	if *junit != "" && len(results) > 0 {
		err = errors.Join(err, writeJUnit(*junit, results))
	}
	return errors.Join(err, h.close(ctx))
}

// run starts the phones and runs every scenario, also after one that failed.
// The error has the exit status of the worst of them.
func (h *house) run(ctx context.Context, all []loaded, p printer) ([]report.Ran, error) {
	for _, failed := range h.startProfile(ctx) {
		return nil, cannot(fmt.Errorf("phone %s of the profile did not start: %w", failed.PhoneID, failed.Err))
	}
	var results []report.Ran
	var verdict error
	for _, l := range all {
		p.begin(l)
		run, err := h.runs.StartIn(ctx, l.scenario, runs.Options{})
		if err != nil {
			return results, cannot(err)
		}
		_ = run.Follow(context.WithoutCancel(ctx), 0, p.entry) // the run ends with ctx itself
		result, _ := run.Result()
		results = append(results, report.Ran{File: l.file, Result: result})
		if err := p.end(result); err != nil {
			return results, cannot(err)
		}
		verdict = worse(verdict, result)
	}
	return results, verdict
}

// worse is the worse of what was and a result.
func worse(before error, r timeline.Result) error {
	switch r.Status {
	case timeline.OK:
		return before
	case timeline.Error:
		return cannot(fmt.Errorf("%s could not run: %s", r.ScenarioName, r.Reason))
	}
	var exit *exitError
	if errors.As(before, &exit) && exit.code == exitCannot {
		return before
	}
	return &exitError{exitFailed, fmt.Errorf("%s has not passed: %s", r.ScenarioName, r.Reason)}
}

// printer shows runs on a terminal or in a log while they go on.
type printer struct {
	out   io.Writer
	style report.Style
	json  bool
}

func (p printer) begin(l loaded) {
	if !p.json {
		_, _ = fmt.Fprintf(p.out, "%s (%s)\n", l.scenario.Name(), l.file) // end tells when nobody reads
	}
}

func (p printer) entry(e timeline.Entry) {
	if !p.json {
		_, _ = fmt.Fprintln(p.out, p.style.Line(e)) // likewise
	}
}

func (p printer) end(r timeline.Result) error {
	if p.json {
		return report.JSON(p.out, r)
	}
	return p.style.Outcome(p.out, r)
}

func writeJUnit(path string, results []report.Ran) error {
	f, err := os.Create(path)
	if err != nil {
		return cannot(err)
	}
	if err := errors.Join(report.JUnit(f, results), f.Close()); err != nil {
		return cannot(err)
	}
	return nil
}
