package phoneproc

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"ringmaster/proto/phone"
	pb "ringmaster/proto/phonev1"
	"ringmaster/proto/phonewire"
)

// Limits of a worker's last moments.
const (
	// lostGrace is how long a worker may live on after its connection broke.
	lostGrace = 100 * time.Millisecond
	// drainGrace bounds the wait for the last journal entries after Shutdown.
	drainGrace = 300 * time.Millisecond
	// exitGrace bounds the wait for the process to exit when asked to.
	exitGrace = 500 * time.Millisecond
)

// Worker is a phone in a process of its own. After its process is gone every
// method fails with ErrWorkerGone.
//
// Shutdown asks the phone to end, until ctx does, then the process, which gets
// half a second, and kills what does not. When it returns, whatever the error,
// the process and its children are gone; without an error every Watch has
// delivered what the phone still had to say.
type Worker interface {
	phone.Phone

	// PID is the process's number.
	PID() int
	// Gone is closed when the process is dead and reaped, its children
	// killed and its sockets free again.
	Gone() <-chan struct{}
	// Exit says how it ended. Before Gone it is the zero value.
	Exit() Exit
	// Kill takes the process and its children down without asking and
	// returns when they are gone.
	Kill()
	// Adopted reports that somebody else started the process, under a
	// debugger for example: it may stand still for as long as that takes.
	// Kill and Shutdown let go of it instead of ending it: it is gone as far
	// as this server can tell.
	Adopted() bool
}

// body is what a worker runs in.
type body interface {
	// pid is the process's number.
	pid() int
	// gone is closed when the worker can never be reached again.
	gone() <-chan struct{}
	// end says how that came about; valid once it has.
	end() Exit
	// kill sees to it that gone is closed soon.
	kill()
}

// client is the way to the worker; Kill asks it to end, where that is our
// matter, and cleans up after it.
type client interface{ Kill() }

type worker struct {
	id      phone.ID
	body    body
	client  client
	rpc     pb.PhoneServiceClient
	watches activity

	leaving sync.Once
	leave   chan struct{} // closed when the process is asked to end
}

func newWorker(id phone.ID, b body, client client, rpc pb.PhoneServiceClient) *worker {
	return &worker{id: id, body: b, client: client, rpc: rpc, leave: make(chan struct{})}
}

// version is that of the worker's program.
func (w *worker) version(ctx context.Context) (string, error) {
	hello, err := w.rpc.Hello(ctx, &pb.HelloRequest{})
	return hello.GetProgramVersion(), err
}

// attend waits for the process's end, kills it when ctx ends, or asks it to
// end when it is to leave, and tidies up after it: the connection, its
// goroutines, its socket. go-plugin has no limit of its own for some of that,
// so nobody else waits for it.
func (w *worker) attend(ctx context.Context) {
	select {
	case <-w.body.gone():
	case <-w.leave:
	case <-ctx.Done():
		w.Kill()
	}
	w.client.Kill()
}

func (w *worker) PID() int { return w.body.pid() }

func (w *worker) Gone() <-chan struct{} { return w.body.gone() }

func (w *worker) Adopted() bool {
	_, adopted := w.body.(*adoption)
	return adopted
}

func (w *worker) Exit() Exit {
	select {
	case <-w.body.gone():
		return w.body.end()
	default:
		return Exit{}
	}
}

func (w *worker) Kill() {
	w.body.kill()
	<-w.body.gone()
}

func (w *worker) Configure(ctx context.Context, c phone.Configuration) (phone.Configured, error) {
	m, err := w.rpc.Configure(ctx, phonewire.ConfigurationToWire(c))
	if err != nil {
		return phone.Configured{}, w.failed(ctx, err)
	}
	return phonewire.ConfiguredFromWire(m), nil
}

func (w *worker) Do(ctx context.Context, cmd phone.Command) (phone.Outcome, error) {
	request, err := phonewire.CommandToWire(cmd)
	if err != nil {
		return phone.Outcome{}, phone.Errorf(phone.Internal, "%v", err)
	}
	m, err := w.rpc.Do(ctx, request)
	if err != nil {
		return phone.Outcome{}, w.failed(ctx, err)
	}
	return phonewire.OutcomeFromWire(m), nil
}

func (w *worker) Begin(ctx context.Context, cmd phone.Command) (phone.Pending, error) {
	request, err := phonewire.CommandToWire(cmd)
	if err != nil {
		return nil, phone.Errorf(phone.Internal, "%v", err)
	}
	streamCtx, free := context.WithCancel(ctx)
	stream, err := w.rpc.Begin(streamCtx, request)
	if err == nil {
		_, err = stream.Recv()
	}
	if err != nil {
		free()
		return nil, w.failed(ctx, err)
	}
	return func() (phone.Outcome, error) {
		defer free()
		m, err := stream.Recv()
		if err != nil {
			return phone.Outcome{}, w.failed(ctx, err)
		}
		return phonewire.OutcomeFromWire(m.GetOutcome()), nil
	}, nil
}

func (w *worker) Watch(ctx context.Context, after uint64, each func(phone.Entry) error) error {
	w.watches.begin()
	defer w.watches.end()
	streamCtx, cancel := context.WithCancel(ctx)
	defer cancel() // frees the stream when each fails
	stream, err := w.rpc.Watch(streamCtx, &pb.WatchRequest{After: after})
	if err != nil {
		return w.failed(ctx, err)
	}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return w.failed(ctx, err)
		}
		e, err := phonewire.EntryFromWire(m)
		if err != nil {
			return phone.Errorf(phone.Internal, "%v", err)
		}
		if err := each(e); err != nil {
			return err
		}
	}
}

func (w *worker) Health(ctx context.Context) (phone.Health, error) {
	m, err := w.rpc.Health(ctx, &pb.HealthRequest{})
	if err != nil {
		return phone.Health{}, w.failed(ctx, err)
	}
	return phonewire.HealthFromWire(m), nil
}

func (w *worker) Shutdown(ctx context.Context, s phone.Shutdown) error {
	_, err := w.rpc.Shutdown(ctx, phonewire.ShutdownToWire(s))
	if err != nil {
		err = w.failed(ctx, err) // the process may still close its files
	} else {
		w.drain(ctx)
	}
	w.leaving.Do(func() { close(w.leave) })
	exit := time.NewTimer(exitGrace)
	defer exit.Stop()
	select {
	case <-w.body.gone():
	case <-exit.C:
		w.Kill()
	}
	return err
}

// drain lets every Watch deliver what is left.
func (w *worker) drain(ctx context.Context) {
	limit := time.NewTimer(drainGrace)
	defer limit.Stop()
	select {
	case <-w.watches.idle():
	case <-limit.C:
	case <-ctx.Done():
	}
}

// failed makes of a gRPC error what a phone.Phone may return. When the
// connection broke it waits for the process to be gone, so that the error can
// say why, and makes sure that it is.
func (w *worker) failed(ctx context.Context, err error) error {
	lost, phoneErr := phonewire.ErrorFromWire(err)
	isContext := errors.Is(phoneErr, context.Canceled) || errors.Is(phoneErr, context.DeadlineExceeded)
	if !lost && !isContext {
		return phoneErr
	}
	grace := time.NewTimer(lostGrace)
	defer grace.Stop()
	select {
	case <-w.body.gone():
	case <-ctx.Done():
		return ctx.Err()
	case <-grace.C:
		if !lost {
			return phone.Errorf(phone.Internal, "phone %q gave up: %v", w.id, phoneErr)
		}
		w.Kill()
	}
	return gone(w.id, w.body.end())
}
