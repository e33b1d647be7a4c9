package supervisor

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ringmaster/tests/fakeworker"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	fakeworker.Main()
	goleak.VerifyTestMain(m)
}

// buffer is a bytes.Buffer that two goroutines may use.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// edges are those of a program in a new home, whose workers are fake ones with
// the given knobs.
func edges(t *testing.T, args, knobs []string) (Edges, *buffer, *buffer) {
	t.Helper()
	var stdout, stderr buffer
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	temp, err := os.MkdirTemp("", "t") //nolint:usetesting // a short path, for unix sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		left, err := os.ReadDir(temp)
		if err != nil || len(left) > 0 {
			t.Errorf("%v is left in the temporary folder (%v)", left, err)
		}
		if err := os.RemoveAll(temp); err != nil {
			t.Error(err)
		}
	})
	return Edges{
		Args: args, Environ: fakeworker.Environ(), Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		Now: time.Now, Executable: self, Home: t.TempDir(), TempDir: temp, WorkerArgs: fakeworker.Args(append([]string{"-version", "unknown"}, knobs...)...),
	}, &stdout, &stderr
}

// serving adds what makes the test binary the worker program.
func serving(args ...string) []string {
	self, _ := os.Executable()
	return append([]string{"serve", "--worker", self, "--log-level", "warn"}, args...)
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("phones: [{phone_id: a, fones: 1}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		code   int
		stdout string // part of it
		stderr string // likewise
	}{
		{[]string{"version"}, 0, "supervisor unknown\n", ""},
		{[]string{"version", "--json"}, 0, `"version":"unknown"`, ""},
		{[]string{"version", "x"}, 2, "", "version takes --json and nothing else"},
		{[]string{"--help"}, 0, "  -worker program", ""},
		{[]string{"serve", "-h"}, 0, "Usage: supervisor", ""},
		{[]string{"serv"}, 2, "", `unknown command "serv": did you mean "serve"?`},
		{[]string{"dance"}, 2, "", `unknown command "dance": there are serve, run, validate, schema, pbx, demo, doctor, version`},
		{[]string{"--tools", "both"}, 2, "", `--tools must be one of ["per-phone" "shared"], not "both"`},
		{[]string{"--no-such-flag"}, 2, "", "flag provided but not defined: -no-such-flag"},
		{[]string{"serve", "x"}, 2, "", `serve takes flags only, not "x"`},
		{serving("--profile", filepath.Join(dir, "none.yaml")), 2, "", "none.yaml not found"},
		{serving("--profile", bad), 2, "", `bad.yaml:1:24: phones[0] (a): unknown key "fones"`},
		{[]string{"--pbx=here"}, 2, "", `an IP address and a port, as 127.0.0.1:5070`},
		{[]string{"run"}, 2, "", "run takes the files of scenarios"},
		{[]string{"run", "--help"}, 0, "Usage: supervisor run FILE…", ""},
		{[]string{"run", filepath.Join(dir, "none.yaml")}, 2, "", "none.yaml cannot be read: no such file"},
		{[]string{"run", "--log-level", "loud", bad}, 2, "", "--log-level must be one of"},
		{[]string{"validate"}, 2, "", "validate takes the files of scenarios"},
		{[]string{"validate", bad}, 2, "", "bad.yaml:1:"},
		{[]string{"validate", "/dev/zero"}, 2, "", "/dev/zero:1:1: the text is larger than"},
		{[]string{"run", "--junit", "/no/such/folder/x.xml", bad}, 2, "", "--junit /no/such/folder/x.xml: there is no folder /no/such/folder"},
		{[]string{"run", "--html", dir, bad}, 2, "", "is a folder; give the name of a file"},
		{[]string{"validate", "../scenario/examples/basic-call-dtmf.yaml"}, 0, "basic-call-dtmf is valid\n", ""},
		{[]string{"validate", "-h"}, 0, "Usage: supervisor validate FILE…", ""},
		{[]string{"validate", "--patterns", "/no/such/folder", bad}, 2, "", "--patterns /no/such/folder: there is no such folder"},
		{[]string{"validate", "--patterns", dir, "../scenario/examples/basic-call-dtmf.yaml"}, 2, "", bad + ":1:1: name is needed"},
		{serving("--patterns", "/no/such/folder"), 2, "", "there is no such folder"},
		{[]string{"schema"}, 0, `"title": "Ringmaster scenario"`, ""},
		{[]string{"schema", "x"}, 2, "", "schema takes flags only"},
		{[]string{"pbx", "one", "two"}, 2, "", "pbx takes one address"},
		{[]string{"pbx", "here"}, 2, "", `"here": the PBX's address is`},
		{[]string{"pbx", "--profile", filepath.Join(dir, "none.yaml")}, 2, "", "none.yaml not found"},
		{[]string{"--adopt", "a"}, 2, "", "it is written phone_id=JSON"},
		{[]string{"--adopt", "A={}"}, 2, "", `phone_id "A" is invalid`},
		{[]string{"--adopt", "a={}"}, 2, "", "not a worker that waits to be adopted"},
		{[]string{"doctor", "x"}, 2, "", "doctor takes flags only"},
		{[]string{"doctor", "-h"}, 0, "Usage: supervisor doctor", ""},
		{[]string{"doctor", "--worker", "/no/such/worker"}, 1, "problem  worker program", "there are problems"},
		{[]string{"doctor", "--worker", "/no/such/worker", "--json"}, 1, `"status":"problem"`, ""},
		{serving(), 0, "", ""}, // stdin is at its end
	} {
		e, stdout, stderr := edges(t, c.args, nil)
		code := Run(context.Background(), e)
		if code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%q: exit %d\nstdout %s\nstderr %s", c.args, code, stdout, stderr)
		}
		if c.stderr == "" && c.code == 0 && strings.Contains(stderr.String(), "supervisor:") {
			t.Errorf("%q complains: %s", c.args, stderr)
		}
		// Editors read the places of faults, which begin their lines.
		if c.args[0] == "validate" && strings.Contains(stderr.String(), ":1:") && !strings.HasPrefix(stderr.String(), "/") {
			t.Errorf("%q: %s", c.args, stderr)
		}
	}
}

