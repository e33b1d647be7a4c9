package supervisor

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"runtime"

	"ringmaster/proto/phonewire"
)

// version says which build this is.
func version(_ context.Context, e Edges, args []string) error {
	f := flag.NewFlagSet("version", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	asJSON := f.Bool("json", false, "as JSON")
	if err := f.Parse(args); err != nil || f.NArg() > 0 {
		return invalid(fmt.Errorf("version takes --json and nothing else"))
	}
	if !*asJSON {
		_, err := fmt.Fprintf(e.Stdout, "supervisor %s\n", phonewire.Version)
		return err
	}
	return json.NewEncoder(e.Stdout).Encode(map[string]string{
		"program": "supervisor", "version": phonewire.Version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
	})
}
