// Command phoneworker is one SIP phone. A supervisor starts it.
package main

import (
	"context"
	"os"

	"ringmaster/proto/phonewire"
	"ringmaster/worker"
)

func main() {
	os.Exit(worker.Run(context.Background(), worker.Edges{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Version: phonewire.Version,
	}))
}
