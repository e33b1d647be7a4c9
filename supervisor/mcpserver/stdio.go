package mcpserver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

const (
	lineBound    = 16 << 20 // bytes of one message
	requestBound = 1024     // requests at work at a time
	// When the client has closed its end: how long the calls that it still
	// asked for may go on, how long they may take to end then, and how long
	// their answers may take to be read. Together they leave the phones time
	// to leave in order within 3 s.
	lastCalls   = 250 * time.Millisecond
	lastEnds    = 100 * time.Millisecond
	lastAnswers = 100 * time.Millisecond
)

// mcp-go's own stdio server is not used: its session is a package variable,
// its writer is waited for by whoever answers, a cancelled call is answered
// all the same, and calls in its queue are lost when stdin closes.

// ServeStdio speaks MCP, a message a line, until in ends, out cannot be written
// to, or ctx ends; all of them return nil. in and out are closed where they can be, to end the goroutines
// that wait for them.
func (s *Server) ServeStdio(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c := &stdio{server: s, session: newSession("stdio"), outbox: newOutbox(), inflight: make(map[string]*request), fail: cancel}
	if err := s.mcp.RegisterSession(ctx, c.session); err != nil {
		return fmt.Errorf("a client is served already: %w", err)
	}
	defer s.mcp.UnregisterSession(context.WithoutCancel(ctx), c.session.SessionID())

	work, stopWork := context.WithCancel(s.mcp.WithContext(context.WithoutCancel(ctx), c.session))
	defer stopWork()
	stopPump, pumped := make(chan struct{}), make(chan struct{})
	go func() {
		if err := c.outbox.write(out); err != nil {
			cancel(err) // the client is gone
		}
	}()
	go func() { defer close(pumped); c.pump(stopPump) }()
	read := make(chan error, 1)
	go func() { read <- c.read(work, in) }()

	var err error
	select {
	case err = <-read:
		within(lastCalls, c.idle())
	case <-ctx.Done():
		if cause := context.Cause(ctx); errors.Is(cause, ErrStalled) {
			err = cause
		}
	}
	stopWork()
	within(lastEnds, c.idle())
	close(stopPump)
	<-pumped
	c.outbox.close()
	within(lastAnswers, c.outbox.written)
	closeIfPossible(in)
	closeIfPossible(out)
	return err
}

// stdio is one connection.
type stdio struct {
	server  *Server
	session *session
	outbox  *outbox
	fail    context.CancelCauseFunc

	mu       sync.Mutex
	inflight map[string]*request // by the JSON of the id
	leaving  bool                // no request begins any more
	working  sync.WaitGroup
}

type request struct {
	cancel    context.CancelFunc
	cancelled bool // by the client, who wants no answer then
}

// message is as much of a JSON-RPC message as the transport looks at.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		RequestID json.RawMessage `json:"requestId"`
	} `json:"params"`
}

// read takes messages until in ends.
func (c *stdio) read(ctx context.Context, in io.Reader) error {
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := readLine(r)
		if errors.Is(err, errTooLong) {
			c.answer(mcp.NewJSONRPCError(mcp.NewRequestId(nil), mcp.INVALID_REQUEST, "a message is longer than 16 MiB", nil))
			continue
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			c.dispatch(ctx, line)
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("stdin cannot be read any more: %w", err)
		}
	}
}

var errTooLong = errors.New("line too long")

// readLine reads one line, which is the caller's. Of one that is too long it
// keeps nothing.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	tooLong := false
	for {
		part, err := r.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > lineBound; tooLong {
			line = nil
		} else {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if tooLong && err == nil {
			return nil, errTooLong
		}
		return line, err
	}
}

