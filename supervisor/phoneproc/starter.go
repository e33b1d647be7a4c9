// Package phoneproc runs a phone in a process of its own: it starts the worker
// program, speaks to it over gRPC, notices its death, and takes it down.
//
//	Starter.Start ──exec──► worker      stdin:  a pipe that ends when we do
//	     │                    │         stderr: the log; its tail is kept for Exit
//	   Worker ◄──unix socket──┘         socket: in a folder that only we can enter
package phoneproc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"ringmaster/proto/phone"
	pb "ringmaster/proto/phonev1"
	"ringmaster/proto/phonewire"
)

// socketDirMax is how long the folder for sockets may be: a socket's path has
// 107 bytes (unix(7)), and go-plugin adds "/plugin-dirNNNNNNNNNN/pluginNNNNNNNNNN".
const socketDirMax = 107 - len("/plugin-dir4294967295/plugin4294967295")

// killed is the status of a process that was killed, by go-plugin for example
// because it does not understand it.
const killed = "signal: killed"

var errClosed = errors.New("no worker can be started any more: the server is ending")

// Options say how workers are started.
type Options struct {
	// Path of the worker program, and its arguments.
	Path string
	Args []string
	// Version of this program; a worker of another one is refused.
	Version string
	// Environ is this process's environment ("NAME=value"). A worker gets
	// only what a short list of names allows of it, so that no secret
	// travels.
	Environ []string
	// TempDir is where the folder for sockets is made; "" means os.TempDir.
	TempDir string
	// Adopt are workers that somebody else started, each for a phone; they
	// wait for us. A phone that has none gets one of Path.
	Adopt map[phone.ID]phonewire.Reattach
	// StartTimeout bounds the time to the handshake; 0 means 10 s.
	StartTimeout time.Duration
	// Log gets the workers' logs, each named after its phone; its level is
	// theirs. It must not write to a standard output that carries MCP. nil logs nothing.
	Log hclog.Logger
}

// Starter starts workers. Its methods may be called from any goroutine.
type Starter struct {
	o       Options
	dir     string   // of the sockets
	lock    *os.File // says that dir is in use
	spawner *spawner
	stdinR  *os.File // standard input of every worker
	stdinW  *os.File // held open by this process alone: its end tells workers of our death
	// ctx ends when every worker is to be gone.
	ctx    context.Context //nolint:containedctx // the starter's life, not a request's
	cancel context.CancelFunc

	mu      sync.Mutex
	closed  bool
	waiting map[phone.ID]phonewire.Reattach // to be adopted
	open    sync.WaitGroup                  // workers and starts under way
}

// New prepares for starting workers, and removes what supervisors that were
// killed have left behind. Close must be called.
func New(o Options) (*Starter, error) {
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	if o.StartTimeout == 0 {
		o.StartTimeout = 10 * time.Second
	}
	sweep(o.TempDir)
	dir, lock, err := makeDir(o.TempDir)
	if err != nil {
		return nil, fmt.Errorf("no folder for the workers' sockets (set TMPDIR to one that can be written to): %w", err)
	}
	discard := func() {
		_ = os.RemoveAll(dir) // just made
		_ = lock.Close()
	}
	if len(dir) > socketDirMax {
		discard()
		return nil, fmt.Errorf("the path of the folder for the workers' sockets, %s, is too long for a unix socket: set TMPDIR to a path of at most %d bytes",
			dir, socketDirMax-len("/rm-4294967295"))
	}
	r, w, err := os.Pipe()
	if err != nil {
		discard()
		return nil, fmt.Errorf("no pipe for the workers' standard input: %w", err)
	}
	s := &Starter{o: o, dir: dir, lock: lock, spawner: newSpawner(), stdinR: r, stdinW: w, waiting: maps.Clone(o.Adopt)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Close kills every worker that is left, at once and without asking, and
// returns when all are gone and their sockets removed. Closing twice is fine.
func (s *Starter) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()

	s.cancel()
	s.open.Wait()
	s.spawner.close()
	return errors.Join(s.stdinW.Close(), s.stdinR.Close(), os.RemoveAll(s.dir), s.lock.Close())
}

// begin counts a worker that Close has to wait for.
func (s *Starter) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.open.Add(1)
	return nil
}

// Start starts a worker for the phone, or adopts the one that waits for it,
// and waits for its handshake. After an error, or when ctx ends before, no
// process is left but one that somebody else started.
func (s *Starter) Start(ctx context.Context, id phone.ID) (Worker, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	w, adopted, err := s.adopt(ctx, id)
	if !adopted {
		w, err = s.start(ctx, id)
	}
	if err != nil {
		s.open.Done()
		return nil, fmt.Errorf("the worker of phone %q did not start: %w", id, err)
	}
	go func() {
		defer s.open.Done()
		w.attend(s.ctx)
	}()
	return w, nil
}

