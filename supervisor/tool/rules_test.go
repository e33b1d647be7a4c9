package tool

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"ringmaster/proto/phone"
)

func TestSchemas(t *testing.T) {
	s := newSet(newFake("a"))
	for name, tools := range map[string][]Tool{"static": s.Static(), "phone": s.ForPhone("a"), "shared": s.Shared()} {
		var text bytes.Buffer
		for _, tool := range tools {
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, tool.Schema, "", "  "); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&text, "# %s: %s\n%s\n%+v\n%s\n\n", tool.Name, tool.Title, tool.Description, tool.Hints, pretty.Bytes())
		}
		golden(t, "schemas/"+name+".txt", text.Bytes())
	}
}

func TestNoAnswerShowsThePassword(t *testing.T) {
	for _, name := range []string{"add_phone", "get_phone", "list_phones", "update_phone", "load_phones"} {
		text, err := os.ReadFile(filepath.Join("testdata", "answers", name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "sesame") && !strings.HasPrefix(line, name) { // the request itself
				t.Errorf("%s shows a password: %s", name, line)
			}
		}
	}
}

func TestLongAnswersLoseTheirOldestEntries(t *testing.T) {
	s := newSet(newFake("a"))
	for i := range 100 {
		s.o.Hub.Append("a", 1, phone.Entry{Inbox: &phone.Message{From: "sip:b@h", Body: fmt.Sprintf("%03d %s", i, strings.Repeat("x", 3000)), Time: now}})
	}
	answer := find(t, s, "get_messages").Call(context.Background(), nil)
	if len(answer.JSON) > answerBound {
		t.Errorf("the answer has %d bytes", len(answer.JSON))
	}
	var got struct {
		Messages   []struct{ Body string }
		TotalCount int `json:"total_count"`
		Truncated  string
	}
	if err := json.Unmarshal(answer.JSON, &got); err != nil {
		t.Fatal(err)
	}
	n := len(got.Messages)
	if n < 25 || n > 29 || got.TotalCount != n || !strings.HasPrefix(got.Messages[n-1].Body, "099") {
		t.Errorf("%d messages (total_count %d), want the newest 25 to 29", n, got.TotalCount)
	}
	if want := fmt.Sprintf("%d older entries are missing", 100-n); !strings.HasPrefix(got.Truncated, want) {
		t.Errorf("truncated %q, want %q", got.Truncated, want)
	}
}

func TestSharedToolsAnswerAsThePhonesOwn(t *testing.T) {
	f := newFake("a")
	f.outcomes["phone.MakeCall"] = onCall(phone.CallOutcome{CallID: 0, State: phone.StateCalling})
	s := newSet(f)
	for _, c := range []struct{ arguments, want string }{
		{`{"phone_id": "a", "dest_uri": "sip:b@h"}`, `{"status":"ok","phone_id":"a","call_id":0,"state":"CALLING","cursor":1}`},
		{`{"phone_id": "b", "dest_uri": "sip:b@h"}`, `{"status":"error","error":"phone_id \"b\" not found; there are: a","phone_id":"b"}`},
		{`{"dest_uri": "sip:b@h"}`, `{"status":"error","error":"phone_id is missing: it must be a text","phone_id":null}`},
		{`{"phone_id": "a", "dest": "sip:b@h"}`, `{"status":"error","error":"dest_uri is missing: it must be a text; unknown argument \"dest\": make_call takes dest_uri, headers","phone_id":"a"}`},
		{`7`, `{"status":"error","error":"arguments must be an object of names and values","phone_id":null}`},
	} {
		for _, tool := range s.Shared() {
			if tool.Name != "phone_make_call" {
				continue
			}
			if got := tool.Call(context.Background(), json.RawMessage(c.arguments)); string(got.JSON) != c.want {
				t.Errorf("%s\ngot  %s\nwant %s", c.arguments, got.JSON, c.want)
			}
		}
	}
}

