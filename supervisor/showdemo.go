package supervisor

import (
	"context"
	"errors"

	"ringmaster/supervisor/demo"
)

// showDemo lets two phones call each other, on this machine alone.
func showDemo(ctx context.Context, e Edges, args []string) error {
	if len(args) > 0 {
		return invalid(errors.New("demo takes nothing after it: supervisor demo"))
	}
	err := demo.Run(ctx, demo.Options{
		Program: e.Executable, Environ: e.Environ, TempDir: e.TempDir, Out: e.Stdout, Colour: e.colour(), Now: e.Now,
	})
	if errors.Is(err, demo.ErrFailed) {
		return &exitError{code: exitFailed, err: err}
	}
	if err != nil {
		return cannot(err)
	}
	return nil
}
