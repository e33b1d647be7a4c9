package supervisor

import (
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ringmaster/config"
)

const (
	passes = `
name: passes
phones: [a]
initial_actions: [{make_call: {phone_id: a, to: "sip:b@127.0.0.1"}}]
stop_on: [{phone_id: a, event: call.state.confirmed}]
`
	fails = `
name: fails
phones: [a]
initial_actions: [{hangup: {phone_id: a, call_id: 9999}}]
`
	cannotRun = `
name: strange
phones: [nobody]
`
)

// files writes files into a new folder and gives their paths.
func files(t *testing.T, texts ...string) []string {
	t.Helper()
	dir := t.TempDir()
	var paths []string
	for i, text := range texts {
		path := filepath.Join(dir, string(rune('a'+i))+".yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

const profileOfA = "phones: [{phone_id: a, domain: 127.0.0.1, username: a, password: sesame, register: false}]\n"

func TestRunScenarios(t *testing.T) {
	self, _ := os.Executable()
	for _, c := range []struct {
		name      string
		scenarios []string
		flags     []string
		code      int
		stdout    []string
		stderr    string
	}{
		{"all pass", []string{passes, passes}, nil, 0, []string{"passes (", "call.state.confirmed      call 0    200 OK", "OK  passes", "call.state.confirmed      call 1"}, ""},
		{"one fails, the rest runs", []string{fails, passes}, nil, 1, []string{"FAILED  fails", "OK  passes"}, "fails has not passed: hangup in initial_actions failed"},
		{"one cannot run", []string{cannotRun, fails}, nil, 3, []string{"ERROR  strange", "FAILED  fails"}, `phone_id "nobody" not found`},
		{"one is invalid, none runs", []string{passes, "hoks: []"}, nil, 2, nil, `unknown scenario key "hoks"; did you mean "hooks"?`},
		{"two run, and are summed up", []string{passes, fails}, nil, 1, []string{"\nOK  passes", "1 of 2 scenarios passed\n"}, "fails has not passed"},
		{"flags after the files", []string{passes}, []string{"--pbx", "127.0.0.1:0"}, 0, []string{"OK  passes"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			paths := files(t, append([]string{profileOfA}, c.scenarios...)...)
			args := slices.Concat([]string{"run"}, paths[1:], []string{"--worker", self, "--profile", paths[0]}, c.flags)
			e, stdout, stderr := edges(t, args, nil)
			if code := Run(context.Background(), e); code != c.code {
				t.Errorf("exit %d, want %d", code, c.code)
			}
			for _, want := range c.stdout {
				if !strings.Contains(stdout.String(), want) {
					t.Errorf("stdout is without %q", want)
				}
			}
			if !strings.Contains(stderr.String(), c.stderr) || c.stderr == "" && strings.Contains(stderr.String(), "supervisor:") {
				t.Errorf("stderr is %q, want %q", stderr, c.stderr)
			}
			if len(c.stdout) == 0 && stdout.String() != "" {
				t.Error("something ran")
			}
			if t.Failed() {
				t.Logf("stdout:\n%s", stdout)
			}
		})
	}
}

const called = `
name: called
description: Calls.
parameters: [{name: phone_id, type: phone}]
initial_actions: [{make_call: {phone_id: "${phone_id}", to: "sip:b@127.0.0.1"}}]
`

const usesPattern = `
name: uses-pattern
phones: [a]
patterns: [{use: called, phone_id: a}]
stop_on: [{phone_id: a, event: call.state.confirmed}]
`

func TestPatternsOfTheUser(t *testing.T) {
	self, _ := os.Executable()
	paths := files(t, profileOfA, usesPattern)
	folder := filepath.Dir(files(t, called)[0])
	for _, c := range []struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{[]string{"run", paths[1], "--worker", self, "--profile", paths[0], "--patterns", folder}, 0, "OK  uses-pattern", ""},
		{[]string{"validate", paths[1], "--patterns", folder}, 0, "uses-pattern is valid", ""},
		{[]string{"validate", paths[1]}, 2, "", `b.yaml:4:18: unknown pattern "called"`},
		{[]string{"validate", paths[1], "--patterns", folder, "--patterns", folder}, 2, "", `a.yaml:2:1: there is already a pattern named "called"`},
	} {
		e, stdout, stderr := edges(t, c.args, nil)
		if code := Run(context.Background(), e); code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%q: exit %d\n%s\n%s", c.args, code, stdout, stderr)
		}
	}
}

func TestRunWritesJSONAndJUnit(t *testing.T) {
	self, _ := os.Executable()
	paths := files(t, profileOfA, passes, fails)
	junit := filepath.Join(t.TempDir(), "out.xml")
	e, stdout, _ := edges(t, []string{"run", paths[1], paths[2], "--worker", self, "--profile", paths[0], "--json", "--junit", junit}, nil)
	if code := Run(context.Background(), e); code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
	var statuses []string
	for d := json.NewDecoder(strings.NewReader(stdout.String())); d.More(); {
		var result struct{ Status string }
		if err := d.Decode(&result); err != nil {
			t.Fatalf("%v in %s", err, stdout)
		}
		statuses = append(statuses, result.Status)
	}
	if !slices.Equal(statuses, []string{"ok", "failed"}) {
		t.Errorf("the JSON says %q", statuses)
	}
	if xml, err := os.ReadFile(junit); err != nil || !strings.Contains(string(xml), `tests="2" failures="1"`) {
		t.Errorf("%v: %s", err, xml)
	}
}

func TestRunWritesPages(t *testing.T) {
	self, _ := os.Executable()
	paths := files(t, profileOfA, passes, fails)
	page := filepath.Join(t.TempDir(), "out.html")
	e, stdout, stderr := edges(t, []string{"run", paths[1], paths[2], "--worker", self, "--profile", paths[0], "--html", page}, nil)
	if code := Run(context.Background(), e); code != 1 || !strings.Contains(stdout.String(), "1 of 2 scenarios passed") {
		t.Errorf("exit %d: %s %s", code, stdout, stderr)
	}
	for file, want := range map[string]string{page: "Passed", strings.TrimSuffix(page, ".html") + "-2.html": "Failed"} {
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), want) || !strings.Contains(string(text), "<html") {
			t.Errorf("%s: %v, without %s", file, err, want)
		}
	}
	e, _, stderr = edges(t, []string{"run", paths[1], "--worker", self, "--profile", paths[0], "--html", "/no/such/folder/out.html"}, nil)
	if code := Run(context.Background(), e); code != 2 || !strings.Contains(stderr.String(), "there is no folder /no/such/folder") {
		t.Errorf("a page that cannot be written: exit %d, %s", code, stderr)
	}
}

