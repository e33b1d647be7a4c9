// Package worker assembles one phone's process: the phone itself, and what
// stands before it.
package worker

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"ringmaster/config"
	"ringmaster/worker/codec"
)

// Exit codes of the program: the documented list.
const (
	exitDone    = 0 // done, or passed
	exitFailed  = 1
	exitInvalid = 2 // wrong arguments, or invalid input
	exitCannot  = 3 // could not run
)

// leaveWithin bounds how long the phone may take to say goodbye.
const leaveWithin = 2500 * time.Millisecond

// exitError is an error that decides the exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func invalid(err error) error { return &exitError{exitInvalid, err} }
func cannot(err error) error  { return &exitError{exitCannot, err} }

// command is one subcommand.
type command struct {
	name string
	does string
	run  func(ctx context.Context, e Edges, args []string) error
}

func commands() []command {
	return []command{
		{"run", "be a phone of a profile, at a prompt", run},
		{"serve", "be a phone under a supervisor (the default); --debug waits to be adopted", serve},
		{"version", "say the program's version and the codecs built in", version},
	}
}

// Run is the whole program; it returns the exit code.
func Run(ctx context.Context, e Edges) int {
	err := dispatch(ctx, e)
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(e.Stderr, "phoneworker: %v\n", err)
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.code
	}
	return exitFailed
}

func dispatch(ctx context.Context, e Edges) error {
	name, args := "serve", e.Args
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	if name == "help" || name == "-h" || name == "--help" {
		return help(e)
	}
	var names []string
	for _, c := range commands() {
		if c.name == name {
			return c.run(ctx, e, args)
		}
		names = append(names, c.name)
	}
	if near := config.Nearest(name, names); near != "" {
		return invalid(fmt.Errorf("unknown command %.40q: did you mean %q?", name, near))
	}
	return invalid(fmt.Errorf("unknown command %.40q: there are %s", name, strings.Join(names, ", ")))
}

func help(e Edges) error {
	var b strings.Builder
	b.WriteString("phoneworker is one SIP phone.\n\nUsage: phoneworker [command] [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-8s  %s\n", c.name, c.does)
	}
	b.WriteString("\nFlags of run:\n\n")
	flags, _ := runFlags()
	flags.SetOutput(&b)
	flags.PrintDefaults()
	b.WriteString("\nFlags of serve:\n\n")
	flags, _ = serveFlags()
	flags.SetOutput(&b)
	flags.PrintDefaults()
	_, err := io.WriteString(e.Stdout, b.String())
	return err
}

// newFlags makes the flags of a subcommand, whose errors are returned and
// whose help is printed by help.
func newFlags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	return f
}

// parse reads a subcommand's flags. asked reports the wish for help.
func parse(f *flag.FlagSet, args []string) (asked bool, err error) {
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return true, nil
	case err != nil:
		return false, invalid(fmt.Errorf("%w (phoneworker help lists the flags)", err))
	case f.NArg() > 0:
		return false, invalid(fmt.Errorf("%s takes flags only, not %.40q", f.Name(), f.Arg(0)))
	}
	return false, nil
}

func version(_ context.Context, e Edges, args []string) error {
	f := newFlags("version")
	asJSON := f.Bool("json", false, "as JSON")
	if err := f.Parse(args); err != nil || f.NArg() > 0 {
		return invalid(errors.New("version takes --json and nothing else"))
	}
	if *asJSON {
		return json.NewEncoder(e.Stdout).Encode(struct {
			Version string   `json:"version"`
			Codecs  []string `json:"codecs"`
		}{e.Version, codec.Names()})
	}
	_, err := fmt.Fprintf(e.Stdout, "phoneworker %s\ncodecs: %v\n", e.Version, codec.Names())
	return err
}
