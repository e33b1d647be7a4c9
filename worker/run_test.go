package worker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hand is a phone by hand.
type hand struct {
	t      *testing.T
	lines  *io.PipeWriter
	ended  chan int
	mu     sync.Mutex
	out    bytes.Buffer
	looked int // how far await has looked
	more   chan struct{}
	stderr bytes.Buffer // read after the end
}

func (h *hand) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n, err := h.out.Write(p)
	select {
	case h.more <- struct{}{}:
	default:
	}
	return n, err
}

func byHand(ctx context.Context, t *testing.T, home, profile, id string) *hand {
	t.Helper()
	in, lines := io.Pipe()
	h := &hand{t: t, lines: lines, ended: make(chan int, 1), more: make(chan struct{}, 1)}
	go func() {
		h.ended <- Run(ctx, Edges{
			Args: []string{"run", "--profile", profile, "--phone", id}, Stdin: in, Stdout: h, Stderr: &h.stderr, Home: home, Version: "test",
		})
	}()
	t.Cleanup(func() { _ = lines.Close(); _ = in.Close() })
	return h
}

func (h *hand) say(line string) {
	h.t.Helper()
	if _, err := io.WriteString(h.lines, line+"\n"); err != nil {
		h.t.Fatalf("%s: %v", line, err)
	}
}

// await waits until a text is printed after what was awaited before.
func (h *hand) await(text string) {
	h.t.Helper()
	limit := time.After(10 * time.Second)
	for {
		h.mu.Lock()
		printed := h.out.String()
		h.mu.Unlock()
		if i := strings.Index(printed[h.looked:], text); i >= 0 {
			h.looked += i + len(text)
			return
		}
		select {
		case <-h.more:
		case <-limit:
			h.t.Fatalf("it does not print %q but\n%s\n%s", text, printed, &h.stderr)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	s, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return s.LocalAddr().(*net.UDPAddr).Port
}

func twoPhones(t *testing.T, dir string) (profile string, portOfB int) {
	t.Helper()
	profile, portOfB = filepath.Join(dir, "phones.yaml"), freePort(t)
	err := os.WriteFile(profile, fmt.Appendf(nil, `
defaults: {domain: 127.0.0.1, password: sesame, register: false}
phones:
  - {phone_id: a, username: a, recording_enabled: true}
  - {phone_id: b, username: b, local_port: %d}
`, portOfB), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return profile, portOfB
}

// Two phones by hand call each other; the one that is told to end from outside
// hangs up first, within 3 s.
func TestPhonesByHandCallEachOther(t *testing.T) {
	home := t.TempDir()
	profile, port := twoPhones(t, home)
	ctx, term := context.WithCancel(t.Context())
	defer term()
	a, b := byHand(ctx, t, home, profile, "a"), byHand(t.Context(), t, home, profile, "b")
	b.say("calls")
	b.await("ok\n")
	a.say(fmt.Sprintf("call sip:b@127.0.0.1:%d", port))
	b.await("call.state.incoming call_id=0 direction=inbound")
	b.say("answer")
	b.await("call.state.confirmed")
	a.await("call.state.confirmed")
	a.say("dtmf 5")
	b.await("dtmf.in call_id=0 digit=5")
	began := time.Now()
	term() // as SIGTERM does
	b.await("call.state.disconnected")
	if code := <-a.ended; code != 0 {
		t.Errorf("a ends with %d: %s", code, &a.stderr)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("leaving took %v", took)
	}
	_ = b.lines.Close()
	if code := <-b.ended; code != 0 {
		t.Errorf("b ends with %d: %s", code, &b.stderr)
	}
	files, err := filepath.Glob(filepath.Join(home, ".local/state/ringmaster/recordings/a/call_0_*"))
	if err != nil || len(files) != 2 {
		t.Errorf("a's recording and sidecar: %v, %v", files, err)
	}
}

func TestExitCodes(t *testing.T) {
	home := t.TempDir()
	profile, port := twoPhones(t, home)
	taken, err := net.ListenPacket("udp", fmt.Sprintf("0.0.0.0:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		args           []string
		stdin          string
		code           int
		stdout, stderr string // parts
	}{
		{[]string{"version"}, "", 0, "phoneworker test\ncodecs: [", ""},
		{[]string{"version", "--json"}, "", 0, `"codecs":["PCMA"`, ""},
		{[]string{"version", "x"}, "", 2, "", "version takes --json and nothing else"},
		{[]string{"help"}, "", 0, "-profile file", ""},
		{[]string{"run", "-h"}, "", 0, "Flags of run", ""},
		{[]string{"rnu"}, "", 2, "", `unknown command "rnu": did you mean "run"?`},
		{[]string{"dance"}, "", 2, "", `unknown command "dance": there are run, serve, version`},
		{[]string{"run", "--what"}, "", 2, "", "flag provided but not defined: -what"},
		{[]string{"run", "x"}, "", 2, "", `run takes flags only, not "x"`},
		{[]string{"run", "--log-level", "loud"}, "", 2, "", "--log-level must be one of"},
		{[]string{"run", "--profile", filepath.Join(home, "none.yaml")}, "", 2, "", "none.yaml not found"},
		{[]string{"run", "--profile", profile}, "", 2, "", "say which phone of " + profile + " to be with --phone: there are a, b"},
		{[]string{"run", "--profile", profile, "--phone", "c"}, "", 2, "", `has no phone "c": there are a, b`},
		{[]string{"run", "--profile", profile, "--phone", "b"}, "", 3, "", fmt.Sprintf("port %d is in use", port)},
		{[]string{"run", "--profile", profile, "--phone", "a"}, "calls", 0, "ok\n", ""},
		{[]string{"run", "--profile", profile, "--phone", "a"}, "hangup\nquit\n", 1, `error: phone_id "a" has no active call`, "1 of the commands failed"},
		{[]string{"run", "--profile", profile, "--phone", "a", "--json"}, "hangup", 1, `"error":"phone_id \"a\" has no active call"`, ""},
		{nil, "", 3, "", "to use a phone by hand, say run"},
	} {
		var stdout, stderr bytes.Buffer
		code := Run(t.Context(), Edges{Args: c.args, Stdin: strings.NewReader(c.stdin), Stdout: &stdout, Stderr: &stderr, Home: home, Version: "test"})
		if code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%q: exit %d, want %d\nstdout %s\nstderr %s", c.args, code, c.code, &stdout, &stderr)
		}
		if strings.Contains(stdout.String()+stderr.String(), "sesame") {
			t.Errorf("%q shows a password", c.args)
		}
	}
}