// session is a client of a running program.
type session struct {
	t     *testing.T
	in    *io.PipeWriter
	lines *bufio.Reader
	ended chan int
	err   *buffer
	stop  context.CancelFunc
	id    int
}

func start(t *testing.T, args, knobs []string) *session {
	t.Helper()
	e, _, stderr := edges(t, args, knobs)
	ctx, stop := context.WithCancel(context.Background())
	stdin, in := io.Pipe()
	out, stdout := io.Pipe()
	e.Stdin, e.Stdout = stdin, stdout
	s := &session{t: t, in: in, lines: bufio.NewReader(out), ended: make(chan int, 1), err: stderr, stop: stop}
	go func() { s.ended <- Run(ctx, e) }()
	t.Cleanup(func() { stop(); _ = in.Close(); _ = out.Close() })
	s.ask("initialize", `{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}`)
	return s
}

// ask returns the answer to a request, past what comes before it.
func (s *session) ask(method, params string) json.RawMessage {
	s.t.Helper()
	s.id++
	if _, err := fmt.Fprintf(s.in, `{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`+"\n", s.id, method, params); err != nil {
		s.t.Fatal(err)
	}
	for {
		line, err := s.lines.ReadBytes('\n')
		if err != nil {
			s.t.Fatalf("%v\n%s", err, s.err)
		}
		var m struct {
			ID     int             `json:"id"`
			Result json.RawMessage `json:"result"`
			Error  json.RawMessage `json:"error"`
		}
		if json.Unmarshal(line, &m) == nil && m.ID == s.id {
			return append(m.Result, m.Error...)
		}
	}
}

// call returns a tool's answer.
func (s *session) call(tool, arguments string) map[string]any {
	s.t.Helper()
	raw := s.ask("tools/call", fmt.Sprintf(`{"name":%q,"arguments":%s}`, tool, arguments))
	var m struct {
		Structured map[string]any `json:"structuredContent"`
	}
	if err := json.Unmarshal(raw, &m); err != nil || m.Structured == nil {
		s.t.Fatalf("%s: %s", tool, raw)
	}
	return m.Structured
}

