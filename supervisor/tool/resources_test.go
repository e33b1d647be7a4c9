package tool

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ringmaster/docs"
	"ringmaster/proto/phone"
	"ringmaster/supervisor/shelf"
)

func TestResourcesAreListedInPages(t *testing.T) {
	s, _ := traffic()
	s.o.Recordings, s.o.Captures = t.TempDir(), t.TempDir()
	var names []string
	for i := range 7 {
		names = append(names, fmt.Sprintf("a/call_%d.wav", i))
	}
	records(t, s, names...)
	var got []string
	after := ""
	for page := 0; ; page++ {
		list, next, err := s.Resources(t.Context(), after, 4)
		if err != nil || len(list) > 4 || page > 3 {
			t.Fatalf("page %d: %v, %v", page, list, err)
		}
		for _, r := range list {
			got = append(got, strings.TrimPrefix(r.URI, shelf.Scheme))
		}
		if page == 0 { // what comes in between disturbs nobody
			records(t, s, "a/old.wav")
		}
		if after = next; after == "" {
			break
		}
	}
	want := []string{
		"recordings/a/call_6.wav", "recordings/a/call_5.wav", "recordings/a/call_4.wav", "recordings/a/call_3.wav",
		"recordings/a/call_2.wav", "recordings/a/call_1.wav", "sip-log/a", "sip-log/b", "recordings/a/call_0.wav", "recordings/a/old.wav",
		"guide/scenario-language", "guide/scenario-schema", "guide/scenarios",
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %q\nwant   %q", got, want)
	}
	if list, next, err := s.Resources(t.Context(), "zzz", 4); len(list) != 0 || next != "" || err != nil {
		t.Errorf("behind the end: %v, %q, %v", list, next, err)
	}
}

func TestReadGuides(t *testing.T) {
	s, _ := newScenarioSet(t, Options{})
	for _, g := range guides() {
		content, err := s.ReadResource(t.Context(), g.URI)
		if err != nil || !content.Text || content.MIME != g.MIME || len(content.Data) < 1000 {
			t.Errorf("%s: %v, %d bytes of %s", g.URI, err, len(content.Data), content.MIME)
		}
	}
}

// The guide tells clients which example to start from, and with which profile:
// they can read both.
func TestReadExamples(t *testing.T) {
	s, _ := newScenarioSet(t, Options{})
	named := regexp.MustCompile("`([a-z-]+\\.yaml)`").FindAllStringSubmatch(docs.WritingScenarios, -1)
	if len(named) < 10 {
		t.Fatalf("the guide names %d examples", len(named))
	}
	for _, n := range named {
		content, err := s.ReadResource(t.Context(), "ringmaster://guide/"+n[1])
		if err != nil || !content.Text || !strings.Contains(string(content.Data), "phones:") {
			t.Errorf("%s: %v, %q", n[1], err, content.Data)
		}
	}
	for _, none := range []string{"none.yaml", "../examples.go", "", ".", "audio/silence.wav"} {
		if _, err := s.ReadResource(t.Context(), "ringmaster://guide/"+none); err == nil {
			t.Errorf("%q can be read", none)
		}
	}
}

