package tool

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/timeline"
)

func TestMakeReport(t *testing.T) {
	s, _ := traffic()
	s.o.Recordings, s.o.Captures = filepath.Join(t.TempDir(), "recordings"), t.TempDir()
	s.o.HostPaths = []HostPath{{Inside: s.o.Recordings, Host: "/host/recordings"}}
	s.o.Hub.Append("a", 1, phone.Entry{Seq: 20, Ended: &phone.CallInfo{
		CallID: 0, SIPCallID: "abc@h", State: phone.StateDisconnected, Direction: phone.Outbound, RemoteURI: "sip:b@h", LastStatus: 486, LastStatusText: "Busy <b>Here</b>",
		StartedAt: now, EndedAt: now.Add(time.Second),
	}})
	report := find(t, s, "make_report")
	answer := report.Call(t.Context(), []byte(`{"call_id": 0}`))
	var made struct {
		Path, URI, Verdict, Status, Error string
		PhoneID                           string `json:"phone_id"`
		FileSize                          int64  `json:"file_size"`
		Resources                         []string
	}
	if err := json.Unmarshal(answer.JSON, &made); err != nil || answer.IsError {
		t.Fatalf("%v: %s", err, answer.JSON)
	}
	name, ok := strings.CutPrefix(made.Path, "/host/recordings/a/")
	html, err := os.ReadFile(filepath.Join(s.o.Recordings, "a", name))
	if !ok || err != nil || made.Verdict != "Refused" || made.PhoneID != "a" || made.FileSize != int64(len(html)) || len(made.Resources) != 1 || made.Resources[0] != made.URI {
		t.Errorf("%+v, %v", made, err)
	}
	for _, want := range []string{"Call 0 of phone a", "INVITE, SDP", "Busy &lt;b&gt;Here&lt;/b&gt;", "call.state.calling"} {
		if !strings.Contains(string(html), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if c, err := s.ReadResource(t.Context(), made.URI); err != nil || string(c.Data) != string(html) {
		t.Errorf("as a resource it has %d bytes, %v", len(c.Data), err)
	}
	for arguments, want := range map[string]string{
		`{}`:                             "call_id or run_id",
		`{"call_id": 0, "run_id": "x"}`:  "call_id or run_id",
		`{"call_id": 9999}`:              "call 9999 not found",
		`{"call_id": 0, "phone_id":"b"}`: "belongs to phone_id 'a'",
		`{"call_id": 0, "phone_id":"!"}`: "invalid",
	} {
		if got := report.Call(t.Context(), []byte(arguments)); !got.IsError || !strings.Contains(string(got.JSON), want) {
			t.Errorf("%s: %s, want %q", arguments, got.JSON, want)
		}
	}
	if err := os.RemoveAll(s.o.Recordings); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.o.Recordings, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := report.Call(t.Context(), []byte(`{"call_id": 0}`)); !got.IsError || !strings.Contains(string(got.JSON), "the report cannot be written into /host/recordings/a") {
		t.Errorf("without a folder: %s", got.JSON)
	}
}

// The worst of a run's findings come first, whichever call they are of.
func TestRunPageHasTheWorstFirst(t *testing.T) {
	s, _ := traffic()
	page := s.RunPage(t.Context(), timeline.Result{Status: timeline.Failed, Errors: []timeline.Fault{{Kind: "action_failed", Msg: "tolerated", Tolerated: true}, {Kind: "action_failed", Msg: "not so"}}})
	if len(page.Findings) != 2 || page.Findings[0].Text != "not so" || page.Findings[1].Tone != "unsure" {
		t.Errorf("%+v", page.Findings)
	}
}
