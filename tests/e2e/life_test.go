package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

const listChanged = "notifications/tools/list_changed"

func workerPID(c *mcpclient.Client, phone string) int {
	return c.Must("get_phone", mcpclient.Args{"phone_id": phone}).Object("worker").Int("pid")
}

func TestToolsComeAndGoWithTheirPhone(t *testing.T) {
	t.Parallel()
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	static := c.Tools()
	a := phones.AddDirect(t, c, "a")
	own := c.ToolsOf("a")
	if n := a.Added.Int("tools_registered"); n != len(own) || n == 0 {
		t.Errorf("add_phone says %d tools, and there are %v", n, own)
	}
	if n := c.Notifications(listChanged); n != 1 {
		t.Errorf("add_phone sent %d notifications of a changed list", n)
	}
	dropped := c.Must("drop_phone", mcpclient.Args{"phone_id": "a"})
	if n := dropped.Int("tools_removed"); n != len(own) {
		t.Errorf("drop_phone says %d tools", n)
	}
	if after := c.Tools(); !slices.Equal(after, static) {
		t.Errorf("after drop_phone there are still %v", after)
	}
	if n := c.Notifications(listChanged); n != 2 {
		t.Errorf("add_phone and drop_phone sent %d notifications of a changed list", n)
	}
	if _, err := c.TryCall("a_hangup", nil); err == nil {
		t.Error("a tool of a dropped phone still answers")
	}
}

// A worker that is killed is noticed: its tools go, it starts again on the same
// port, its tools return; the other phone does not notice.
func TestKilledWorkerReturns(t *testing.T) {
	t.Parallel()
	c, a, b := pair(t)
	atA, _ := phones.Talk(a, b, b.URI())
	own := c.ToolsOf("b")
	killed, other := workerPID(c, "b"), workerPID(c, "a")
	before := c.Notifications(listChanged)
	if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	back := c.Until(phones.Patience, "a new worker of b", "get_phone", mcpclient.Args{"phone_id": "b"}, func(a mcpclient.Answer) bool {
		w := a.Object("worker")
		return w.String("state") == "running" && w.Int("pid") != killed
	})
	if n := back.Object("worker").Int("restarts"); n != 1 {
		t.Errorf("b says %d restarts", n)
	}
	if got := c.ToolsOf("b"); !slices.Equal(got, own) {
		t.Errorf("b has the tools %v, had %v", got, own)
	}
	if n := c.Notifications(listChanged) - before; n != 2 {
		t.Errorf("going and coming back sent %d notifications of a changed list, want 2", n)
	}
	if now := workerPID(c, "a"); now != other {
		t.Errorf("the worker of a changed from %d to %d", other, now)
	}
	if got := back.Int("local_port"); got != b.Port {
		t.Errorf("b is back on port %d, was on %d", got, b.Port)
	}
	a.Ends(atA, 200)
	phones.Talk(a, b, b.URI())
}

// However the server ends, it ends within 3 s and no worker outlives it; who was
// in a call with one of its phones, rang at one or was rung by one is told.
func TestNothingOutlivesTheServer(t *testing.T) {
	t.Parallel()
	const within = 3 * time.Second
	for name, end := range map[string]func(*mcpclient.Client){
		"stdin closed": func(c *mcpclient.Client) { c.Close() },
		"SIGTERM":      func(c *mcpclient.Client) { c.Signal(syscall.SIGTERM); c.WaitEnd(within) },
		"SIGINT":       func(c *mcpclient.Client) { c.Signal(os.Interrupt); c.WaitEnd(within) },
		"SIGKILL":      func(c *mcpclient.Client) { c.Signal(os.Kill); c.WaitEnd(within) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, a, b := pair(t)
			other := mcpclient.Start(t, programs, mcpclient.Options{})
			talks, rings, calls := phones.AddDirect(t, other, "talks"), phones.AddDirect(t, other, "rings"), phones.AddDirect(t, other, "calls")
			atA, inCall := phones.Talk(a, talks, talks.URI())
			recording := a.Do("get_recording", mcpclient.Args{"call_id": atA}).String("recording_file")
			a.Call(rings.URI())
			rung := rings.Rings()
			calling := calls.Call(b.URI())
			b.Rings()
			calls.Reaches(calling, "EARLY")
			workers := []int{workerPID(c, "a"), workerPID(c, "b")}
			began := time.Now()
			end(c)
			if code := c.ExitCode(); name != "SIGKILL" && code != 0 {
				t.Errorf("exit status %d", code)
			}
			for _, pid := range workers {
				awaitGone(t, pid)
			}
			if took := time.Since(began); took > within {
				t.Errorf("all that took %v", took)
			}
			if _, err := os.Stat(strings.TrimSuffix(recording, ".wav") + ".meta.json"); err != nil {
				t.Errorf("the sidecar of the call that was there: %v", err)
			}
			talks.Ends(inCall, 200)
			rings.Ends(rung, 487)
			calls.Ends(calling, 603)
		})
	}
}

