//go:build interop

package interop

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/pbx"
)

const (
	password     = "open sesame"
	pbxPatience  = 15 * time.Second
	interopWants = "RINGMASTER_INTEROP" // 1: a missing program is a failure
)

// need finds a program, or says how to get it.
func need(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv(interopWants) == "1" {
		t.Fatalf("%s is missing: install it with scripts/install-peers", program)
	}
	t.Skipf("%s is missing: install it with scripts/install-peers", program)
	return ""
}

// transcript is text that grows, and can be waited for.
type transcript struct {
	mu      sync.Mutex
	text    bytes.Buffer
	read    int // up to where await has looked
	changed chan struct{}
}

func newTranscript() *transcript { return &transcript{changed: make(chan struct{}, 1)} }

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p)
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// take looks for the pattern in what was not taken yet, and takes it and all
// before it.
func (s *transcript) take(pattern *regexp.Regexp) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := pattern.FindIndex(s.text.Bytes()[s.read:])
	if at != nil {
		s.read += at[1]
	}
	return at != nil
}

// await waits for the pattern. name says whose words they are.
func (s *transcript) await(t *testing.T, name, pattern string) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.After(pbxPatience)
	for !s.take(re) {
		select {
		case <-s.changed:
		case <-late:
			t.Fatalf("%s never said %q; it said\n%s", name, pattern, s)
		}
	}
}

// exchangeUnderTest is an embedded PBX with the users a, b and c.
type exchangeUnderTest struct {
	*pbx.PBX
	wire *transcript // every message, a line "> " or "< " before it
}

func startPBX(t *testing.T) *exchangeUnderTest {
	t.Helper()
	x := &exchangeUnderTest{wire: newTranscript()}
	var err error
	x.PBX, err = pbx.Listen(pbx.Config{
		Addr: netip.MustParseAddrPort("127.0.0.1:0"), Realm: "pbx.test",
		Users: func(name string) (phone.Secret, bool) {
			return phone.NewSecret(password), len(name) == 1 && strings.Contains("abc", name)
		},
		Tap: func(m phone.SIPMessage) {
			mark := "<"
			if m.Sent {
				mark = ">"
			}
			fmt.Fprintf(x.wire, "%s %s %s %s\n%s\n", m.Time.Format("15:04:05.000"), mark, m.Transport, m.Remote, m.Raw)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		x.Close()
		if t.Failed() {
			t.Logf("the PBX saw\n%s", x.wire)
		}
	})
	return x
}

func (x *exchangeUnderTest) host() string { return x.Addr().String() }

func (x *exchangeUnderTest) uri(user string) string { return "sip:" + user + "@" + x.host() }

// awaitBindings waits until a user has that many.
func (x *exchangeUnderTest) awaitBindings(t *testing.T, user string, want int) {
	t.Helper()
	late := time.After(pbxPatience)
	for {
		got := 0
		for _, b := range x.Bindings() {
			if b.User == user {
				got++
			}
		}
		if got == want {
			return
		}
		select { // every REGISTER passes the tap
		case <-x.wire.changed:
		case <-time.After(100 * time.Millisecond): // its table changes a little later
		case <-late:
			t.Fatalf("%s has %d bindings, want %d", user, got, want)
		}
	}
}

// freePort is one that nobody has now, for UDP and TCP; nor the next one, which
// baresip takes for TLS.
func freePort(t *testing.T) int {
	t.Helper()
	for range 50 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
		if isFree(port) && isFree(port+1) {
			return port
		}
	}
	t.Fatal("no two ports in a row are free for both UDP and TCP")
	return 0
}

func isFree(port int) bool {
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	defer l.Close()
	u, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	return u.Close() == nil
}

// startProgram runs a foreign program until the test's end; its words go into
// the transcript. env is added to an environment with a HOME of its own.
func startProgram(t *testing.T, said *transcript, home string, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(need(t, name), args...)
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "LANG=C", "TERM=dumb"}
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// endWith ends a started program by its pid when the test ends.
func endWith(t *testing.T, cmd *exec.Cmd) {
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // unless it has ended by itself
		_ = cmd.Wait()
	})
}