// dispatch handles one message. What is short is done here, in the order in
// which it came; calls get a goroutine each.
func (c *stdio) dispatch(ctx context.Context, line []byte) {
	var m message
	if json.Unmarshal(line, &m) != nil || len(m.ID) == 0 || string(m.ID) == "null" {
		if m.Method == string(mcp.MethodNotificationCancelled) {
			c.cancel(m.Params.RequestID)
			return
		}
		if response := c.server.mcp.HandleMessage(ctx, line); response != nil {
			c.answer(response)
		}
		return
	}
	short := []mcp.MCPMethod{mcp.MethodInitialize, mcp.MethodPing, mcp.MethodServerDiscover}
	if slices.Contains(short, mcp.MCPMethod(m.Method)) {
		c.answer(c.server.mcp.HandleMessage(ctx, line))
		return
	}
	ctx, request, ok := c.begin(ctx, m.ID)
	if !ok {
		c.answer(mcp.NewJSONRPCError(requestID(m.ID), mcp.INTERNAL_ERROR, fmt.Sprintf("%d requests are at work: wait for some to be answered", requestBound), nil))
		return
	}
	go func() {
		defer c.end(m.ID, request)
		c.awaitReady(ctx)
		response := c.server.mcp.HandleMessage(ctx, line)
		if response != nil && !c.unwanted(request) {
			c.answer(response)
		}
	}()
}

func requestID(raw json.RawMessage) mcp.RequestId {
	var id any
	if json.Unmarshal(raw, &id) != nil {
		return mcp.NewRequestId(nil)
	}
	return mcp.NewRequestId(id)
}

// awaitReady waits until the phones of the profile are there. A call that is
// cancelled meanwhile is left to its handler.
func (c *stdio) awaitReady(ctx context.Context) {
	if c.server.o.Ready == nil {
		return
	}
	select {
	case <-c.server.o.Ready:
	case <-ctx.Done():
	}
}

func (c *stdio) begin(ctx context.Context, id json.RawMessage) (context.Context, *request, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leaving || len(c.inflight) >= requestBound {
		return nil, nil, false
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &request{cancel: cancel}
	c.inflight[string(id)] = r
	c.working.Add(1)
	return ctx, r, true
}

func (c *stdio) end(id json.RawMessage, r *request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.cancel()
	if c.inflight[string(id)] == r {
		delete(c.inflight, string(id))
	}
	c.working.Done()
}

// cancel ends a request that the client does not want any more.
func (c *stdio) cancel(id json.RawMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.inflight[string(id)]; r != nil {
		r.cancelled = true
		r.cancel()
	}
}

func (c *stdio) unwanted(r *request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return r.cancelled
}

// idle lets no request begin any more; what it returns is closed when none is
// at work.
func (c *stdio) idle() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaving = true
	done := make(chan struct{})
	go func() { c.working.Wait(); close(done) }()
	return done
}

// answerKey marks an answer among the notifications.
const answerKey = "ringmaster.answer"

// answer sends a response by the way of the notifications, so that those sent
// before it leave before it: a list_changed before the answer of add_phone,
// the last progress before the result.
func (c *stdio) answer(response mcp.JSONRPCMessage) {
	c.session.notices <- mcp.JSONRPCNotification{Notification: mcp.Notification{
		Params: mcp.NotificationParams{AdditionalFields: map[string]any{answerKey: response}},
	}}
}

// pump takes notifications and answers to the outbox, until it is told to stop
// and nothing is left.
func (c *stdio) pump(stop <-chan struct{}) {
	for {
		select {
		case n := <-c.session.notices:
			c.send(n)
		case <-stop:
			for {
				select {
				case n := <-c.session.notices:
					c.send(n)
				default:
					return
				}
			}
		}
	}
}

func (c *stdio) send(n mcp.JSONRPCNotification) {
	var v any = n
	if response, ok := n.Params.AdditionalFields[answerKey]; ok {
		v = response
	}
	line, err := json.Marshal(v)
	if err != nil {
		c.server.o.Log.Error("an MCP message cannot be written", "error", err)
		return
	}
	if err := c.outbox.put(append(line, '\n')); err != nil {
		c.fail(err)
	}
}

// within waits for done, but no longer than d.
func within(d time.Duration, done <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

func closeIfPossible(v any) {
	if closer, ok := v.(io.Closer); ok {
		_ = closer.Close() // it is only to wake whoever waits
	}
}
