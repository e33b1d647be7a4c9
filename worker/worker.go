// Package worker assembles one phone's process: the phone itself, and what
// stands before it.
package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"ringmaster/proto/phone"
	"ringmaster/worker/codec"
	"ringmaster/worker/handset"
	"ringmaster/worker/phoneserver"
)

// Exit codes of the program.
const (
	exitDone    = 0
	exitFailed  = 1
	exitInvalid = 2
	exitCannot  = 3
)

// leaveWithin bounds how long the phone may take to say goodbye when its
// supervisor is gone.
const leaveWithin = 2500 * time.Millisecond

// Edges is everything through which the program touches the outside.
type Edges struct {
	Args    []string // without the program's name
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Version string
}

// Run is the whole program; it returns the exit code.
func Run(ctx context.Context, e Edges) int {
	if len(e.Args) == 0 {
		return serve(ctx, e)
	}
	switch e.Args[0] {
	case "version":
		return version(e)
	default:
		fmt.Fprintf(e.Stderr, "phoneworker: there is no command %.40q: use version, or none under a supervisor\n", e.Args[0])
		return exitInvalid
	}
}

// serve is the phone under a supervisor.
func serve(ctx context.Context, e Edges) int {
	// One phone's work fits one core, and its 20 ms clock is steadier so.
	runtime.GOMAXPROCS(1)
	log := hclog.New(&hclog.LoggerOptions{Output: e.Stderr, Level: hclog.Info, JSONFormat: true})
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	ctx, abandoned := context.WithCancel(ctx)
	defer abandoned()

	p := handset.New("Ringmaster/"+e.Version, log)
	defer p.Close()
	go func() {
		// Our standard input is a pipe that the supervisor alone holds
		// open: its end means that the supervisor is gone.
		_, _ = io.Copy(io.Discard, e.Stdin)
		abandoned()
	}()
	serving, served := context.WithCancel(context.Background())
	defer served()
	go func() {
		<-ctx.Done()
		bye, cancel := context.WithTimeout(context.Background(), leaveWithin)
		defer cancel()
		_ = p.Shutdown(bye, phone.Shutdown{HangupCalls: true}) // it is over either way
		served()
	}()
	if err := phoneserver.Serve(serving, p, phoneserver.Options{Version: e.Version, Log: log}); err != nil {
		fmt.Fprintf(e.Stderr, "phoneworker: %v\n", err)
		return exitCannot
	}
	return exitDone
}

func version(e Edges) int {
	if len(e.Args) == 2 && e.Args[1] == "--json" {
		out := struct {
			Version string   `json:"version"`
			Codecs  []string `json:"codecs"`
		}{e.Version, codec.Names()}
		if err := json.NewEncoder(e.Stdout).Encode(out); err != nil {
			return exitFailed
		}
		return exitDone
	}
	if len(e.Args) > 1 {
		fmt.Fprintln(e.Stderr, "phoneworker: version takes no argument but --json")
		return exitInvalid
	}
	fmt.Fprintf(e.Stdout, "phoneworker %s\ncodecs: %v\n", e.Version, codec.Names())
	return exitDone
}
