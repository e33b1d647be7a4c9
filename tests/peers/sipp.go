package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// SIPp is one SIPp that plays one scenario once. It echoes what RTP it
// gets, unless the scenario has sound of its own.
type SIPp struct {
	// Port is where it speaks SIP over UDP.
	Port int

	t        testing.TB
	p        *program
	messages string // path of its log of messages
}

// Wait gives SIPp a scenario in which it is called (or registered with), and
// returns when it listens. values fill {{.name}} in the scenario.
func Wait(t testing.TB, scenario string, values map[string]any) *SIPp {
	t.Helper()
	s := play(t, scenario, "", values)
	s.p.listens("udp", s.Port)
	return s
}

// Play gives SIPp a scenario in which it begins, towards a phone at host:port.
func Play(t testing.TB, scenario, to string, values map[string]any) *SIPp {
	t.Helper()
	return play(t, scenario, to, values)
}

func play(t testing.TB, scenario, to string, values map[string]any) *SIPp {
	t.Helper()
	need(t, "sipp")
	home := t.TempDir()
	text, err := fill(scenario, values)
	if err != nil {
		t.Fatalf("%s: %v", scenario, err)
	}
	port := freePorts(t, 6)
	s := &SIPp{Port: port, t: t, messages: filepath.Join(home, "messages.log")}
	args := []string{
		"-sf", write(t, home, "scenario.xml", text), "-m", "1", "-nostdin", "-i", host, "-p", strconv.Itoa(port),
		"-mp", strconv.Itoa(port + 2), "-timeout", "60s", "-timeout_error", "-default_behaviors", "all,-bye",
		"-trace_msg", "-message_file", s.messages, "-trace_err", "-error_file", filepath.Join(home, "errors.log"),
	}
	if !strings.Contains(text, "rtp_stream") { // either it echoes, or it has sound of its own
		args = append([]string{"-rtp_echo"}, args...)
	}
	if to != "" {
		args = append([]string{to}, args...)
	}
	s.p = run(t, home, "sipp", args...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("SIPp's messages in %s:\n%s", scenario, s.Messages())
		}
	})
	return s
}

// URI is where it is called.
func (s *SIPp) URI() string { return fmt.Sprintf("sip:peer@%s:%d", host, s.Port) }

// Domain is its address, for a phone that is to register with it.
func (s *SIPp) Domain() string { return fmt.Sprintf("%s:%d", host, s.Port) }

// Done waits for the scenario's end and requires that everything was as it says.
func (s *SIPp) Done() {
	s.t.Helper()
	select {
	case <-s.p.ended:
	case <-time.After(70 * time.Second): // SIPp ends itself after 60
		s.t.Fatal("SIPp does not end")
	}
	if s.p.err != nil {
		raw, _ := os.ReadFile(filepath.Join(s.p.home, "errors.log")) // there is none where SIPp has no complaint
		s.t.Fatalf("SIPp ended with %v: not all was as its scenario says.\n%s", s.p.err, raw)
	}
}

// Messages is the log of all that SIPp sent and received.
func (s *SIPp) Messages() string {
	raw, err := os.ReadFile(s.messages)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// Received returns the messages whose first line begins so, as they came in,
// repetitions among them.
func (s *SIPp) Received(begin string) []string {
	s.t.Helper()
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^-{20,}.*$`).Split(s.Messages(), -1) {
		heading, message, _ := strings.Cut(strings.TrimSpace(m), "\n\n")
		if strings.Contains(heading, "message received") && strings.HasPrefix(message, begin) {
			all = append(all, message)
		}
	}
	return all
}

// Until waits until SIPp has received n messages that begin so.
func (s *SIPp) Until(n int, begin string) {
	s.t.Helper()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for late := time.After(patience); len(s.Received(begin)) < n; {
		select {
		case <-tick.C:
		case <-late:
			s.t.Fatalf("SIPp has received %d times %q after %v, want %d", len(s.Received(begin)), begin, patience, n)
		}
	}
}
