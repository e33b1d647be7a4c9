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
	worker := f.String("worker", "", "the worker `program` (phoneworker beside this one)")
	f.StringVar(&roots.Recordings, "recordings-dir", "", "the `folder` of recordings (RINGMASTER_RECORDINGS_DIR)")
	f.StringVar(&roots.Captures, "captures-dir", "", "the `folder` of captures (RINGMASTER_CAPTURES_DIR)")
	rest, err := parse(f, args)
	switch {
	case errors.Is(err, errHelp):
		return usage(e, "doctor [flags]", f)
	case err != nil:
		return err
	case len(rest) > 0:
		return invalid(fmt.Errorf("doctor takes flags only, not %q", rest[0]))
	}
	roots = e.roots(roots)
	findings := doctor.Examine(ctx, doctor.Subject{
		Worker: cmp.Or(*worker, e.workerBeside()), WorkerArgs: e.WorkerArgs, Version: phonewire.Version, Environ: e.Environ,
		TempDir: e.TempDir, Recordings: roots.Recordings, Captures: roots.Captures,
	})
	if *asJSON {
		status := map[bool]string{true: "ok", false: "problem"}[doctor.Healthy(findings)]
		err = json.NewEncoder(e.Stdout).Encode(map[string]any{"status": status, "findings": findings})
	} else {
		_, err = e.Stdout.Write([]byte(asText(findings)))
	}
	if err == nil && !doctor.Healthy(findings) {
		err = errUnhealthy
	}
	return err
}

// asText is a line for each finding, and one below it for what to do.
func asText(findings []doctor.Finding) string {
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