func TestPhonesAreListedWithTheToolsThatTheClientSees(t *testing.T) {
	s := newSet(newFake("a"))
	list := find(t, s, "list_phones")
	own := list.Call(context.Background(), nil)
	if !bytes.Contains(own.JSON, []byte(`"a_hangup"`)) || bytes.Contains(own.JSON, []byte(`"phone_hangup"`)) {
		t.Errorf("tools of each phone: %s", own.JSON)
	}
	shared := list.Call(WithShared(context.Background()), nil)
	if !bytes.Contains(shared.JSON, []byte(`"phone_hangup"`)) || bytes.Contains(shared.JSON, []byte(`"a_hangup"`)) {
		t.Errorf("shared tools: %s", shared.JSON)
	}
}

func TestRefusedArgumentsChangeNothing(t *testing.T) {
	f := newFake("a")
	find(t, newSet(f), "make_call").Call(context.Background(), json.RawMessage(`{"dest_uri": "sip:b@h", "x": 1}`))
	if len(f.did) > 0 {
		t.Errorf("the phone was told %v", f.did)
	}
}

func TestArgumentsThatAreTooLongAreNamed(t *testing.T) {
	f := newFake("a")
	s := newSet(f)
	long := strings.Repeat("x", 66_000)
	for _, c := range []struct{ tool, arguments, want string }{
		{"send_message", `{"dest_uri": "sip:b@h", "body": "` + long + `"}`, "body must be a text of at most 65535 bytes, not of 66000"},
		{"send_message", `{"dest_uri": "sip:` + long + `", "body": ""}`, "dest_uri must be a text of at most 4096 bytes, not of 66004"},
		{"make_call", `{"dest_uri": "sip:b@h", "headers": {"X": "` + long + `"}}`, "headers must hold at most 32768 bytes in all, not 66001"},
		{"update_phone", `{"phone_id": "a", "password": "` + long + `"}`, "password must be a text of at most 4096 bytes, not of 66000"},
		{"update_phone", `{"phone_id": "a", "codecs": ["` + long + `"]}`, "codecs must be a list of at most 1000 texts, each of at most 4096 bytes"},
		{"conference", `{"call_ids": [` + strings.Repeat("1,", 2000) + `1]}`, "call_ids must be a list of at most 1000 call ids, not of 2001"},
	} {
		answer := find(t, s, c.tool).Call(context.Background(), json.RawMessage(c.arguments))
		if want := `"error":"` + c.want + `"`; !strings.Contains(string(answer.JSON), want) || !answer.IsError {
			t.Errorf("%s: %.300s\nwant %s", c.tool, answer.JSON, want)
		}
	}
	find(t, s, "send_message").Call(context.Background(), json.RawMessage(`{"dest_uri": "sip:b@h", "body": "`+long[:65535]+`"}`))
	if len(f.did) != 1 {
		t.Errorf("the phone was told %v", f.did)
	}
}

