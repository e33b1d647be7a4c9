package mcpclient

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Notification is a message of the server that answers nothing.
type Notification struct {
	Method string
	Params json.RawMessage
}

// RPCError is a JSON-RPC error response.
type RPCError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *RPCError) Error() string { return fmt.Sprintf("JSON-RPC error %d: %s", e.Code, e.Message) }

// errEnded is what waiting requests get when the server's stdout ends.
var errEnded = errors.New("the server's stdout ended")

// connection pairs requests with responses over a stream of JSON lines.
type connection struct {
	writing sync.Mutex // held while a line is written, and nothing else is
	out     io.Writer

	mu            sync.Mutex
	lastID        int64
	waiting       map[int64]chan response
	notifications []Notification
	news          chan struct{} // replaced and closed with every notification
	fault         error         // first thing that was no JSON-RPC, or errEnded
}

type response struct {
	Result json.RawMessage
	Error  error
}

func newConnection(out io.Writer) *connection {
	return &connection{out: out, waiting: map[int64]chan response{}, news: make(chan struct{})}
}

// request sends a request and returns where its response will come.
func (c *connection) request(method string, params any) (<-chan response, error) {
	id, answer, err := c.expect()
	if err != nil {
		return nil, err
	}
	return answer, c.write(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

func (c *connection) expect() (int64, <-chan response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault != nil {
		return 0, nil, c.fault
	}
	c.lastID++
	ch := make(chan response, 1) // the reader never waits for us
	c.waiting[c.lastID] = ch
	return c.lastID, ch, nil
}

func (c *connection) notify(method string, params any) error {
	return c.write(map[string]any{"jsonrpc": "2.0", "method": method, "params": params})
}

func (c *connection) write(message any) error {
	line, err := json.Marshal(message)
	if err != nil {
		return err
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err = c.out.Write(append(line, '\n'))
	return err
}

// read takes the server's lines until they end.
func (c *connection) read(in io.Reader) {
	r := bufio.NewReader(in)
	for {
		line, err := r.ReadBytes('\n')
		if len(line) > 0 {
			c.take(line)
		}
		if err != nil {
			c.end(errEnded)
			return
		}
	}
}

// take handles one line. stdout is MCP and nothing else: anything that is no
// JSON-RPC message is a fault that the test reports.
func (c *connection) take(line []byte) {
	var m struct {
		Version string          `json:"jsonrpc"`
		ID      *int64          `json:"id"`
		Method  string          `json:"method"`
		Params  json.RawMessage `json:"params"`
		Result  json.RawMessage `json:"result"`
		Error   *RPCError       `json:"error"`
	}
	if err := json.Unmarshal(line, &m); err != nil || m.Version != "2.0" {
		c.end(fmt.Errorf("stdout carries a line that is no JSON-RPC message: %.200q", line))
		return
	}
	if m.Method != "" && m.ID != nil { // a request of the server: this client offers nothing
		// A server that is gone cannot be told; its stream ends as well.
		_ = c.write(map[string]any{"jsonrpc": "2.0", "id": *m.ID, "error": RPCError{Code: -32601, Message: "method not found"}})
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case m.Method != "":
		c.notifications = append(c.notifications, Notification{m.Method, m.Params})
		close(c.news)
		c.news = make(chan struct{})
	case m.ID != nil && c.waiting[*m.ID] != nil:
		r := response{Result: m.Result}
		if m.Error != nil {
			r.Error = m.Error
		}
		c.waiting[*m.ID] <- r
		delete(c.waiting, *m.ID)
	}
}

// end fails every request that waits and every later one; the first reason
// stays.
func (c *connection) end(reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault == nil {
		c.fault = reason
	}
	for id, ch := range c.waiting {
		ch <- response{Error: c.fault}
		delete(c.waiting, id)
	}
	close(c.news)
	c.news = make(chan struct{})
}

// since returns the notifications after the first n, and a channel that is
// closed when there is another.
func (c *connection) since(n int) ([]Notification, <-chan struct{}, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Notification(nil), c.notifications[min(n, len(c.notifications)):]...), c.news, c.fault
}
