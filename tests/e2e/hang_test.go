package e2e

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// A server ends in time, however it ends, although a worker of its stands still;
// nothing of it is left, and who was in a call with another of its phones is
// told.
func TestAServerEndsWithAWorkerThatHangs(t *testing.T) {
	t.Parallel()
	const within = 3 * time.Second
	for name, end := range map[string]func(*mcpclient.Client){
		"stdin closed": func(c *mcpclient.Client) { c.Close() },
		"SIGTERM":      func(c *mcpclient.Client) { c.Signal(syscall.SIGTERM); c.WaitEnd(within) },
		"SIGKILL":      func(c *mcpclient.Client) { c.Signal(os.Kill); c.WaitEnd(within) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, a, b := pair(t)
			other := mcpclient.Start(t, programs, mcpclient.Options{})
			talks, hangs := phones.AddDirect(t, other, "talks"), phones.AddDirect(t, other, "hangs")
			_, inCall := phones.Talk(a, talks, talks.URI())
			_, withHanging := phones.Talk(b, hangs, hangs.URI())
			workers := []int{workerPID(c, "a"), workerPID(c, "b")}
			stop(t, workers[1])
			began := time.Now()
			end(c)
			if code := c.ExitCode(); name != "SIGKILL" && code != 0 {
				t.Errorf("exit status %d", code)
			}
			for _, pid := range workers {
				awaitGone(t, pid)
			}
			if took := time.Since(began); took > within {
				t.Errorf("it took %v", took)
			}
			talks.Ends(inCall, 200)
			hangs.Ends(withHanging, 200)
		})
	}
}

// stop lets a process stand still, and waits until it does.
func stop(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) }) // where a test fails, it is to leave
	for deadline := time.Now().Add(phones.Patience); ; <-time.After(time.Millisecond) {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		if _, after, _ := strings.Cut(string(raw), ") "); strings.HasPrefix(after, "T") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %d does not stop", pid)
		}
	}
}
