package phoneproc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"ringmaster/proto/phone"
	pb "ringmaster/proto/phonev1"
	"ringmaster/proto/phonewire"
)

// adoption is the body of a worker that somebody else started. All that this
// server has of it is a connection; the process itself is not touched.
type adoption struct {
	process int // its number
	socket  net.Conn
	conn    *grpc.ClientConn // on socket
	letGo   sync.Once
	done    chan struct{}
	exit    Exit // valid after done
}

// adopt connects to the worker that waits for the phone; waits is false when
// there is none. A worker can be adopted once: it ends when it is let go of,
// and the phone then gets workers of the server's own.
func (s *Starter) adopt(ctx context.Context, id phone.ID) (w *worker, waits bool, err error) {
	s.mu.Lock()
	r, waits := s.waiting[id]
	s.mu.Unlock()
	if !waits {
		return nil, false, nil
	}
	w, err = s.reattach(ctx, id, r)
	if err != nil {
		return nil, true, fmt.Errorf("process %d at %s cannot be adopted (start it again, and the supervisor with the line that it prints): %w", r.Pid, r.Addr.String, err)
	}
	s.mu.Lock()
	delete(s.waiting, id)
	s.mu.Unlock()
	s.o.Log.Info("a worker is adopted: it may stand still, and is never killed", "phone_id", id, "pid", r.Pid)
	return w, true, nil
}

// reattach may take as long as ctx lets it: the worker may stand still. It
// speaks to go-plugin's server without go-plugin's client, which has no way to
// stop waiting for an answer and none to let go.
func (s *Starter) reattach(ctx context.Context, id phone.ID, r phonewire.Reattach) (*worker, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.ctx, func() { cancel(errClosed) })()
	conn, err := (&net.Dialer{}).DialContext(ctx, r.Addr.Network, r.Addr.String)
	if err != nil {
		return nil, fmt.Errorf("nobody is there: %w", err)
	}
	a, err := newAdoption(r.Pid, conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	w := newWorker(id, a, a, pb.NewPhoneServiceClient(a.conn))
	version, err := w.version(ctx)
	if err != nil {
		a.kill()
		return nil, err
	}
	if err := phonewire.CheckVersion(s.o.Version, version); err != nil {
		// Who debugs builds anew.
		s.o.Log.Warn("the adopted worker is of another build", "phone_id", id, "error", err)
	}
	return w, nil
}

// newAdoption speaks gRPC on one connection, whose end is the end of the
// adoption.
func newAdoption(pid int, conn net.Conn) (*adoption, error) {
	once := make(chan net.Conn, 1)
	once <- conn
	client, err := grpc.NewClient("passthrough:worker",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithIdleTimeout(0),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			select {
			case c := <-once:
				return c, nil
			default:
				return nil, errors.New("the worker was let go of")
			}
		}))
	if err != nil {
		return nil, err
	}
	return &adoption{process: pid, socket: conn, conn: client, done: make(chan struct{})}, nil
}

func (a *adoption) pid() int { return a.process }

func (a *adoption) gone() <-chan struct{} { return a.done }

func (a *adoption) end() Exit { return a.exit }

// kill lets go: the worker sees the end of the connection and leaves, as soon
// as it can.
func (a *adoption) kill() {
	a.letGo.Do(func() {
		a.conn.Close()
		a.socket.Close() // gRPC may not have taken it yet
		a.exit.Status = "adopted, and let go of"
		if errors.Is(syscall.Kill(a.process, 0), syscall.ESRCH) {
			a.exit.Status = "adopted, and ended"
		}
		close(a.done)
	})
}

// Kill is kill, where a worker has go-plugin's client to clean up after it.
func (a *adoption) Kill() { a.kill() }
