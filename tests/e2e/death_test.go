package e2e

import (
	"syscall"
	"testing"
	"time"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// kill kills the worker of a phone and waits until another one runs.
func kill(t *testing.T, c *mcpclient.Client, phone string) {
	t.Helper()
	killed := workerPID(c, phone)
	if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.Until(phones.Patience, "a new worker of "+phone, "get_phone", mcpclient.Args{"phone_id": phone}, func(a mcpclient.Answer) bool {
		w := a.Object("worker")
		return w.String("state") == "running" && w.Int("pid") != killed
	})
}

// The recording that a worker had open when it was killed is whole, and has a
// sidecar with what was known of the call, before another worker is there.
func TestRecordingOfAKilledWorkerIsWhole(t *testing.T) {
	c, a, b := pair(t)
	atA, atB := phones.Talk(a, b, b.URI())
	a.Plays(atA, 600)
	a.Receives(atA, phones.Talking)
	b.Receives(atB, phones.Talking)
	kill(t, c, "b")
	r := b.Recording(atB)
	if r.Duration() < phones.Talking-200*time.Millisecond {
		t.Errorf("of %v of talk, %v are recorded", phones.Talking, r.Duration())
	}
	b.Heard(r, 600)
	s := b.Sidecar(atB)
	for key, want := range map[string]any{"direction": "inbound", "last_status": 200.0, "last_status_text": "worker exited", "codec": "PCMA"} {
		if s[key] != want {
			t.Errorf("the sidecar has %s %v, want %v", key, s[key], want)
		}
	}
	for _, key := range []string{"started_at", "ended_at", "remote_uri", "local_rtp_port", "remote_rtp_port"} {
		if s[key] == nil {
			t.Errorf("the sidecar knows no %s: %v", key, s)
		}
	}
	if d, _ := s["duration"].(float64); d < 2 {
		t.Errorf("the sidecar has duration %v", s["duration"])
	}
}
