package examples

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	shipped "ringmaster/scenario/examples"
	"ringmaster/scenario/report"
	"ringmaster/scenario/timeline"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

var times = flag.Int("times", 1, "how often each example runs")

// folder is where the examples are.
const folder = "../../scenario/examples"

// runLimit is how long one scenario may take, its phones' beginning and end
// included: far longer than any does.
const runLimit = 30 * time.Second

var programs mcpclient.Programs

func TestMain(m *testing.M) {
	flag.Parse()
	var err error
	if programs, err = mcpclient.FindPrograms(); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		if err := programs.Remove(); err != nil {
			panic(err)
		}
		os.Exit(status) //nolint:forbidigo // TestMain ends the tests
	}))
}

// example is one of the scenarios, and the profile that its comment says it
// runs on.
type example struct{ file, profile string }

func (e example) name() string { return strings.TrimSuffix(e.file, ".yaml") }

// command is what the comment of an example tells to run.
var command = regexp.MustCompile(`(?m)^#   supervisor run scenario/examples/(\S+) --profile scenario/examples/(\S+) --pbx$`)

func examples(t *testing.T) []example {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all []example
	for _, path := range files {
		file := filepath.Base(path)
		if file == "phones.yaml" {
			continue // a profile
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		said := command.FindSubmatch(text)
		if said == nil || string(said[1]) != file {
			t.Fatalf("%s does not say how it is run", file)
		}
		all = append(all, example{file, string(said[2])})
	}
	return all
}

// home is a new folder with a short path, since sockets will be in it.
func home(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "x") //nolint:usetesting // t.TempDir has the test's name in its path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// copyExamples copies the examples, with their profiles and sounds, and with
// some words replaced by others.
func copyExamples(t *testing.T, to string, words *strings.Replacer) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(to, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	profiles, err := filepath.Glob(filepath.Join(to, "profiles", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, profiles...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(words.Replace(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// onFreePort lets everything speak to a registrar on a port that is free now.
func onFreePort(t *testing.T) (addr string, words *strings.Replacer) {
	t.Helper()
	addr = phones.FreeAddr(t)
	return addr, strings.NewReplacer(shipped.Registrar, addr)
}

// result is what a run came to.
type result struct {
	Name      string `json:"scenario_name"`
	Status    string
	Reason    string
	ElapsedMS int64 `json:"elapsed_ms"`
	Errors    []struct{ Msg string }
	Timeline  []timeline.Entry
}

// story is the timeline, a line for each entry.
func (r result) story() string {
	var b strings.Builder
	for _, e := range r.Timeline {
		b.WriteString(report.Style{}.Line(e) + "\n")
	}
	return b.String()
}

// faults are all that was wrong, as one text.
func (r result) faults() string {
	text := r.Reason
	for _, e := range r.Errors {
		text += "\n" + e.Msg
	}
	return text
}

// supervise runs scenarios by the command line, in a folder, and gives their
// results and the exit status.
func supervise(t *testing.T, dir string, args ...string) ([]result, int) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Duration(len(args))*runLimit)
	defer stop()
	cmd := exec.CommandContext(ctx, filepath.Join(programs.Dir, "supervisor"), append([]string{"run", "--json"}, args...)...)
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var results []result
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var r result
		if err := d.Decode(&r); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		results = append(results, r)
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 && code != 1 || strings.Contains(stderr.String(), "DATA RACE") {
		t.Errorf("exit status %d:\n%s", code, stderr.String())
	}
	return results, cmd.ProcessState.ExitCode()
}

// tally is what several runs of one example came to.
type tally struct {
	passed int
	took   []int64 // ms
	faults []string
}

func (c *tally) add(r result) {
	c.took = append(c.took, r.ElapsedMS)
	if r.Status == "ok" {
		c.passed++
	} else {
		c.faults = append(c.faults, r.Status+": "+r.faults()+"\n"+r.story())
	}
}

func (c *tally) String() string {
	slices.Sort(c.took)
	return fmt.Sprintf("%3d of %3d passed, median %5d ms, %d to %d", c.passed, len(c.took), c.took[len(c.took)/2], c.took[0], c.took[len(c.took)-1])
}
