package worker

import (
	"context"
	"flag"
	"io"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/hashicorp/go-hclog"

	"ringmaster/proto/phone"
	"ringmaster/worker/handset"
	"ringmaster/worker/phoneserver"
)

// serveOptions are serve's flags.
type serveOptions struct {
	debug bool
	log   logOptions
}

func serveFlags() (*flag.FlagSet, *serveOptions) {
	o := &serveOptions{}
	f := newFlags("serve")
	return f, o
}

// serve is the phone under a supervisor.
func serve(ctx context.Context, e Edges, args []string) error {
	f, _ := serveFlags()
	if asked, err := parse(f, args); err != nil || asked {
		return helpOr(e, err)
	}
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
		return cannot(err)
	}
	return nil
}