func TestAPortInUseIsNamed(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	self, _ := os.Executable()
	paths := files(t, profileOfA, passes)
	for _, args := range [][]string{
		{"run", paths[1], "--worker", self, "--profile", paths[0], "--pbx", taken.LocalAddr().String()},
		{"pbx", "--profile", paths[0], taken.LocalAddr().String()},
		serving("--pbx", taken.LocalAddr().String()),
	} {
		e, _, stderr := edges(t, args, nil)
		if code := Run(context.Background(), e); code != 3 || !strings.Contains(stderr.String(), taken.LocalAddr().String()) {
			t.Errorf("%s: exit %d, %s", args[0], code, stderr)
		}
	}
}

// started is a Stdout that tells when the first line has come.
type started struct {
	buffer
	line chan struct{}
}

func (s *started) Write(p []byte) (int, error) {
	defer close(s.line)
	return s.buffer.Write(p)
}

func TestPBXAlone(t *testing.T) {
	paths := files(t, profileOfA)
	e, _, stderr := edges(t, []string{"pbx", "--profile", paths[0], "0"}, nil)
	out := &started{line: make(chan struct{})}
	e.Stdout = out
	ctx, stop := context.WithCancel(context.Background())
	go func() { <-out.line; stop() }()
	if code := Run(ctx, e); code != 0 || !strings.Contains(out.String(), "PBX on 127.0.0.1:") || !strings.Contains(out.String(), "users a;") {
		t.Errorf("exit %d, %s%s", code, out, stderr)
	}
	stop()
}

func TestPBXAddresses(t *testing.T) {
	for _, c := range []struct{ given, want string }{
		{"5070", "127.0.0.1:5070"},
		{":5070", "127.0.0.1:5070"},
		{"0", "127.0.0.1:0"},
		{"10.1.2.3", "10.1.2.3:5060"},
		{"10.1.2.3:5070", "10.1.2.3:5070"},
		{"localhost:5070", "127.0.0.1:5070"},
		{"[::1]:5070", "[::1]:5070"},
		{"", ""},
		{"pbx.example", ""},
		{"a.yaml", ""},
		{"127.0.0.1:70000", ""},
		{"127.0.0.1:sip", ""},
	} {
		addr, err := parsePBXAddr(c.given)
		if c.want == "" && err == nil || c.want != "" && addr.String() != c.want {
			t.Errorf("%q gives %v, %v, want %q", c.given, addr, err, c.want)
		}
	}
	if got := withPBXAddr([]string{"x.yaml", "--pbx", "5070", "-pbx", "y.yaml", "--pbx"}); !slices.Equal(got, []string{"x.yaml", "--pbx=5070", "-pbx", "y.yaml", "--pbx"}) {
		t.Errorf("joined: %q", got)
	}
}

func TestThePBXIsWhereTheProfileLooks(t *testing.T) {
	const head = "defaults: {password: x}\nphones:\n"
	for _, c := range []struct{ phones, want string }{
		{"  - {phone_id: a, username: a, domain: 127.0.0.1:5070}\n  - {phone_id: b, username: b, domain: 127.0.0.1:5070}\n", "127.0.0.1:5070"},
		{"  - {phone_id: a, username: a, domain: 127.0.0.1:5070}\n  - {phone_id: b, username: b, domain: 127.0.0.1:5080}\n", "127.0.0.1:5060"},
		{"  - {phone_id: a, username: a, domain: pbx.example}\n", "127.0.0.1:5060"},
		{"  - {phone_id: a, username: a, domain: 192.0.2.1}\n", "127.0.0.1:5060"},
	} {
		profile, err := config.Load(files(t, head+c.phones)[0], config.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := pbxAddr(profile.Phones); got != netip.MustParseAddrPort(c.want) {
			t.Errorf("%s gives %v, want %s", c.phones, got, c.want)
		}
	}
}
