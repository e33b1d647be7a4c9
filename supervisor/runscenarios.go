package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ringmaster/scenario/report"
	"ringmaster/scenario/timeline"
	"ringmaster/supervisor/runs"
	"ringmaster/supervisor/tool"
)

// runOptions are run's flags.
type runOptions struct {
	options
	patterns folders
	json     bool
	junit    string
	html     string
}

const runUsage = "run FILE… [--profile FILE] [--pbx [ADDRESS]] …: run scenarios, one after the other, on the phones of a profile.\n\n" +
	"Exit status: 0 when all passed, 1 when one failed or timed out, 2 when something is invalid (nothing has run), 3 when one could not run"

// runScenarios runs scenarios one after the other on the phones of a profile.
func runScenarios(ctx context.Context, e Edges, args []string) error {
	o := &runOptions{}
	f := newFlags("run", "warn", &o.options)
	patternsFlag(f, &o.patterns)
	f.BoolVar(&o.json, "json", false, "write the results as JSON, one object for each scenario, and no lines meanwhile")
	f.StringVar(&o.junit, "junit", "", "write the results as JUnit XML to this `file` too")
	f.StringVar(&o.html, "html", "", "write a page about the run to this `file`: verdict, ladders, quality, recordings with players; of several scenarios,\n"+
		"the second goes to FILE-2.html and so on")
	files, err := parse(f, args)
	if errors.Is(err, errHelp) {
		return usage(e, runUsage, f)
	}
	if err == nil {
		err = o.check()
	}
	if err == nil {
		err = errors.Join(writable("junit", o.junit), writable("html", o.html))
	}
	if err == nil && len(files) == 0 {
		err = invalid(errors.New("run takes the files of scenarios: supervisor run FILE…"))
	}
	if err != nil {
		return err
	}
	patterns, err := loadPatterns(o.patterns)
	if err != nil {
		return err
	}
	all, err := loadScenarios(files, patterns)
	if err != nil {
		return err
	}
	o.profile = cmp.Or(o.profile, e.roots(o.roots).Profile)
	h, err := newHouse(ctx, e, o.options, nil, o.logger(e.Stderr))
	if err != nil {
		return err
	}
	results, err := h.run(ctx, all, o.pages(h, e.show(o.json), e.Now))
	err = errors.Join(err, o.write(results))
	return errors.Join(err, h.close(ctx))
}

// writable says, before anything runs, that a report could not be written.
func writable(flag, file string) error {
	if file == "" {
		return nil
	}
	if info, err := os.Stat(filepath.Dir(file)); err != nil || !info.IsDir() {
		return invalid(fmt.Errorf("--%s %s: there is no folder %s", flag, file, filepath.Dir(file)))
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return invalid(fmt.Errorf("--%s %s is a folder; give the name of a file", flag, file))
	}
	return nil
}

// write writes the reports that were asked for.
func (o *runOptions) write(results []report.Ran) error {
	if len(results) == 0 || o.junit == "" {
		return nil
	}
	f, err := os.Create(o.junit)
	if err != nil {
		return cannot(err)
	}
	if err := errors.Join(report.JUnit(f, results), f.Close()); err != nil {
		return cannot(err)
	}
	return nil
}

// pages lets s write an HTML page of every run, when that is asked for.
func (o *runOptions) pages(h *house, s show, now func() time.Time) show {
	if o.html == "" {
		return s
	}
	tools := tool.New(tool.Options{
		Phones: h.fleet, Hub: h.journal, Now: now, Recordings: h.roots.Recordings, Captures: h.roots.Captures,
		HostPaths: hostPaths(h.roots), Runs: h.runs, Peers: h.peers(),
	})
	return &pageShow{show: s, file: o.html, page: func(r timeline.Result) ([]byte, error) {
		return tools.RunPage(context.Background(), r).HTML()
	}}
}

// run starts the phones and runs every scenario, also after one that failed.
// The error has the exit status of the worst of them.
func (h *house) run(ctx context.Context, all []loaded, s show) ([]report.Ran, error) {
	for _, failed := range h.startProfile(ctx) {
		return nil, cannot(fmt.Errorf("phone %s of the profile did not start: %w", failed.PhoneID, failed.Err))
	}
	var results []report.Ran
	var verdict error
	for i, l := range all {
		if ctx.Err() != nil {
			return results, cannot(errors.New("it was interrupted"))
		}
		run, err := h.runs.StartIn(ctx, l.scenario, runs.Options{Folder: l.folder})
		if err != nil {
			return results, cannot(err)
		}
		s.begin(l, i, len(all))
		_ = run.Follow(context.WithoutCancel(ctx), 0, s.entry) // the run ends with ctx itself
		result, _ := run.Result()
		results = append(results, report.Ran{File: l.file, Result: result})
		if err := s.end(result); err != nil {
			return results, cannot(err)
		}
		verdict = worse(verdict, result)
	}
	return results, errors.Join(verdict, s.done(results))
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
	return &exitError{code: exitFailed, err: fmt.Errorf("%s has not passed: %s", r.ScenarioName, r.Reason)}
}
