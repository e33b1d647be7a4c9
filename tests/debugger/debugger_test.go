package debugger

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dlvVariable names the environment variable with delve's path; `make interop`
// sets it.
const dlvVariable = "RINGMASTER_DLV"

// beyondHealth is longer than a worker may give no answer (5 s, asked every
// 2 s) before it is killed.
const beyondHealth = 8 * time.Second

// documented gives the words of the command of docs/DEBUGGING.md that begins
// so. Files in bin/ are in the given folder instead.
func documented(t *testing.T, begin, bin string) []string {
	t.Helper()
	raw, err := os.ReadFile("docs/DEBUGGING.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, begin) {
			continue
		}
		var words []string
		// Single quotes are the only ones there.
		for i, part := range strings.Split(line, "'") {
			if i%2 == 1 {
				words[len(words)-1] += part
				continue
			}
			words = append(words, strings.Fields(part)...)
		}
		for i, w := range words {
			if name, inBin := strings.CutPrefix(w, "bin/"); inBin {
				words[i] = filepath.Join(bin, name)
			}
		}
		return words
	}
	t.Fatalf("docs/DEBUGGING.md has no command %q", begin)
	return nil
}

func delve(t *testing.T) string {
	t.Helper()
	if path := os.Getenv(dlvVariable); path != "" {
		return path
	}
	path, err := exec.LookPath("dlv")
	if err != nil {
		t.Skipf("there is no delve: make interop brings it, or set %s", dlvVariable)
	}
	return path
}

// A phone of a fleet stands at a breakpoint for longer than its health may take
// and works after; the others work all the while.
func TestAPhoneAtABreakpoint(t *testing.T) {
	dlv := delve(t)
	programs, err := mcpclient.FindPrograms()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := programs.Remove(); err != nil {
			t.Error(err)
		}
	}()
	dir := t.TempDir()
	t.Chdir("../..")
	build := documented(t, "go build", dir)
	if out, err := exec.Command(build[0], build[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", build, err, out)
	}

	command := documented(t, "dlv exec --headless", dir)
	command[0] = dlv
	for i, w := range command {
		if strings.HasPrefix(w, "--listen=") {
			command[i] = "--listen=127.0.0.1:0"
		}
	}
	worker := debug(t, command...)
	stop := worker.breakpoint("ringmaster/worker/handset.(*Handset).makeCall")
	stopped := worker.run()
	reattach := worker.line(`{"Protocol"`)

	options := documented(t, "bin/supervisor --profile", programs.Dir)
	if options[3] != "--adopt" || !strings.HasPrefix(options[4], "a={") {
		t.Fatalf("docs/DEBUGGING.md adopts by %q", options)
	}
	c := mcpclient.Start(t, programs, mcpclient.Options{Args: []string{"--adopt", "a=" + reattach}})
	a, b := phones.AddDirect(t, c, "a"), phones.AddDirect(t, c, "b")
	before := c.Must("get_phone", mcpclient.Args{"phone_id": "a"}).Object("worker")
	if before.String("state") != "running" {
		t.Fatalf("a: %v", before)
	}

	began, called := time.Now(), make(chan error, 1)
	go func() {
		_, err := c.TryCall("a_make_call", mcpclient.Args{"dest_uri": b.URI()})
		called <- err
	}()
	if at := stopped().State.Thread; at == nil || at.Function == nil || !strings.HasSuffix(at.Function.Name, ".makeCall") {
		t.Fatalf("stopped at %+v", at)
	}
	<-time.After(beyondHealth)
	if b.Do("list_calls", nil).Int("total_count") != 0 {
		t.Error("b was called by a phone that stands still")
	}
	worker.clear(stop)
	stopped = worker.run()
	if err := <-called; err != nil {
		t.Fatalf("make_call: %v", err)
	}
	if took := time.Since(began); took < beyondHealth {
		t.Errorf("make_call took %v, with a breakpoint in it", took)
	}

	atB := b.Answers()
	b.Reaches(atB, "CONFIRMED")
	a.Do("send_dtmf", mcpclient.Args{"digits": "5"})
	after := c.Must("get_phone", mcpclient.Args{"phone_id": "a"}).Object("worker")
	if after.Int("pid") != before.Int("pid") || after.Int("restarts") != 0 {
		t.Errorf("a was restarted: %v, then %v", before, after)
	}
	a.Do("hangup", nil)
	b.Ends(atB, 200)

	c.Close()
	if end := stopped(); !end.State.Exited || end.State.ExitStatus != 0 {
		t.Errorf("without its supervisor the worker does not leave in order: %+v", end)
	}
}
