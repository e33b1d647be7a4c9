package peers

import (
	"bytes"
	"regexp"
	"sync"
	"testing"
	"time"
)

// transcript is what a program says, for as long as it runs.
type transcript struct {
	mu      sync.Mutex
	text    bytes.Buffer
	read    int // how far await has come
	changed chan struct{}
}

func newTranscript() *transcript { return &transcript{changed: make(chan struct{}, 1)} }

// Write implements io.Writer.
func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p)
	select {
	case s.changed <- struct{}{}:
	default: // a reader has yet to see the last change
	}
	return len(p), nil
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// take looks for a pattern in what no take has passed, and passes it.
func (s *transcript) take(pattern *regexp.Regexp) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	unread := s.text.Bytes()[s.read:]
	at := pattern.FindSubmatchIndex(unread)
	if at == nil {
		return nil
	}
	s.read += at[1]
	var groups []string
	for i := 0; i+1 < len(at); i += 2 {
		group := ""
		if at[i] >= 0 {
			group = string(unread[at[i]:at[i+1]])
		}
		groups = append(groups, group)
	}
	return groups
}

// await waits for a pattern and returns what it matched, the whole first, then
// its groups. who names the speaker. Only one goroutine may wait.
func (s *transcript) await(t testing.TB, who, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		if found := s.take(re); found != nil {
			return found
		}
		select {
		case <-s.changed:
		case <-late.C:
			t.Fatalf("%s has not said %q after %v; it said\n%s", who, pattern, patience, s)
		}
	}
}
