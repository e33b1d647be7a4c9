// Package phoneserver serves one phone over gRPC to the supervisor that
// started this process. It decides nothing: it converts, calls and converts.
package phoneserver

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"ringmaster/proto/phone"
	"ringmaster/proto/phonewire"
)

// ErrNotAWorker is returned by Serve in a process that no supervisor started.
var ErrNotAWorker = errors.New("this program was not started by a supervisor: to use a phone by hand, say run")

// requestBound is how many bytes a request may have. The longest is Configure
// with the dialogs that a dead worker has left: of 512 calls, each with an INVITE
// and a route of 64 KiB at most, for the far ends decide how long those are.
const requestBound = 128 << 20

// Options are what the service needs beside the phone.
type Options struct {
	// Version of this program; the supervisor compares it with its own.
	Version string
	// Log must write to the standard error that the process began with:
	// Serve replaces os.Stdout and os.Stderr. nil logs nothing.
	Log hclog.Logger
}

func (o Options) logger() hclog.Logger {
	if o.Log == nil {
		return hclog.NewNullLogger()
	}
	return o.Log
}

// Serve serves p until ctx ends or the supervisor asks the process to end,
// which it does after the phone's Shutdown. It does not shut p down itself:
// who ends ctx has done that before, as it has watched standard input for its
// end, which tells that the supervisor is gone.
//
// Serve writes the handshake to os.Stdout and may be called once per process:
// go-plugin leaves a few goroutines behind that end with the process.
func Serve(ctx context.Context, p phone.Phone, o Options) error {
	handshake := phonewire.Handshake()
	if os.Getenv(handshake.MagicCookieKey) != handshake.MagicCookieValue {
		return ErrNotAWorker
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake,
		Plugins:         plugin.PluginSet{phonewire.PluginName: &served{phone: p, options: o}},
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			s := grpc.NewServer(append(opts, grpc.MaxRecvMsgSize(requestBound))...)
			context.AfterFunc(ctx, s.Stop)
			return s
		},
		Logger: o.logger(),
	})
	return nil
}

// RemoveFolder removes the folder of this process's socket, and the one above
// it if it is the last there: the supervisor made both, and would remove them
// if it were not gone itself. It is called after Serve, when the supervisor is
// known to be gone. While there is the folder of another worker, which may have
// been killed and remove nothing, the lock stays: by it the next supervisor
// knows what was left behind.
func RemoveFolder() {
	dir := os.Getenv(plugin.EnvUnixSocketDir)
	if dir == "" {
		return
	}
	above := filepath.Dir(dir)
	_ = os.RemoveAll(dir) // nobody is left to be told
	if left, err := os.ReadDir(above); err == nil && len(left) == 1 && left[0].Name() == phonewire.LockName {
		_ = os.Remove(filepath.Join(above, phonewire.LockName))
		_ = os.Remove(above)
	}
}

// served is the phone as go-plugin wants to have it.
type served struct {
	plugin.NetRPCUnsupportedPlugin
	phone   phone.Phone
	options Options
}

func (s *served) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	Register(server, s.phone, s.options)
	return nil
}

func (s *served) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a worker serves a phone, it does not use one")
}