func TestReadResource(t *testing.T) {
	s, _ := traffic()
	s.o.Recordings = filepath.Join(t.TempDir(), "recordings")
	s.o.HostPaths = []HostPath{{Inside: s.o.Recordings, Host: "/host/recordings"}}
	records(t, s, "x", "a/call_0.wav")
	if err := os.Mkdir(filepath.Join(s.o.Recordings, "a", "dir.wav"), 0o700); err != nil {
		t.Fatal(err)
	}
	for uri, want := range map[string]string{
		"ringmaster://recordings/a/call_0.wav": "audio/wav false \x00",
		"ringmaster://sip-log/b":               "text/plain true 12:00:00.002 RX 451 bytes Request msg INVITE/cseq=12 from UDP 127.0.0.1:5071:\nINVITE",
		"ringmaster://sip-log/b/1000":          "text/plain true 12:00:00.002 RX",
	} {
		c, err := s.ReadResource(t.Context(), uri)
		if got := fmt.Sprint(c.MIME, " ", c.Text, " ", string(c.Data)); err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, %v", uri, got, err)
		}
	}
	for uri, want := range map[string]string{
		"ringmaster://sip-log/nobody":           "no SIP message of phone \"nobody\" is on record",
		"ringmaster://sip-log/A!":               "invalid",
		"ringmaster://sip-log/..":               "invalid",
		"ringmaster://sip-log/a/x":              `"x" is no call_id`,
		"ringmaster://sip-log/a/1000":           "belongs to",
		"ringmaster://sip-log/a/9999":           "not found",
		"ringmaster://sip-log/":                 "invalid",
		"ringmaster://runs/run_1":               "no scenario has run",
		"ringmaster://recordings/a/dir.wav":     "there is no such file",
		"ringmaster://recordings/../x":          "is not a name that the server gives",
		"ringmaster://captures/a/x.pcap":        "is not a name that the server gives", // no root
		"ringmaster://recordings/a/\x1b[2J.wav": "is not a name that the server gives",
	} {
		_, err := s.ReadResource(t.Context(), uri)
		if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\x1b\x00") || strings.Contains(err.Error(), s.o.Recordings) {
			t.Errorf("%q: %v, want %q", uri, err, want)
		}
	}
}

func TestALongSIPLogLosesItsOldestMessages(t *testing.T) {
	s := newSet(newFake("a"))
	long := strings.Repeat("x", 60_000)
	for i := range 100 {
		wire(s, "a", uint64(i+1), true, fmt.Sprintf("MESSAGE sip:b SIP/2.0\nCall-ID: c\nCSeq: %d MESSAGE\n\n%s", i, long))
	}
	c, err := s.ReadResource(t.Context(), "ringmaster://sip-log/a")
	text := string(c.Data)
	if err != nil || len(text) > shelf.Piece+1000 || !strings.Contains(text, "CSeq: 99 ") || strings.Contains(text, "CSeq: 1 ") || !strings.Contains(text[:100], "31 older messages are missing") {
		t.Errorf("%d bytes, %v: %.200q", len(text), err, text)
	}
}

func TestAnswersNameTheResourcesThatTheyTellOf(t *testing.T) {
	f := newFake("a")
	s := newSet(f)
	s.o.Recordings, s.o.Captures = "/r", "/c"
	s.o.HostPaths = []HostPath{{Inside: "/r", Host: "/host"}}
	f.outcomes["phone.GetRecording"] = phone.Outcome{Recording: &phone.RecordingInfo{Enabled: true, Path: "/r/a/call_0.wav", MetaPath: "/r/a/call_0.meta.json"}}
	f.outcomes["phone.StartCapture"] = phone.Outcome{Capture: &phone.CaptureInfo{Path: "/c/a/capture_x.pcap", Mode: "own"}}
	for _, w := range []struct{ tool, arguments, want string }{
		{"phone_action", `{"phone_id":"a","action":"get_recording"}`, `"resources":["ringmaster://recordings/a/call_0.wav","ringmaster://recordings/a/call_0.meta.json"]}`},
		{"start_capture", `{"phone_id":"a"}`, `"resources":["ringmaster://captures/a/capture_x.pcap"]}`},
	} {
		if got := string(find(t, s, w.tool).Call(t.Context(), []byte(w.arguments)).JSON); !strings.HasSuffix(got, w.want) {
			t.Errorf("%s answers %s\nwithout %s at its end", w.tool, got, w.want)
		}
	}
	path := Path("/host/a/call_0.wav")
	id := "run_1"
	run := runResult{RunID: &id, runReport: runReport{Artifacts: map[phone.ID]*artifacts{"b": nil, "a": {Recording: &path}}}}
	if got := s.linked(&run); !slices.Equal(got, []string{"ringmaster://runs/run_1", "ringmaster://recordings/a/call_0.wav"}) {
		t.Errorf("of a run: %q", got)
	}
}
