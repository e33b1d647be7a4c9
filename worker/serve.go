package worker

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"ringmaster/proto/phone"
	"ringmaster/proto/phonewire"
	"ringmaster/worker/handset"
	"ringmaster/worker/phoneserver"
)

// orphanGrace is how long a worker that was told to end waits to learn whether
// its supervisor is gone.
const orphanGrace = 300 * time.Millisecond

// serveOptions are serve's flags.
type serveOptions struct {
	debug bool
	log   logOptions
}

func serveFlags() (*flag.FlagSet, *serveOptions) {
	o := &serveOptions{}
	f := newFlags("serve")
	f.BoolVar(&o.debug, "debug", false, "print where this worker waits, for supervisor --adopt; the other flags go with it")
	o.log.flags(f)
	return f, o
}

// serve is the phone under a supervisor.
func serve(ctx context.Context, e Edges, args []string) error {
	f, o := serveFlags()
	if asked, err := parse(f, args); err != nil || asked {
		return helpOr(e, err)
	}
	if err := o.log.check(); err != nil {
		return err
	}
	// One phone's work fits one core, and its 20 ms clock is steadier so.
	runtime.GOMAXPROCS(1)
	if o.debug {
		return await(ctx, e, o)
	}
	if f.NFlag() > 0 {
		return invalid(errors.New("the flags of serve go with --debug: else the supervisor says how much is logged"))
	}
	level, _ := e.Environ.Lookup(phonewire.LogLevelKey)
	log := hclog.New(&hclog.LoggerOptions{Output: e.Stderr, Level: hclog.LevelFromString(level), JSONFormat: true})
	// SIGHUP is what the kernel sends, with SIGCONT, to a worker that stood
	// still when its supervisor was killed (setpgid(2), orphaned groups).
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, abandoned := context.WithCancel(ctx)
	defer abandoned()
	orphaned := make(chan struct{})
	go func() {
		// Our standard input is a pipe that the supervisor alone holds
		// open: its end means that the supervisor is gone.
		_, _ = io.Copy(io.Discard, e.Stdin)
		close(orphaned)
		abandoned()
	}()
	p := handset.New("Ringmaster/"+e.Version, log)
	defer p.Close()
	err := phoneserver.Serve(leaving(ctx, p), p, phoneserver.Options{Version: e.Version, Log: log})
	if err != nil {
		return cannot(err)
	}
	if ctx.Err() != nil {
		// A supervisor that is killed ends thread by thread: its signal may
		// come some time before the end of our standard input.
		grace := time.NewTimer(orphanGrace)
		defer grace.Stop()
		select {
		case <-orphaned:
			phoneserver.RemoveFolder()
		case <-grace.C:
		}
	}
	return nil
}

// await is the phone that a supervisor adopts. It leaves when that supervisor
// is gone, or by a signal; standard input is the debugger's.
func await(ctx context.Context, e Edges, o *serveOptions) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	ctx, abandoned := context.WithCancel(ctx)
	defer abandoned()
	log := o.log.logger(e.Stderr)
	p := handset.New("Ringmaster/"+e.Version, log)
	defer p.Close()
	waiting := func(r phonewire.Reattach) {
		line, _ := json.Marshal(r) // plain values
		fmt.Fprintf(e.Stdout, "%s\n", line)
		fmt.Fprintf(e.Stderr, "phoneworker: waiting to be adopted as phone a, say, by: supervisor --adopt a='%s'\n", line)
	}
	err := phoneserver.Await(leaving(ctx, p), p, phoneserver.Options{Version: e.Version, Log: log}, e.TempDir, waiting, abandoned)
	if err != nil {
		return cannot(err)
	}
	return nil
}

// leaving gives a context that ends after ctx, when the phone has left in
// order.
func leaving(ctx context.Context, p phone.Phone) context.Context {
	left, done := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		defer done()
		bye, cancel := context.WithTimeout(left, leaveWithin)
		defer cancel()
		_ = p.Shutdown(bye, phone.Shutdown{HangupCalls: true}) // it is over either way
	})
	return left
}
