package asterisk

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringmaster/tests/certs"
	"ringmaster/tests/phones"
)

// RootVariable names the environment variable that holds the folder which
// scripts/install-asterisk printed. Without it the tests of this kind do not
// run.
const RootVariable = "RINGMASTER_ASTERISK"

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
	pollEvery    = 20 * time.Millisecond
)

// Server is one running Asterisk.
type Server struct {
	// Addr is where it speaks SIP, host:port, UDP and TCP: what a phone takes
	// as its domain.
	Addr string
	// TLSAddr is where it speaks SIP over TLS, host:port.
	TLSAddr string
	// Authority signed its certificate, for 127.0.0.1 and localhost; it trusts
	// what that signs.
	Authority *certs.Authority
	// Password is that of every user.
	Password string

	home    string
	program program
	cmd     *exec.Cmd
	ended   chan struct{} // closed when cmd has been waited for
}

// Start runs an Asterisk until the test ends. It skips the test where no
// Asterisk is installed, and answers when the server takes calls.
func Start(t testing.TB) *Server {
	t.Helper()
	root := os.Getenv(RootVariable)
	if root == "" {
		t.Skipf("%s is not set: run these tests by `make interop`, which installs Asterisk", RootVariable)
	}
	program, err := find(root)
	if err != nil {
		t.Fatal(err)
	}
	// A path of its own, short: the control socket's path must fit 108 bytes.
	home, err := os.MkdirTemp("", "asterisk") //nolint:usetesting // t.TempDir has the test's name in its path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(home); err != nil {
			t.Errorf("the folder of Asterisk stays behind: %v", err)
		}
	})
	s := &Server{
		Addr:      phones.FreeAddr(t),
		TLSAddr:   phones.FreeAddr(t),
		Authority: certs.New(t),
		Password:  fmt.Sprintf("%016x", rand.Uint64()),
		home:      home,
		program:   program,
		ended:     make(chan struct{}),
	}
	cert, key := s.Authority.Sign("127.0.0.1", "localhost")
	first := 20000 + 2*rand.IntN(10000)
	err = settings{
		Modules: program.modules, Data: program.data, Home: home, Addr: s.Addr,
		TLSAddr: s.TLSAddr, CertFile: cert, KeyFile: key, CAFile: s.Authority.File,
		RTPFirst: first, RTPLast: first + 400, Users: users(s.Password),
	}.write()
	if err != nil {
		t.Fatalf("writing Asterisk's configuration: %v", err)
	}
	s.cmd = program.command(context.Background(), "-f", "-C", s.configuration())
	s.cmd.SysProcAttr = ownGroup()
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("starting Asterisk: %v", err)
	}
	go func() {
		defer close(s.ended)
		if err := s.cmd.Wait(); err != nil {
			t.Errorf("Asterisk ended with %v", err)
		}
	}()
	t.Cleanup(func() { s.stop(t) })
	if err := s.waitBooted(); err != nil {
		t.Fatalf("Asterisk does not start: %v\n%s", err, s.Log())
	}
	return s
}

// waitBooted returns when every module is loaded.
func (s *Server) waitBooted() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var last error
	for {
		out, err := s.Console(ctx, "core waitfullybooted")
		if err == nil && strings.Contains(out, "fully booted") {
			return nil
		}
		last = fmt.Errorf("console: %w: %s", err, out)
		select {
		case <-tick.C:
		case <-s.ended:
			return fmt.Errorf("it ended: %v", s.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("not ready after %v: %w", startTimeout, last)
		}
	}
}

// Console gives the server one command of its command line, such as
// "pjsip show contacts", and returns what it prints.
func (s *Server) Console(ctx context.Context, command string) (string, error) {
	out, err := s.program.command(ctx, "-C", s.configuration(), "-rx", command).CombinedOutput()
	return string(out), err
}

func (s *Server) configuration() string { return filepath.Join(s.home, "etc", "asterisk.conf") }

// Log returns the end of the server's log, for the message of a failed test.
func (s *Server) Log() string {
	const most = 40000
	raw, err := os.ReadFile(filepath.Join(s.home, "log", "full"))
	if err != nil {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-most):])
}

// PID returns the process that runs the server.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// stop ends the server and fails the test when it does not end.
func (s *Server) stop(t testing.TB) {
	if t.Failed() {
		t.Logf("the end of Asterisk's log:\n%s", s.Log())
	}
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("stopping Asterisk: %v", err)
	}
	select {
	case <-s.ended:
	case <-time.After(stopTimeout):
		t.Errorf("Asterisk (pid %d) did not end within %v and is killed", s.PID(), stopTimeout)
		if err := s.cmd.Process.Kill(); err != nil {
			t.Errorf("killing it: %v", err)
		}
		<-s.ended
	}
}
