package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// session is an MCP server and the one client that it has. It is not for more
// than one goroutine: an answer is read where the request was written.
type session struct {
	cmd      *exec.Cmd
	in       io.WriteCloser
	out      *bufio.Reader
	log      *lastWords
	lastID   int
	progress func(line string) // is told of progress; nil for nobody
}

// leaveTime is how long the server may take to end its phones and itself: 3 s
// by contract.
const leaveTime = 4 * time.Second

// startServer starts the program as any client does that is told its path.
func startServer(ctx context.Context, o Options, profile, pbx, dir string) (*session, error) {
	s := &session{log: &lastWords{}}
	s.cmd = exec.CommandContext(ctx, o.Program, "serve", "--profile", profile, "--pbx", pbx, "--log-level", "warn",
		"--recordings-dir", filepath.Join(dir, "recordings"), "--captures-dir", filepath.Join(dir, "captures"))
	s.cmd.Env, s.cmd.Stderr = o.Environ, s.log
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = leaveTime
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.in, s.out = in, bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("the server does not start: %w", err)
	}
	return s, nil
}

// close lets the server leave, as a client does: by closing its stdin.
func (s *session) close() error {
	_ = s.in.Close() // the server may have ended already
	leaving := time.AfterFunc(leaveTime, func() { _ = s.cmd.Process.Kill() })
	defer leaving.Stop()
	_, _ = io.Copy(io.Discard, s.out)
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the server did not leave in order: %w%s", err, s.log)
	}
	return nil
}

type hello struct {
	ProtocolVersion string `json:"protocolVersion"`
	ServerInfo      struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	} `json:"serverInfo"`
}

func (s *session) initialize() (hello, error) {
	var h hello
	err := s.request("initialize", map[string]any{
		"protocolVersion": "2025-06-18", "capabilities": map[string]any{},
		"clientInfo": map[string]any{"name": "ringmaster-demo", "version": "1"},
	}, &h)
	if err == nil {
		err = s.send(map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"})
	}
	return h, err
}

// tools are the names of the tools that there are.
func (s *session) tools() ([]string, error) {
	var list struct {
		Tools []struct{ Name string } `json:"tools"`
	}
	err := s.request("tools/list", nil, &list)
	names := make([]string, len(list.Tools))
	for i, t := range list.Tools {
		names[i] = t.Name
	}
	return names, err
}

// call calls a tool and reads its answer into result.
func (s *session) call(tool string, arguments map[string]any, result any) error {
	if arguments == nil {
		arguments = map[string]any{}
	}
	var answer struct {
		Structured json.RawMessage `json:"structuredContent"`
		IsError    bool            `json:"isError"`
	}
	err := s.request("tools/call", map[string]any{
		"name": tool, "arguments": arguments, "_meta": map[string]any{"progressToken": "demo"},
	}, &answer)
	if err != nil {
		return err
	}
	if answer.IsError {
		var failure struct{ Error string }
		if err := json.Unmarshal(answer.Structured, &failure); err != nil {
			return fmt.Errorf("%s failed: %s", tool, answer.Structured)
		}
		return fmt.Errorf("%s failed: %s", tool, failure.Error)
	}
	return json.Unmarshal(answer.Structured, result)
}

// request asks and waits; notifications that come meanwhile are told.
func (s *session) request(method string, params map[string]any, result any) error {
	s.lastID++
	if params == nil {
		params = map[string]any{}
	}
	err := s.send(map[string]any{"jsonrpc": "2.0", "id": s.lastID, "method": method, "params": params})
	if err != nil {
		return err
	}
	for {
		m, err := s.receive()
		if err != nil {
			return err
		}
		switch {
		case m.Method == "notifications/progress" && s.progress != nil:
			s.progress(m.Params.Message)
		case m.Method != "" || m.ID == nil || *m.ID != s.lastID:
		case m.Error != nil:
			return fmt.Errorf("%s failed: %s", method, m.Error.Message)
		default:
			return json.Unmarshal(m.Result, result)
		}
	}
}

// message is any that the server may send.
type message struct {
	ID     *int            `json:"id"`
	Method string          `json:"method"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
	Params struct {
		Message string `json:"message"`
	} `json:"params"`
}

func (s *session) send(v map[string]any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = s.in.Write(append(line, '\n'))
	}
	if err != nil {
		return gone(err)
	}
	return nil
}

func (s *session) receive() (message, error) {
	var m message
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return m, gone(err)
	}
	if err := json.Unmarshal(line, &m); err != nil {
		return m, fmt.Errorf("the server says what is no MCP: %w", err)
	}
	return m, nil
}

// gone is the end of a conversation that the server ended.
func gone(err error) error { return fmt.Errorf("the server has gone: %w", err) }

// lastWords keeps the end of what the server logs. The process's end comes
// before it is read.
type lastWords struct{ text []byte }

const lastWordsBound = 4096

func (l *lastWords) Write(p []byte) (int, error) {
	l.text = append(l.text, p...)
	if over := len(l.text) - lastWordsBound; over > 0 {
		l.text = l.text[over:]
	}
	return len(p), nil
}

// String gives the words with a line end before them, or nothing.
func (l *lastWords) String() string {
	if text := strings.TrimSpace(string(bytes.ToValidUTF8(l.text, nil))); text != "" {
		return "\n" + text
	}
	return ""
}

// freePort finds a port of 127.0.0.1 that nobody uses, for UDP and TCP. It may
// be taken before the PBX has it, but the kernel gives out others first.
func freePort() (string, error) {
	for range 20 {
		addr, err := tryPort()
		if err == nil {
			return addr, nil
		}
	}
	return tryPort()
}

func tryPort() (string, error) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	addr := tcp.Addr().String()
	udp, err := net.ListenPacket("udp", addr)
	if err != nil {
		return "", errors.Join(err, tcp.Close())
	}
	return addr, errors.Join(tcp.Close(), udp.Close())
}
