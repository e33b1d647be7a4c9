package asterisk

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// HasContact tells whether a user has a registered contact now.
func (s *Server) HasContact(t testing.TB, user string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	out, err := s.Console(ctx, "pjsip show contacts")
	if err != nil {
		t.Fatalf("pjsip show contacts: %v\n%s", err, out)
	}
	return strings.Contains(out, user+"/sip:")
}

// Quiet stops writing every message to the log, which takes time that a
// measurement would see.
func (s *Server) Quiet(t testing.TB) {
	t.Helper()
	for _, command := range []string{"pjsip set logger off", "core set verbose 0"} {
		if out, err := s.Console(t.Context(), command); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
}

// sentHeading is the line that comes before every message that Asterisk sent.
const sentHeading = "<--- Transmitting SIP response"

// Accepted counts the requests of a method from a user, each Call-ID and CSeq
// once, that Asterisk answered with 200 so far.
func (s *Server) Accepted(method, user string) int {
	raw, err := os.ReadFile(filepath.Join(s.home, "log", "full"))
	if err != nil {
		return 0
	}
	sequence := regexp.MustCompile(`(?m)^CSeq: (\d+) ` + method)
	from := regexp.MustCompile(`(?m)^From:.*sip:` + user + `@`)
	callID := regexp.MustCompile(`(?m)^Call-ID: *(\S+)`)
	seen := map[string]bool{}
	for _, sent := range strings.Split(string(raw), sentHeading)[1:] {
		message, _, _ := strings.Cut(sent, "<---")
		cseq := sequence.FindStringSubmatch(message)
		if cseq != nil && from.MatchString(message) && strings.Contains(message, "SIP/2.0 200 ") {
			seen[callID.FindString(message)+" "+cseq[1]] = true
		}
	}
	return len(seen)
}

// SuiteOffered is the suite of SRTP in the first a=crypto line of the newest
// INVITE that Asterisk sent to a user; "" when there was none.
func (s *Server) SuiteOffered(user string) string {
	raw, err := os.ReadFile(filepath.Join(s.home, "log", "full"))
	if err != nil {
		return ""
	}
	crypto := regexp.MustCompile(`(?m)^a=crypto:\d+ (\S+)`)
	suite := ""
	for _, sent := range strings.Split(string(raw), "<--- Transmitting SIP request")[1:] {
		message, _, _ := strings.Cut(sent, "<---")
		if found := crypto.FindStringSubmatch(message); found != nil && strings.Contains(message, "INVITE sip:"+user+"@") {
			suite = found[1]
		}
	}
	return suite
}
