package supervisor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"ringmaster/config"
	"ringmaster/proto/phonewire"
	"ringmaster/supervisor/doctor"
)

// errUnhealthy is doctor's verdict of a machine with problems.
var errUnhealthy = errors.New("there are problems")

// examine is the command doctor.
func examine(ctx context.Context, e Edges, args []string) error {
	var roots config.Roots
	f := flag.NewFlagSet("doctor", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	asJSON := f.Bool("json", false, "as JSON")
	worker := f.String("worker", "", "the worker `program`")
	f.StringVar(&roots.Recordings, "recordings-dir", "", "the `folder` of recordings")
	f.StringVar(&roots.Captures, "captures-dir", "", "the `folder` of captures")
	if err := f.Parse(args); err != nil || f.NArg() > 0 {
		return invalid(errors.New("doctor takes --json, --worker PROGRAM, --recordings-dir FOLDER and --captures-dir FOLDER"))
	}
	roots = config.Resolve(roots, config.Machine{Getenv: e.Environ.Lookup, Home: e.Home, Temp: e.TempDir, Usable: config.Usable})
	findings := doctor.Examine(ctx, doctor.Subject{
		Worker: cmp.Or(*worker, e.workerBeside()), WorkerArgs: e.WorkerArgs, Version: phonewire.Version, Environ: e.Environ,
		TempDir: e.TempDir, Recordings: roots.Recordings, Captures: roots.Captures,
	})
	var err error
	if *asJSON {
		status := map[bool]string{true: "ok", false: "problem"}[doctor.Healthy(findings)]
		err = json.NewEncoder(e.Stdout).Encode(map[string]any{"status": status, "findings": findings})
	} else {
		_, err = e.Stdout.Write([]byte(report(findings)))
	}
	if err == nil && !doctor.Healthy(findings) {
		err = errUnhealthy
	}
	return err
}

// report is a line for each finding, and one below it for what to do.
func report(findings []doctor.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		verdict := "ok"
		if !f.OK {
			verdict = "problem"
		}
		fmt.Fprintf(&b, "%-8s %-17s %s\n", verdict, f.Name, f.Found)
		if f.Advice != "" {
			fmt.Fprintf(&b, "%-26s → %s\n", "", f.Advice)
		}
	}
	return b.String()
}