// leave waits for the program's end.
func (s *session) leave() {
	s.t.Helper()
	begin := time.Now()
	if code := <-s.ended; code != 0 {
		s.t.Errorf("exit %d\n%s", code, s.err)
	}
	if took := time.Since(begin); took > 3*time.Second {
		s.t.Errorf("the end took %v", took)
	}
}

func TestPhonesInProcessesOfTheirOwn(t *testing.T) {
	s := start(t, serving(), nil)
	for _, id := range []string{"a", "b"} {
		added := s.call("add_phone", fmt.Sprintf(`{"phone_id":%q,"domain":"h","username":"u","password":"p"}`, id))
		if added["status"] != "ok" || added["is_registered"] != true {
			t.Fatalf("add_phone: %v\n%s", added, s.err)
		}
	}
	made := s.call("b_make_call", `{"dest_uri":"sip:x@h"}`)
	if made["call_id"] != 1000.0 {
		t.Errorf("b's first call: %v", made)
	}
	if got := s.call("a_hangup", `{"call_id":1000}`)["error"]; got != "call_id 1000 belongs to phone_id 'b', not 'a'" {
		t.Errorf("a hangs up b's call: %v", got)
	}
	if got := s.call("a_hangup", `{"call_id":9999}`)["error"]; got != "call 9999 not found" {
		t.Errorf("a hangs up nobody's call: %v", got)
	}
	if got := s.call("a_hangup", `{"call_id":5}`)["error"]; got != "call 5 not found" {
		t.Errorf("a hangs up a call that it could have: %v", got)
	}
	if got := s.call("phone_action", `{"phone_id":"b","action":"hangup","arguments":{"call_id":1000}}`); got["status"] != "ok" {
		t.Errorf("b hangs up: %v", got)
	}
	if got := s.call("list_phones", `{}`); got["total_count"] != 2.0 {
		t.Errorf("list_phones: %v", got)
	}
	if got := s.call("drop_phone", `{"phone_id":"a"}`); got["tools_removed"] != 22.0 {
		t.Errorf("drop_phone: %v", got)
	}
	_ = s.in.Close()
	s.leave()
}

func TestTheProfilesToolsAreThereFirst(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "phones.yaml")
	text := "defaults: {domain: h, password: \"${SECRET}\"}\nphones: [{phone_id: a, username: a}, {phone_id: b, username: b}]"
	if err := os.WriteFile(profile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SECRET", "sesame")
	s := start(t, serving("--profile", profile), nil)
	list := s.ask("tools/list", `{}`)
	for _, name := range []string{`"a_make_call"`, `"b_make_call"`} {
		if !bytes.Contains(list, []byte(name)) {
			t.Errorf("%s is not in the first list", name)
		}
	}
	if got := s.call("load_phones", `{}`); got["path"] != profile || got["status"] != "ok" {
		t.Errorf("load_phones without a path: %v", got)
	}
	s.stop() // as SIGTERM does
	s.leave()
	if strings.Contains(s.err.String(), "sesame") {
		t.Errorf("the log shows a password:\n%s", s.err)
	}
}

func TestAWorkerThatIgnoresTheEndIsKilledInTime(t *testing.T) {
	s := start(t, serving(), []string{"-ignore-shutdown", "-ignore-stdin", "-ignore-sigterm"})
	if got := s.call("add_phone", `{"phone_id":"a","domain":"h","username":"u","password":"p"}`); got["status"] != "ok" {
		t.Fatalf("add_phone: %v\n%s", got, s.err)
	}
	_ = s.in.Close()
	s.leave()
}

func TestAWorkerThatCannotBeRunIsOneClearError(t *testing.T) {
	s := start(t, []string{"serve", "--worker", "/no/such/worker", "--log-level", "off"}, nil)
	got := s.call("add_phone", `{"phone_id":"a","domain":"h","username":"u","password":"p"}`)
	if text, _ := got["error"].(string); got["status"] != "error" || !strings.Contains(text, "/no/such/worker") {
		t.Errorf("add_phone: %v", got)
	}
	if got := s.call("list_phones", `{}`); got["total_count"] != 0.0 {
		t.Errorf("list_phones: %v", got)
	}
	_ = s.in.Close()
	s.leave()
}
