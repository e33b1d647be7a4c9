// Package fakeworker is a worker with a phone that makes no real calls, and
// that misbehaves on request. In a process it tests those who run workers; in
// memory it is the reference for the contract of phone.Phone.
package fakeworker

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"ringmaster/proto/phone"
	"ringmaster/proto/phonewire"
	"ringmaster/worker/phoneserver"
)

// Word makes a test binary a fake worker when it is its first argument; see
// Main.
const Word = "fakeworker"

// Main lets a test binary serve as the worker program: called first in its
// TestMain, it runs the fake worker and ends the process when the arguments
// are Word and flags (see Knobs), and returns otherwise.
func Main() {
	if len(os.Args) > 1 && os.Args[1] == Word {
		os.Exit(run(os.Args[2:], os.Stdin, os.Stderr))
	}
}

// Args are the arguments that make Main run with the given flags.
func Args(flags ...string) []string { return slices.Concat([]string{Word}, flags) }

// Environ is this process's environment for such a worker. A binary built with
// the race detector would sleep for a second at its end.
func Environ() []string { return append(os.Environ(), "GORACE=atexit_sleep_ms=0") }

// run is the program: it ends when the supervisor asks for it, when standard
// input does, or on SIGTERM.
func run(args []string, stdin io.Reader, stderr io.Writer) int {
	k, err := parse(args, stderr)
	if err != nil {
		return 2
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	go endWhen(func() { <-signals }, k.IgnoreSIGTERM, cancel)
	go endWhen(func() { _, _ = io.Copy(io.Discard, stdin) }, k.IgnoreStdin, cancel)
	switch {
	case k.ExitEarly:
		_, _ = fmt.Fprintln(stderr, "ending before the handshake, as told")
		return 4
	case k.StallHandshake:
		<-ctx.Done()
		return 0
	}
	log := hclog.New(&hclog.LoggerOptions{Output: stderr, JSONFormat: true, Level: hclog.Info})
	p := New(k)
	p.die = func() {
		_, _ = fmt.Fprintln(stderr, "dying as told")
		os.Exit(3)
	}
	err = phoneserver.Serve(ctx, p, phoneserver.Options{Version: k.Version, Log: log})
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	end, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	_ = p.Shutdown(end, phone.Shutdown{HangupCalls: true})
	return 0
}

// endWhen calls end when wait has returned, unless that is to be ignored.
func endWhen(wait func(), ignored bool, end func()) {
	if wait(); !ignored {
		end()
	}
}

// Await lets p, in this process, wait to be adopted by a supervisor; see
// phoneserver.Await.
func Await(ctx context.Context, p phone.Phone, version string, waiting func(phonewire.Reattach), gone func()) error {
	return phoneserver.Await(ctx, p, phoneserver.Options{Version: version}, "", waiting, gone)
}
