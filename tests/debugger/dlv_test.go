package debugger

import (
	"bufio"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long the debugger may take for a step.
const patience = 30 * time.Second

// session is a program under delve, which is spoken to as an editor does.
type session struct {
	t     *testing.T
	rpc   *rpc.Client
	lines chan string // the debugger's output, which is the program's as well
}

// debug runs a command line of delve with --headless, and stops the program at
// its beginning.
func debug(t *testing.T, args ...string) *session {
	t.Helper()
	s := &session{t: t, lines: make(chan string, 100)}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // with the program
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(s.lines)
		for all := bufio.NewScanner(out); all.Scan(); {
			s.lines <- all.Text()
		}
	}()
	t.Cleanup(func() {
		if s.rpc != nil {
			s.rpc.Close()
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended
		for range s.lines {                                 // unblock its reader
		}
		<-read
		_ = cmd.Wait() // killed
	})
	const listens = "API server listening at: "
	address := strings.TrimPrefix(s.line(listens), listens)
	if s.rpc, err = jsonrpc.Dial("tcp", address); err != nil {
		t.Fatal(err)
	}
	return s
}

// line waits for a line that begins so.
func (s *session) line(begin string) string {
	s.t.Helper()
	limit := time.After(patience)
	for {
		select {
		case line, more := <-s.lines:
			if !more {
				s.t.Fatalf("the debugger ended before it printed %q", begin)
			}
			if strings.Contains(line, "operation not permitted") {
				s.t.Skipf("this machine lets nobody debug: %s", line)
			}
			if strings.HasPrefix(line, begin) {
				return line
			}
		case <-limit:
			s.t.Fatalf("the debugger does not print %q", begin)
		}
	}
}

func (s *session) call(method string, in, out any) {
	s.t.Helper()
	call := s.rpc.Go("RPCServer."+method, in, out, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		if call.Error != nil {
			s.t.Fatalf("%s: %v", method, call.Error)
		}
	case <-time.After(patience):
		s.t.Fatalf("the debugger does not answer %s", method)
	}
}

// breakpoint sets one at the beginning of a function.
func (s *session) breakpoint(function string) (id int) {
	s.t.Helper()
	type breakpoint struct {
		ID           int    `json:"id"`
		FunctionName string `json:"functionName"`
		Line         int    `json:"line"`
	}
	var in, out struct{ Breakpoint breakpoint }
	in.Breakpoint = breakpoint{FunctionName: function, Line: -1}
	s.call("CreateBreakpoint", &in, &out)
	return out.Breakpoint.ID
}

func (s *session) clear(id int) {
	s.t.Helper()
	s.call("ClearBreakpoint", &struct {
		ID int `json:"Id"`
	}{id}, &struct{}{})
}

// state is how the program stands.
type state struct {
	State struct {
		Exited     bool `json:"exited"`
		ExitStatus int  `json:"exitStatus"`
		Thread     *struct {
			Function *struct {
				Name string `json:"name"`
			} `json:"function"`
		} `json:"currentThread"`
	}
}

// run lets the program go on; await its next stop.
func (s *session) run() (stopped func() state) {
	var out state
	call := s.rpc.Go("RPCServer.Command", &struct {
		Name string `json:"name"`
	}{"continue"}, &out, make(chan *rpc.Call, 1))
	return func() state {
		s.t.Helper()
		select {
		case <-call.Done:
			if call.Error != nil {
				s.t.Fatalf("continue: %v", call.Error)
			}
		case <-time.After(patience):
			s.t.Fatal("the program does not stop")
		}
		return out
	}
}