func (s *Starter) start(ctx context.Context, id phone.ID) (*worker, error) {
	if _, err := exec.LookPath(s.o.Path); err != nil {
		advice := "install phoneworker beside the supervisor, or name it with --worker"
		if errors.Is(err, fs.ErrPermission) {
			advice = "make it executable (chmod +x), or name another with --worker"
		}
		return nil, fmt.Errorf("the worker program %s cannot be run (%w): %s", s.o.Path, reason(err), advice)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.ctx, func() { cancel(errClosed) })()
	ctx, stop := context.WithTimeoutCause(ctx, s.o.StartTimeout, fmt.Errorf("it gave no sign of life within %v", s.o.StartTimeout))
	defer stop()

	cmd := exec.Command(s.o.Path, s.o.Args...)
	cmd.Stdin = s.stdinR
	p := newProcess(cmd, s.spawner)
	keep := context.AfterFunc(ctx, p.kill)
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  phonewire.Handshake(),
		Plugins:          plugin.PluginSet{phonewire.PluginName: dialer{}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		SkipHostEnv:      true,
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: s.dir},
		StartTimeout:     s.o.StartTimeout + time.Second, // ctx ends before
		Logger:           quiet{s.o.Log.Named(string(id)), filepath.Base(cmd.Path)},
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, _ string) (runner.Runner, error) {
			cmd.Env = append(allowed(s.o.Environ), spec.Env...)
			cmd.Env = append(cmd.Env, phonewire.LogLevelKey+"="+s.o.Log.GetLevel().String())
			return p, nil
		},
	})
	w, err := s.connect(ctx, id, p, client)
	if err == nil && keep() {
		return w, nil
	}
	return nil, startFailed(ctx, p, client, err)
}

// reason is what exec.LookPath found, without the path that it repeats.
func reason(err error) error {
	var of *exec.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return err
}

// connect starts the process and greets it.
func (s *Starter) connect(ctx context.Context, id phone.ID, p *process, client *plugin.Client) (*worker, error) {
	protocol, err := client.Client()
	if err != nil {
		return nil, err
	}
	conn, err := protocol.Dispense(phonewire.PluginName)
	if err != nil {
		return nil, err
	}
	w := newWorker(id, p, client, pb.NewPhoneServiceClient(conn.(*grpc.ClientConn)))
	version, err := w.version(ctx)
	if err == nil {
		err = phonewire.CheckVersion(s.o.Version, version)
	}
	return w, err
}

// startFailed takes down what there is of a worker and says what happened.
func startFailed(ctx context.Context, p *process, client *plugin.Client, err error) error {
	if !p.started() {
		return cmp.Or(context.Cause(ctx), err)
	}
	crashed := false
	grace := time.NewTimer(lostGrace)
	defer grace.Stop()
	select { // the end of its standard output is seen a moment before its own
	case <-p.ended:
		crashed = ctx.Err() == nil
	case <-grace.C:
	case <-ctx.Done():
	}
	p.kill()
	<-p.done
	client.Kill()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case strings.Contains(err.Error(), "Unrecognized remote plugin message") && !strings.Contains(err.Error(), "Failed to read any lines") && p.exit.Status == killed:
		return errors.New("the worker program is no phoneworker: it does not say hello as one does")
	case crashed:
		return fmt.Errorf("it ended before it was ready (%s)", p.exit)
	case strings.Contains(err.Error(), "incompatible API version"):
		return fmt.Errorf("it speaks another version of the protocol than this supervisor, install both programs from the same build: %w", err)
	}
	return err
}

// dialer gives us the connection that go-plugin made.
type dialer struct{ plugin.NetRPCUnsupportedPlugin }

func (dialer) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("a supervisor uses phones, it does not serve one")
}

func (dialer) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

// allowedNames are the variables that a worker gets: what finding tcpdump,
// resolving names, making files and debugging Go programs need.
func allowedNames() []string {
	return []string{"PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL", "GODEBUG", "GOTRACEBACK", "GORACE", "GOCOVERDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"}
}

func allowed(environ []string) []string {
	names := allowedNames()
	var out []string
	for _, variable := range environ {
		if name, _, _ := strings.Cut(variable, "="); slices.Contains(names, name) {
			out = append(out, variable)
		}
	}
	return out
}
