// Command phoneworker is one SIP phone. A supervisor starts it, or a person
// does, to use it by hand.
package main

import (
	"context"
	"os"

	"ringmaster/proto/phonewire"
	"ringmaster/worker"
)

func main() {
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	os.Exit(worker.Run(context.Background(), worker.Edges{
		Args: os.Args[1:], Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Home: home, TempDir: os.TempDir(), Version: phonewire.Version,
	}))
}
