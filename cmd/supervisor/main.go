// Command supervisor is the MCP server that gives its client many real SIP
// phones.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"ringmaster/supervisor"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	// A client that is gone makes a write to stdout fail; without this it
	// would end the process by a signal, and the phones would not leave in
	// order. Ignoring the signal would hand that down to the workers.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	executable, err := os.Executable()
	if err != nil {
		executable = os.Args[0]
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	return supervisor.Run(ctx, supervisor.Edges{
		Args: os.Args[1:], Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Now: time.Now, Executable: executable, Home: home, TempDir: os.TempDir(),
	})
}
