package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

const secret = "correct-horse-battery"

// registered are two phones at the embedded PBX, in a supervisor that logs all
// it can.
func registered(t *testing.T, options ...string) (c *mcpclient.Client, a, b *phones.Phone) {
	t.Helper()
	return registeredAs(t, secret, options...)
}

func registeredAs(t *testing.T, password string, options ...string) (c *mcpclient.Client, a, b *phones.Phone) {
	t.Helper()
	c = mcpclient.Start(t, programs, mcpclient.Options{Args: append([]string{"--pbx=127.0.0.1:0"}, options...)})
	listens := regexp.MustCompile(`address"?[=:]"?(127\.0\.0\.1:\d+)`).FindStringSubmatch(c.Stderr())
	if listens == nil {
		t.Fatalf("the log does not say where the PBX listens:\n%s", c.Stderr())
	}
	domain := listens[1]
	a = phones.Add(t, c, "a", mcpclient.Args{"domain": domain, "password": password})
	b = phones.Add(t, c, "b", mcpclient.Args{"domain": domain, "password": password})
	return c, a, b
}

// A line of the log that concerns a phone names it, one that concerns a call
// names it by both its names; no line has a password, and none calls an error
// what the server did itself.
func TestLogNamesPhoneAndCall(t *testing.T) {
	t.Parallel()
	c, a, b := registered(t, "--log-level", "trace", "--log-format", "json")
	atA, atB := phones.Talk(a, b, "sip:b@"+a.Added.String("domain"))
	a.Do("hangup", nil)
	sipCallID := func(p *phones.Phone, call int) string {
		messages := c.Must("get_call_messages", mcpclient.Args{"phone_id": p.ID, "call_id": call}).List("messages")
		if len(messages) == 0 {
			t.Fatalf("%s has no messages of call %d", p.ID, call)
		}
		return messages[0].String("call_id")
	}
	want := map[string]string{
		fmt.Sprintf("a/%d", atA): sipCallID(a, atA),
		fmt.Sprintf("b/%d", atB): sipCallID(b, atB),
	}
	b.Ends(atB, 200)
	if err := syscall.Kill(workerPID(c, "a"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.Until(phones.Patience, "a new worker of a", "get_phone", mcpclient.Args{"phone_id": "a"}, func(a mcpclient.Answer) bool {
		return a.Object("worker").String("state") == "running" && a.Object("worker").Int("restarts") == 1
	})
	c.Must("drop_phone", mcpclient.Args{"phone_id": "a"})
	c.Close()

	exited := false
	for line := range strings.Lines(c.Stderr()) {
		if strings.Contains(line, secret) {
			t.Errorf("the password is in %s", line)
		}
		var entry struct {
			Level   string `json:"@level"`
			Message string `json:"@message"`
			Phone   string `json:"phone_id"`
			Call    *int   `json:"call_id"`
			SIPCall string `json:"sip_call_id"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Level == "" {
			t.Errorf("this is no entry of the log (%v): %s", err, line)
			continue
		}
		if entry.Level == "error" {
			t.Errorf("an error in a life without any: %s", line)
		}
		exited = exited || entry.Message == "worker ended" && entry.Phone == "a" && entry.Level == "warn"
		if entry.Call != nil && entry.SIPCall != "" {
			if of := fmt.Sprintf("%s/%d", entry.Phone, *entry.Call); want[of] == entry.SIPCall {
				delete(want, of)
			} else if want[of] != "" {
				t.Errorf("call %s is %q, want %q", of, entry.SIPCall, want[of])
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("the log names no %v", want)
	}
	if !exited {
		t.Error("the log does not say that a's worker ended")
	}
}

// The level and the form of the log are the workers' as well.
func TestLogLevelReachesTheWorkers(t *testing.T) {
	t.Parallel()
	for level, said := range map[string]bool{"debug": true, "info": false} {
		c, a, b := registered(t, "--log-level", level)
		phones.Talk(a, b, "sip:b@"+a.Added.String("domain"))
		c.Close()
		if got := strings.Contains(c.Stderr(), "the call is confirmed"); got != said {
			t.Errorf("--log-level %s: the workers' debugging is there: %v", level, got)
		}
		if strings.Contains(c.Stderr(), "{") {
			t.Errorf("text has JSON in it:\n%s", c.Stderr())
		}
		if strings.Contains(c.Stderr(), secret) {
			t.Error("the log has the password")
		}
	}
}

// A supervisor that was killed leaves no folder behind once its workers have
// left.
func TestAKilledServerLeavesNoFolder(t *testing.T) {
	t.Parallel()
	temp, err := os.MkdirTemp("", "t") //nolint:usetesting // a short path, for unix sockets
	if err != nil {
		t.Fatal(err)
	}
	c := mcpclient.Start(t, programs, mcpclient.Options{Env: []string{"TMPDIR=" + temp}})
	phones.AddDirect(t, c, "a")
	phones.AddDirect(t, c, "b")
	if made, err := filepath.Glob(filepath.Join(temp, "rm-*", "*", "*")); err != nil || len(made) != 2 {
		t.Fatalf("the workers' sockets are %v, %v", made, err)
	}
	workers := []int{workerPID(c, "a"), workerPID(c, "b")}
	c.Signal(os.Kill)
	c.WaitEnd(phones.Patience)
	for _, pid := range workers {
		awaitGone(t, pid)
	}
	if err := os.Remove(temp); err != nil {
		t.Errorf("something is left: %v", err)
	}
}
