package phoneserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	"ringmaster/proto/phone"
	"ringmaster/proto/phonewire"
)

// Await serves p to a supervisor that adopts this process, which a person
// started, under a debugger for example. waiting is called once, with what the
// supervisor has to be told; gone when the supervisor's connection has ended,
// by its will or its death. Standard output and standard error stay as they
// are. Await returns when ctx ends.
//
// The socket lies in a folder below tempDir that only this user can enter, and
// is removed with it.
func Await(ctx context.Context, p phone.Phone, o Options, tempDir string, waiting func(phonewire.Reattach), gone func()) error {
	dir, err := os.MkdirTemp(tempDir, "rm-") // mode 0700
	if err != nil {
		return fmt.Errorf("no folder for the socket (set TMPDIR to one that can be written to): %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a folder that stays does no harm
	// The one way to tell go-plugin's server where its socket goes.
	if err := os.Setenv(plugin.EnvUnixSocketDir, dir); err != nil {
		return fmt.Errorf("no folder for the socket (set TMPDIR to one that can be written to): %w", err)
	}
	config, closed := make(chan *plugin.ReattachConfig, 1), make(chan struct{})
	go plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: phonewire.Handshake(),
		Plugins:         plugin.PluginSet{phonewire.PluginName: &served{phone: p, options: o}},
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, grpc.StatsHandler(tether{gone}), grpc.MaxRecvMsgSize(requestBound))...)
		},
		Logger: hclog.NewNullLogger(), // its words at the end are about sockets that we close
		Test:   &plugin.ServeTestConfig{Context: ctx, ReattachConfigCh: config, CloseCh: closed},
	})
	select {
	case c := <-config:
		waiting(phonewire.ReattachFromPlugin(c))
		<-closed
		return nil
	case <-closed:
		return errors.New("no socket could be opened: set TMPDIR to the short path of a folder that can be written to, such as /tmp")
	}
}

// tether notices the end of a connection on which something was asked.
type tether struct{ gone func() }

// askedKey finds, in a connection's context, whether something was.
type askedKey struct{}

// TagConn implements stats.Handler.
func (tether) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return context.WithValue(ctx, askedKey{}, new(atomic.Bool))
}

// HandleConn implements stats.Handler.
func (t tether) HandleConn(ctx context.Context, s stats.ConnStats) {
	asked, _ := ctx.Value(askedKey{}).(*atomic.Bool)
	if _, end := s.(*stats.ConnEnd); end && asked.Load() {
		t.gone()
	}
}

// TagRPC implements stats.Handler.
func (tether) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	if asked, is := ctx.Value(askedKey{}).(*atomic.Bool); is {
		asked.Store(true)
	}
	return ctx
}

// HandleRPC implements stats.Handler.
func (tether) HandleRPC(context.Context, stats.RPCStats) {}