// awaitGone waits until no process has the id, as long as a worker may take.
func awaitGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.After(3 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Errorf("process %d outlives its server", pid)
			return
		}
	}
}

// Without a worker program the server says so, names it, and goes on.
func TestAServerWithoutItsWorkerProgram(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "phoneworker")
	c := mcpclient.Start(t, programs, mcpclient.Options{Args: []string{"--worker", missing}})
	c.MustFail("add_phone", mcpclient.Args{"phone_id": "a", "username": "a", "password": "p", "domain": "127.0.0.1"}, missing, "install phoneworker")
	if n := c.Must("list_phones", nil).Int("total_count"); n != 0 {
		t.Errorf("there are %d phones", n)
	}
	if left := c.ToolsOf("a"); len(left) > 0 {
		t.Errorf("there are the tools %v", left)
	}
}

// load_phones hangs up before it takes the phones away; who was in a call with
// one of them is told.
func TestReplacingTheFleetEndsItsCalls(t *testing.T) {
	t.Parallel()
	c, a, b := pair(t)
	other := mcpclient.Start(t, programs, mcpclient.Options{})
	talks, calls := phones.AddDirect(t, other, "talks"), phones.AddDirect(t, other, "calls")
	_, inCall := phones.Talk(a, talks, talks.URI())
	calling := calls.Call(b.URI())
	b.Rings()
	calls.Reaches(calling, "EARLY")
	profile := filepath.Join(t.TempDir(), "phones.yaml")
	if err := os.WriteFile(profile, []byte("phones: [{phone_id: a, username: a, domain: 127.0.0.1, password: x, register: false}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded := c.Must("load_phones", mcpclient.Args{"path": profile})
	if gone := loaded.Fields["dropped"].([]any); len(gone) != 2 || len(loaded.List("added")) != 1 {
		t.Errorf("load_phones answers %s", loaded.Text)
	}
	talks.Ends(inCall, 200)
	calls.Ends(calling, 603)
	sent := c.Must("get_sip_log", mcpclient.Args{"phone_id": "a", "method": "BYE", "direction": "TX"})
	if sent.Int("total_count") == 0 {
		t.Error("the SIP log of a has no BYE")
	}
}

func TestProfileAtStart(t *testing.T) {
	t.Parallel()
	profile := filepath.Join(t.TempDir(), "phones.yaml")
	err := os.WriteFile(profile, []byte(`
defaults: {domain: 127.0.0.1, password: x, register: false}
phones:
  - {phone_id: a, username: a}
  - {phone_id: b, username: b}
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	c := mcpclient.Start(t, programs, mcpclient.Options{Args: []string{"--profile", profile}})
	if len(c.ToolsOf("a")) == 0 || len(c.ToolsOf("b")) == 0 {
		t.Errorf("the first list of tools is %v", c.Tools())
	}
	loaded := c.Must("load_phones", mcpclient.Args{"path": profile, "merge": false})
	if len(loaded.List("added")) != 2 || len(loaded.List("errors")) != 0 {
		t.Errorf("load_phones answers %s", loaded.Text)
	}
}
