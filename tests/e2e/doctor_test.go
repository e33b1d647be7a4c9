package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// On a machine that lacks nearly everything the doctor says of each thing what
// it found and what to do, and its exit status is 1.
func TestDoctorOfAPoorMachine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	worker := filepath.Join(dir, "phoneworker")
	cmd := exec.Command("/bin/sh", "-c", `ulimit -n 200 && exec "$@"`, "sh",
		filepath.Join(programs.Dir, "supervisor"), "doctor", "--worker", worker, "--recordings-dir", file, "--captures-dir", filepath.Join(file, "below"))
	cmd.Env = []string{"PATH=/nowhere", "HOME=" + dir, "TMPDIR=" + os.TempDir()}
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("it ended with %v:\n%s", err, out)
	}
	lines := strings.Split(string(out), "\n")
	for _, want := range []struct{ name, found, advice string }{
		{"worker program", "the worker program " + worker + " cannot be run (no such file or directory)", "install supervisor and phoneworker of the same build side by side"},
		{"tcpdump", "it is not there: phones work", "install tcpdump where it is on the PATH"},
		{"recordings", file + " is not a folder", "--recordings-dir"},
		{"captures", "below", "--captures-dir"},
		{"open files", "200 for a process, enough for about 17 phones", "ulimit -n"},
	} {
		said := false
		for i, line := range lines {
			if strings.HasPrefix(line, "problem  "+want.name) {
				said = strings.Contains(line, want.found) && strings.Contains(lines[i+1], "→") && strings.Contains(lines[i+1], want.advice)
			}
		}
		if !said {
			t.Errorf("it does not say of %s %q and %q:\n%s", want.name, want.found, want.advice, out)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("it has made %v, %v", left, err)
	}
}
