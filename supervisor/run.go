// Package supervisor puts the supervisor program together: its subcommands,
// and for serve the fleet, the hub, the tools and the MCP server, and the order
// in which they end.
package supervisor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ringmaster/config"
)

// Exit codes: the documented list.
const (
	exitDone    = 0 // done, or passed
	exitFailed  = 1
	exitInvalid = 2 // wrong arguments, or invalid input
	exitCannot  = 3 // could not run
)

// exitError is an error that decides the exit code.
type exitError struct {
	code   int
	err    error
	places bool // every line begins with a place, file:line:column, as editors read it
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func invalid(err error) error { return &exitError{code: exitInvalid, err: err} }
func cannot(err error) error  { return &exitError{code: exitCannot, err: err} }

// command is one subcommand.
type command struct {
	name string
	does string
	run  func(ctx context.Context, e Edges, args []string) error
}

func commands() []command {
	return []command{
		{"serve", "serve MCP on stdin and stdout (the default)", serve},
		{"run", "run scenarios on the phones of a profile: run FILE… --profile FILE [--pbx]", runScenarios},
		{"validate", "check scenarios and touch nothing: validate FILE…", validate},
		{"schema", "write the JSON Schema of scenarios, for editors", printSchema},
		{"pbx", "run the embedded PBX alone: pbx [--profile FILE] [ADDRESS]", servePBX},
		{"demo", "show what this is: two phones call each other through the embedded PBX", showDemo},
		{"doctor", "look whether phones will work on this machine, and say what to do", examine},
		{"version", "say the program's version", version},
	}
}

// Run is the program: it returns the exit code. It ends when its work is done
// or ctx is, with all workers gone.
func Run(ctx context.Context, e Edges) int {
	err := run(ctx, e)
	if err == nil {
		return exitDone
	}
	var exit *exitError
	if !errors.As(err, &exit) {
		exit = &exitError{code: exitFailed}
	}
	who := "supervisor: "
	if exit.places {
		who = ""
	}
	_, _ = fmt.Fprintf(e.Stderr, "%s%v\n", who, err) // there is nobody else to tell
	return exit.code
}

func run(ctx context.Context, e Edges) error {
	name, args := "serve", e.Args
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	} else if len(args) > 0 && (args[0] == "-h" || args[0] == "-help" || args[0] == "--help") {
		name, args = "help", nil
	}
	if name == "help" {
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
		return invalid(fmt.Errorf("unknown command %q: did you mean %q?", name, near))
	}
	return invalid(fmt.Errorf("unknown command %q: there are %s", name, strings.Join(names, ", ")))
}

func help(e Edges) error {
	var b strings.Builder
	b.WriteString("Ringmaster gives the client of an MCP server many real SIP phones.\n\nUsage: supervisor [command] [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-8s  %s\n", c.name, c.does)
	}
	b.WriteString("\nEvery command says more with -h. Exit status: 0 done or passed, 1 failed, 2 invalid, 3 could not run. Flags of serve:\n\n")
	flags, _ := serveFlags()
	flags.SetOutput(&b)
	flags.PrintDefaults()
	_, err := e.Stdout.Write([]byte(b.String()))
	return err
}
