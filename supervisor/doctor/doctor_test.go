package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"ringmaster/tests/fakeworker"
)

func TestMain(m *testing.M) {
	fakeworker.Main()
	goleak.VerifyTestMain(m)
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		got  Finding
		ok   bool
		part string
	}{
		{judgeOpenFiles(864), true, "about 100 phones"},
		{judgeOpenFiles(863), false, "about 99 phones"},
		{judgeOpenFiles(0), false, "about 0 phones"},
		{judgeOpenFiles(unix.RLIM_INFINITY), true, "no limit"},
		{judgeProcesses(1240), true, "about 100 phones"},
		{judgeProcesses(1239), false, "about 99 phones"},
		{judgeProcesses(unix.RLIM_INFINITY), true, "no limit"},
		{judgePorts(32768, 60999, true), true, "28232 free to choose from (32768 to 60999), enough for about 9410 phones in a call"},
		{judgePorts(32768, 60999, false), true, "5060 is taken"},
		{judgePorts(1000, 1298, true), false, "about 99 phones"},
		{judgeSpace("recordings", "/r", 100<<20), true, "100 MB free"},
		{judgeSpace("recordings", "/r", 100<<20-1), false, "99 MB free"},
	} {
		if c.got.OK != c.ok || !strings.Contains(c.got.Found, c.part) || c.got.OK == (c.got.Advice != "") {
			t.Errorf("%+v, want ok %v and %q", c.got, c.ok, c.part)
		}
	}
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, ok := range map[string]bool{
		dir: true, filepath.Join(dir, "not", "yet", "there"): true, file: false, filepath.Join(file, "below"): false, "/proc/nowhere": false,
	} {
		if f := folder("recordings", path); f.OK != ok {
			t.Errorf("%s: %+v", path, f)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("something was made: %v, %v", left, err)
	}
}

func program(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tcpdump")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil { //nolint:gosec,nolintlint // a program
		t.Fatal(err)
	}
	return path
}

func TestTcpdump(t *testing.T) {
	for _, c := range []struct {
		path string
		ok   bool
		part string
	}{
		{program(t, "printf 123456789012345678901234; exec sleep 60"), true, " captures"},
		{program(t, "echo \"tcpdump: any: You don't have permission to capture on that device\" >&2; exit 1"), false, "permission to capture"},
		{program(t, "exit 1"), false, "may not capture"},
		{"/no/such/tcpdump", false, "it is not there"},
	} {
		f := Subject{Tcpdump: c.path}.tcpdump(t.Context())
		if f.OK != c.ok || !strings.Contains(f.Found, c.part) || f.OK == (f.Advice != "") {
			t.Errorf("%s: %+v, want ok %v and %q", c.path, f, c.ok, c.part)
		}
	}
}

func TestWorker(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(t.TempDir(), "phoneworker")
	if err := os.WriteFile(plain, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		flags      []string
		ok         bool
		part       string
	}{
		{"right", self, []string{"-version", "7"}, true, "starts and is version 7"},
		{"other build", self, []string{"-version", "6"}, false, `is version "6" and the supervisor is "7"`},
		{"ends at once", self, []string{"-exit-early"}, false, "it ended before it was ready (exit status 4"},
		{"missing", "/no/such/worker", nil, false, "/no/such/worker"},
		{"not executable", plain, nil, false, "(permission denied): make it executable (chmod +x)"},
	} {
		temp, err := os.MkdirTemp("", "d") //nolint:usetesting // a short path, for unix sockets
		if err != nil {
			t.Fatal(err)
		}
		findings := Subject{
			Worker: c.path, WorkerArgs: fakeworker.Args(c.flags...), Version: "7", Environ: fakeworker.Environ(), TempDir: temp,
		}.worker(t.Context())
		if f := findings[len(findings)-1]; f.OK != c.ok || strings.Contains(f.Advice, "chmod +x "+plain) != (c.path == plain) || !strings.Contains(f.Found, c.part) || Healthy(findings) != c.ok {
			t.Errorf("%s: %+v", c.name, findings)
		}
		if err := os.Remove(temp); err != nil {
			t.Errorf("%s: something is left behind: %v", c.name, err)
		}
	}
}

func TestALongTemporaryFolderIsNamed(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	findings := Subject{Worker: "/bin/true", TempDir: long}.worker(t.Context())
	if len(findings) != 1 || findings[0].OK || !strings.Contains(findings[0].Found, "too long for a unix socket: set TMPDIR") {
		t.Errorf("%+v", findings)
	}
	if left, err := os.ReadDir(long); err != nil || len(left) > 0 {
		t.Errorf("something is left behind: %v, %v", left, err)
	}
}
