package phone

import "context"

// Phone is one worker, wherever it runs: in this process, or behind gRPC. One
// contract suite (tests/contract) holds for every implementation.
//
// Every method may be called from any goroutine. An error is an *Error, or
// comes from the context.
type Phone interface {
	// Configure makes the phone: it binds the socket, starts registering
	// when asked to, and returns. It succeeds once per Phone; a port in use
	// is an error of kind Precondition that names the port.
	Configure(ctx context.Context, c Configuration) (Configured, error)

	// Do performs one command and answers when the matter is decided.
	Do(ctx context.Context, cmd Command) (Outcome, error)

	// Begin gives one command and returns when the phone has taken it: what
	// is begun after that comes after it. The Pending, which is to be called
	// once, gives what Do would return. ctx bounds both.
	Begin(ctx context.Context, cmd Command) (Pending, error)

	// Watch calls each for every journal entry after the given sequence
	// number, oldest first, until ctx ends, each fails or the phone is
	// gone. Entries that were overwritten come as one Gap.
	Watch(ctx context.Context, after uint64, each func(Entry) error) error

	// Health answers from the phone's loop: no answer means it hangs.
	Health(ctx context.Context) (Health, error)

	// Shutdown ends the phone in order: calls, registration, files, socket.
	// It returns when all of that is done or ctx ends.
	Shutdown(ctx context.Context, s Shutdown) error
}

// Pending waits until the matter of a command is decided.
type Pending func() (Outcome, error)

// Health is a sign of life.
type Health struct {
	LastSeq     uint64 // newest journal entry
	ActiveCalls int
}

// Shutdown says how to leave.
type Shutdown struct {
	// HangupCalls sends BYE or CANCEL on every call, as drop_phone's
	// hangup_calls; false leaves the far ends to find out.
	HangupCalls bool
}
