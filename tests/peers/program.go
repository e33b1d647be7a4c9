package peers

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// Variable names the environment variable that lets tests with foreign peers
// run; a program that is missing is then a failure.
const Variable = "RINGMASTER_INTEROP"

const (
	// patience is how long a peer may take for what it does at once by rights.
	patience  = 15 * time.Second
	pollEvery = 10 * time.Millisecond
	host      = "127.0.0.1"
)

// Wanted reports whether tests with foreign peers are to run.
func Wanted() bool { return os.Getenv(Variable) == "1" }

// need finds a program; without the peers it skips the test.
func need(t testing.TB, name string) string {
	t.Helper()
	if !Wanted() {
		t.Skipf("%s is not 1: run these tests by `make interop`, which installs the foreign peers", Variable)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: install it by scripts/install-peers", name)
	}
	return path
}

// program is one foreign program that runs.
type program struct {
	t     testing.TB
	name  string
	pid   int
	home  string // its working directory and HOME
	said  *transcript
	stdin io.Writer
	ended chan struct{} // closed when it has been waited for
	err   error         // of that wait; read after ended
}

// run starts a program in a folder of the test. The test's end ends it.
func run(t testing.TB, home, name string, args ...string) *program {
	t.Helper()
	p := &program{t: t, name: name, home: home, said: newTranscript(), ended: make(chan struct{})}
	cmd := exec.Command(need(t, name), args...)
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "LANG=C", "TERM=dumb"}
	cmd.Stdout, cmd.Stderr = p.said, p.said
	// A group of its own, which a terminal's Ctrl-C does not reach; it ends with a test that is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin = stdin
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	p.pid = cmd.Process.Pid
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.end()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, p.said)
		}
	})
	return p
}

// end kills the program and its children, unless it has ended by itself.
func (p *program) end() {
	select {
	case <-p.ended:
	default:
		_ = syscall.Kill(-p.pid, syscall.SIGKILL) // it may be ending just now
		<-p.ended
	}
}

// listens waits until somebody has bound a loopback port, which the kernel
// tells without one having to try.
func (p *program) listens(network string, port int) {
	p.t.Helper()
	bound := regexp.MustCompile(fmt.Sprintf(`(?m)^ *\d+: [0-9A-F]+:%04X `, port))
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for late := time.After(patience); ; {
		table, err := os.ReadFile("/proc/net/" + network)
		if err != nil {
			p.t.Fatal(err)
		}
		if bound.Match(table) {
			return
		}
		select {
		case <-tick.C:
		case <-p.ended:
			p.t.Fatalf("%s ended (%v) before it listened", p.name, p.err)
		case <-late:
			p.t.Fatalf("%s has not bound port %d (%s) after %v", p.name, port, network, patience)
		}
	}
}

// await waits until the program has said something that matches a regular
// expression, after what the last await found.
func (p *program) await(pattern string) []string {
	p.t.Helper()
	return p.said.await(p.t, p.name, pattern)
}

// tell writes a line to the program's stdin.
func (p *program) tell(format string, args ...any) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p.stdin, format+"\n", args...); err != nil {
		p.t.Fatalf("telling %s: %v", p.name, err)
	}
}

// write makes a file of the program's configuration.
func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// freePorts finds the first of n ports in a row, an even number, that are free
// for UDP and TCP. They lie below those that the kernel gives to sockets bound
// to port 0, so that none of these takes one before the program does.
func freePorts(t testing.TB, n int) int {
	t.Helper()
	const lowest, highest = 10000, 20000
	for range 100 {
		first := lowest + 2*rand.IntN((highest-lowest-n)/2)
		free := true
		for port := first; port < first+n && free; port++ {
			free = isFree(port)
		}
		if free {
			return first
		}
	}
	t.Fatalf("no %d loopback ports in a row are free for UDP and TCP", n)
	return 0
}

func isFree(port int) bool {
	addr := fmt.Sprintf("%s:%d", host, port)
	l, err := net.Listen("tcp4", addr)
	if err != nil {
		return false
	}
	defer l.Close()
	u, err := net.ListenPacket("udp4", addr)
	if err != nil {
		return false
	}
	return u.Close() == nil
}
