package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// callTimeout is longer than any tool takes by contract (a REGISTER that
	// nobody answers ends after 32 s).
	callTimeout = 40 * time.Second
	// leaveTimeout is how long the server may take after its stdin is closed.
	leaveTimeout = 3 * time.Second
	// killTimeout is when a server that does not leave is killed.
	killTimeout = 15 * time.Second
	// pollEvery is how often Until looks again.
	pollEvery = 10 * time.Millisecond
)

// Options say how to run the supervisor.
type Options struct {
	Args []string // after the program's name
	Env  []string // NAME=value, beside the few variables that are passed on
	// Protocol is the revision of MCP to ask for; "" is a common one.
	Protocol string
}

// Client is one supervisor and the MCP session with it.
type Client struct {
	t          testing.TB
	cmd        *exec.Cmd
	stdin      io.WriteCloser
	conn       *connection
	stderr     string        // path of the file with what the server said
	ended      chan struct{} // closed when the process has been waited for
	waitErr    error         // of that wait; read after ended
	seen       int           // notifications that WaitNotification has passed
	Home       string
	Recordings string
	Captures   string
	// Initialized is the server's answer to initialize.
	Initialized json.RawMessage
}

// Start runs the supervisor of a folder, with home, recordings and captures in
// the test's temporary folder, and initializes the session. The test's end
// closes its stdin and requires that it leaves within 3 s with exit status 0.
func Start(t testing.TB, p Programs, o Options) *Client {
	t.Helper()
	home := t.TempDir()
	c := &Client{
		t: t, ended: make(chan struct{}), Home: home,
		Recordings: filepath.Join(home, "recordings"), Captures: filepath.Join(home, "captures"),
		stderr: filepath.Join(home, "stderr.log"),
	}
	for _, dir := range []string{c.Recordings, c.Captures} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	stderr, err := os.Create(c.stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	c.cmd = exec.Command(filepath.Join(p.Dir, "supervisor"), o.Args...)
	c.cmd.Stderr = stderr
	c.cmd.Env = append([]string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(),
		"GORACE=atexit_sleep_ms=0", // the race detector's second of waiting at exit would count as ours
		"RINGMASTER_RECORDINGS_DIR=" + c.Recordings, "RINGMASTER_CAPTURES_DIR=" + c.Captures,
	}, o.Env...)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatalf("starting the supervisor: %v", err)
	}
	c.stdin, c.conn = stdin, newConnection(stdin)
	go func() {
		c.conn.read(stdout)
		c.waitErr = c.cmd.Wait()
		close(c.ended)
	}()
	t.Cleanup(c.Close)
	c.initialize(o.Protocol)
	return c
}

func (c *Client) initialize(protocol string) {
	c.t.Helper()
	if protocol == "" {
		protocol = "2025-06-18"
	}
	result, err := c.Request("initialize", map[string]any{
		"protocolVersion": protocol, "capabilities": map[string]any{},
		"clientInfo": map[string]any{"name": "ringmaster-tests", "version": "1"},
	})
	if err != nil {
		c.t.Fatalf("initialize: %v", err)
	}
	c.Initialized = result
	if err := c.conn.notify("notifications/initialized", map[string]any{}); err != nil {
		c.t.Fatal(err)
	}
}

// Request sends one JSON-RPC request and waits for its response.
func (c *Client) Request(method string, params any) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	answer, err := c.conn.request(method, params)
	if err != nil {
		return nil, err
	}
	select {
	case r := <-answer:
		return r.Result, r.Error
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// PID is the supervisor's process.
func (c *Client) PID() int { return c.cmd.Process.Pid }

// Signal sends the supervisor a signal.
func (c *Client) Signal(s os.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		c.t.Fatalf("signalling the supervisor: %v", err)
	}
}

// Close closes the supervisor's stdin, and fails the test unless it then ends
// in time and in order, having said nothing on stdout that is not MCP.
func (c *Client) Close() {
	c.t.Helper()
	select {
	case <-c.ended:
	default:
		c.leave()
	}
	if _, _, fault := c.conn.since(0); !errors.Is(fault, errEnded) {
		c.t.Errorf("the session: %v", fault)
	}
	if strings.Contains(c.Stderr(), "WARNING: DATA RACE") {
		c.t.Error("the race detector found something; see the supervisor's stderr")
	}
	if c.t.Failed() {
		c.t.Logf("the supervisor's stderr:\n%s", c.Stderr())
	}
}

func (c *Client) leave() {
	c.t.Helper()
	began := time.Now()
	c.stdin.Close()
	c.WaitEnd(killTimeout)
	if took := time.Since(began); took > leaveTimeout {
		c.t.Errorf("the supervisor took %v to leave after its stdin was closed; it has %v", took.Round(time.Millisecond), leaveTimeout)
	}
	if c.waitErr != nil {
		c.t.Errorf("the supervisor ended with %v, want exit status 0", c.waitErr)
	}
}

// WaitEnd waits until the supervisor has ended, and kills it after the given
// time.
func (c *Client) WaitEnd(within time.Duration) {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(within):
		c.t.Errorf("the supervisor did not end within %v and is killed", within)
		if err := syscall.Kill(-c.PID(), syscall.SIGKILL); err != nil {
			c.t.Errorf("killing it: %v", err)
		}
		<-c.ended
	}
}

// ExitCode is the supervisor's exit status, or -1 while it runs.
func (c *Client) ExitCode() int {
	select {
	case <-c.ended:
		return c.cmd.ProcessState.ExitCode()
	default:
		return -1
	}
}

// Stderr is what the supervisor wrote to stderr.
func (c *Client) Stderr() string {
	raw, err := os.ReadFile(c.stderr)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}
