package tool

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// records puts files into the folder of recordings, each a second after the
// one before.
func records(t *testing.T, s *Set, names ...string) {
	t.Helper()
	for i, name := range names {
		path := filepath.Join(s.o.Recordings, name)
		at := now.Add(time.Duration(i) * time.Second)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, i), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

func TestListRecordings(t *testing.T) {
	pin(t, "list_recordings", func(a *answers) {
		s := newSet(newFake("a"))
		s.o.Recordings = filepath.Join(t.TempDir(), "recordings")
		s.o.HostPaths = []HostPath{{Inside: s.o.Recordings, Host: "/host/recordings"}}
		a.add(s, "no folder yet", `{}`)
		records(t, s, "a/call_0_20261122_120000_000001.wav", "a/call_0_20261122_120000_000001.meta.json", "gone/notes.wav", "call_a_7_20261122_120000.wav")
		a.add(s, "a phone that is gone, an older layout, and what the client sees for the folder", `{}`)
		a.add(s, "of call 0", `{"call_id": 0}`)
		a.add(s, "of a phone", `{"phone_id": "gone"}`)
		a.add(s, "none", `{"phone_id": "nobody"}`)
		a.add(s, "an invalid phone_id", `{"phone_id": "../a"}`)
	})
}

func TestAListThatIsNewestFirstLosesItsLastEntries(t *testing.T) {
	s := newSet(newFake("a"))
	s.o.Recordings = t.TempDir()
	var names []string
	for i := range 600 {
		names = append(names, fmt.Sprintf("a/call_%d_%s.wav", i, strings.Repeat("x", 100)))
	}
	records(t, s, names...)
	answer := find(t, s, "list_recordings").Call(t.Context(), nil)
	text := string(answer.JSON)
	if len(text) > answerBound || len(text) < answerBound-1000 {
		t.Errorf("the answer has %d bytes", len(text))
	}
	if !strings.Contains(text, `{"filename":"call_599_`) || strings.Contains(text, `"filename":"call_0_`) || !strings.Contains(text, "older entries are missing") {
		t.Errorf("it has lost its newest entry, or not its oldest: %.200s", text)
	}
}