func TestIntegersAsJSONSchemaHasThem(t *testing.T) {
	for text, want := range map[string]string{
		"5": "5", "5.0": "5", "5e0": "5", "-0": "0", "50e-1": "5", "9223372036854775807": "9223372036854775807",
		"5.5": "no", "9223372036854775808": "no", "1e999999999": "no", `"5"`: "no", "true": "no", "[5]": "no",
	} {
		got := "no"
		if n, ok := integer(json.RawMessage(text)); ok {
			got = fmt.Sprint(n)
		}
		if got != want {
			t.Errorf("integer(%s) = %s, want %s", text, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"Grüße\n\t東京": "Grüße\n\t東京", "a\r\nb": "a\r\nb", "a\rb": `a\x0db`, "\x00\x1b[0m": `\x00\x1b[0m`, "\u202e": `\u202e`,
		"\xff\xfe": `\xff\xfe`, "\u0085": `\x85`, "12345678901": "1234567890… (1 more bytes)",
	} {
		if got := clean(in, 10); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPathsAreTurnedOnceAndOnWholeNames(t *testing.T) {
	s := newSet(newFake("a"))
	s.o.HostPaths = []HostPath{{Inside: "/recordings", Host: "/host/r"}, {Inside: "/captures/", Host: "/host/c"}}
	for in, want := range map[Path]Path{
		"/recordings/a/x.wav": "/host/r/a/x.wav", "/recordings": "/host/r", "/recordings2/x": "/recordings2/x", "/captures/x": "/host/c/x", "music-on-hold": "music-on-hold",
	} {
		if got := s.outside(in); got != want {
			t.Errorf("outside(%s) = %s, want %s", in, got, want)
		}
		if back := s.inside(want); back != in {
			t.Errorf("inside(%s) = %s, want %s", want, back, in)
		}
	}
}

func TestPathsInSentencesAreTurned(t *testing.T) {
	s := newSet(newFake("a"))
	s.o.HostPaths = []HostPath{{Inside: "/recordings", Host: "/host/recordings/r/"}, {Inside: "/r", Host: "/c"}}
	for in, want := range map[string]string{
		`there is no file "/recordings/a/x.wav"`:  `there is no file "/host/recordings/r/a/x.wav"`,
		"/recordings/x.wav and /recordings: no":   "/host/recordings/r/x.wav and /host/recordings/r: no",
		"/recordings":                             "/host/recordings/r",
		"/recordings2/x, /recordings.old/x":       "/recordings2/x, /recordings.old/x",
		"/tmp/recordings/x, sip:a@h/recordings/x": "/tmp/recordings/x, sip:a@h/recordings/x",
		"profile /r/p.yaml:3:1: Grüße":            "profile /c/p.yaml:3:1: Grüße",
		"":                                        "",
	} {
		if got := s.turned(in); got != want {
			t.Errorf("turned(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestFailuresAndEventsShowTheClientsPaths(t *testing.T) {
	f := newFake("a")
	f.outcomes["phone.PlayAudio"] = phone.Errorf(phone.Invalid, `there is no file "/recordings/no.wav"`)
	s := newSet(f)
	s.o.HostPaths = []HostPath{{Inside: "/recordings", Host: "/host/r"}}
	answer := find(t, s, "play_audio").Call(context.Background(), json.RawMessage(`{"file_path": "/host/r/no.wav"}`))
	if want := `"error":"there is no file \"/host/r/no.wav\""`; !strings.Contains(string(answer.JSON), want) {
		t.Errorf("%s\nwithout %s", answer.JSON, want)
	}
	answer = find(t, s, "load_phones").Call(context.Background(), json.RawMessage(`{"path": "/host/r/no.yaml"}`))
	if want := `"error":"profile /host/r/no.yaml not found"`; !strings.Contains(string(answer.JSON), want) {
		t.Errorf("%s\nwithout %s", answer.JSON, want)
	}
	shown := s.shown("", map[string]any{"recording_file": "/recordings/x.wav", "error": "no room for /recordings/x.wav"})
	if want := map[string]any{"recording_file": "/host/r/x.wav", "error": "no room for /host/r/x.wav"}; !reflect.DeepEqual(shown, want) {
		t.Errorf("shown %v", shown)
	}
}

func TestFilesUnderFollowsLinks(t *testing.T) {
	root := t.TempDir()
	in, outside := filepath.Join(root, "in"), filepath.Join(root, "out.wav")
	for _, err := range []error{
		os.Mkdir(in, 0o755), os.WriteFile(outside, nil, 0o644), os.WriteFile(filepath.Join(in, "x.wav"), nil, 0o644),
		os.Symlink(outside, filepath.Join(in, "link.wav")), os.Symlink(in, filepath.Join(root, "way")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s := newSet(newFake("a"))
	s.o.FilesUnder = filepath.Join(root, "way")
	for path, want := range map[string]bool{
		in + "/x.wav": true, root + "/way/x.wav": true, in + "/link.wav": false, outside: false, in + "/../out.wav": false, in + "/none.wav": false, in + "/x\x00.wav": false,
	} {
		if got := s.confined(path) == nil; got != want {
			t.Errorf("%q is taken: %v, want %v", path, got, want)
		}
	}
}

// Every tool says what it does to the world, and every argument is described
// by its name and type at least.
func TestEveryToolIsDescribed(t *testing.T) {
	s := newSet(newFake("a"))
	for _, tool := range append(s.Static(), s.Shared()...) {
		if tool.Title == "" || len(tool.Description) < 10 || tool.Hints.ReadOnly && tool.Hints.Destructive {
			t.Errorf("%s: %+v", tool.Name, tool)
		}
	}
}
