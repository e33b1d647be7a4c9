package e2e

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the demo's output into README.md")

const (
	readme    = "../../README.md"
	demoBegin = "<!-- What `make demo` prints; tests/e2e compares it, and writes it with -update. -->\n```text\n"
	demoEnd   = "```\n<!-- End of the demo. -->\n"
)

// runDemo runs the demo as a user does, and requires that it passes in time.
func runDemo(t *testing.T) string {
	t.Helper()
	temp, err := os.MkdirTemp("", "d") //nolint:usetesting // a short path, for unix sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(temp); err != nil {
			t.Error(err)
		}
	})
	ctx, stop := context.WithTimeout(t.Context(), 40*time.Second)
	defer stop()
	var out, log bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(programs.Dir, "supervisor"), "demo")
	cmd.Env = []string{"HOME=" + temp, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + temp, "TERM=xterm"}
	cmd.Stdout, cmd.Stderr = &out, &log
	began := time.Now()
	if err := cmd.Run(); err != nil {
		t.Errorf("the demo ended with %v\n%s%s", err, &out, &log)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("the demo took %v; it has 30 s", took)
	}
	if log.Len() > 0 {
		t.Errorf("the demo complains: %s", &log)
	}
	if wavs, err := filepath.Glob(filepath.Join(temp, "ringmaster-demo-*/recordings/[ab]/call_*.wav")); err != nil || len(wavs) != 2 {
		t.Errorf("the recordings that are left: %v, %v", wavs, err)
	}
	return strings.ReplaceAll(out.String(), temp+"/", "/tmp/")
}

// What differs from run to run.
var passing = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`[+-]?\d+\.\d{3}s?\b`), "+T"},
	{regexp.MustCompile(`\d+\.\d s\b`), "T s"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:P"},
	{regexp.MustCompile(`(process|port) \d+`), "$1 N"},
	{regexp.MustCompile(`ringmaster \S+ speaks`), "ringmaster V speaks"},
	{regexp.MustCompile(`\d+ tools: \d+ for`), "N tools: N for"},
	{regexp.MustCompile(`_\d{8}_\d{6}_\d{6}`), "_STAMP"},
	{regexp.MustCompile(`ringmaster-demo-\d+`), "ringmaster-demo-N"},
	{regexp.MustCompile(`\d+ packets sent, \d+ received, \d+ lost, jitter \d+\.\d+ ms`), "N packets sent, N received, N lost, jitter J ms"},
	{regexp.MustCompile(`-\d+\.\d dBov`), "L dBov"},
	{regexp.MustCompile(` +`), " "},
}

// lasting gives the sections of an output without what differs from run to
// run. What two phones do at the same time has no order.
func lasting(output string) [][]string {
	for _, p := range passing {
		output = p.what.ReplaceAllString(output, p.as)
	}
	var sections [][]string
	for _, section := range strings.Split(strings.TrimSpace(output), "\n\n") {
		lines := strings.Split(section, "\n")
		slices.Sort(lines)
		sections = append(sections, lines)
	}
	return sections
}

func TestReadmeShowsTheDemo(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), demoBegin)
	shown, after, ends := strings.Cut(rest, demoEnd)
	if !begins || !ends {
		t.Fatalf("README.md lacks the lines\n%s%s", demoBegin, demoEnd)
	}
	got := runDemo(t)
	if *update {
		whole := before + demoBegin + strings.TrimLeft(got, "\n") + demoEnd + after
		if err := os.WriteFile(readme, []byte(whole), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, have := lasting(shown), lasting(got)
	if len(want) != len(have) {
		t.Fatalf("README.md shows %d sections of the demo, and it has %d:\n%s", len(want), len(have), got)
	}
	for i := range want {
		if !slices.Equal(want[i], have[i]) {
			t.Errorf("README.md shows\n%s\n\nand the demo prints\n%s", strings.Join(want[i], "\n"), strings.Join(have[i], "\n"))
		}
	}
	if strings.Contains(got, "\x1b") {
		t.Error("to a file, the demo writes escape sequences")
	}
}

func TestTwoDemosAtOnce(t *testing.T) {
	t.Parallel()
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { runDemo(t) })
	}
	both.Wait()
}
