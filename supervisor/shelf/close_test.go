package shelf

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/artifact"
	"ringmaster/proto/phone"
)

// wav is a recording whose header counts claimed bytes.
func wav(claimed int64, samples string) string {
	h := artifact.WAVHeader(8000, claimed)
	return string(h[:]) + samples
}

func TestCloseRepairsWhatADeadWorkerHadOpen(t *testing.T) {
	root := t.TempDir()
	began := noon.Add(1500 * time.Nanosecond)
	name := func(id int64, at time.Time) string { return filepath.Join("a", artifact.CallName(id, at)) }
	files := map[string]string{
		name(3, noon.Add(time.Second)) + ".wav":            wav(2, "abcde"),
		name(3, noon.Add(2*time.Second)) + ".wav":          wav(4, "abcd"), // a second segment
		name(4, began) + ".wav":                            "",             // its call is not known; in the very microsecond
		name(3, noon.Add(-time.Second)) + ".wav":           wav(0, "ab"),   // before the worker's time
		name(5, noon.Add(time.Second)) + ".wav":            wav(0, "ab"),   // has its sidecar
		name(5, noon.Add(time.Second)) + ".meta.json":      "{}",
		name(9, noon.Add(time.Second)) + ".wav":            wav(0, "ab"), // another phone's id
		name(3, noon.Add(3*time.Second)) + ".wav":          "Dear Sir or Madam, this is not a recording at all",
		name(3, noon.Add(4*time.Second)) + ".pcap":         "x",
		"a/" + artifact.CaptureName(noon.Add(time.Second)): "",
		"a/" + artifact.CaptureName(noon):                  "", // before the worker's time
		name(9, noon.Add(4*time.Second)) + ".pcap":         "x",
		"a/call_3_mine.wav":                                wav(0, "ab"),
		"b/" + artifact.CallName(3, noon.Add(time.Second)): wav(0, "ab"),
	}
	for path, content := range files {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	closed, err := Close(root, root, Estate{
		PhoneID: "a", Began: began, Died: noon.Add(time.Minute),
		Owns: func(c phone.CallID) bool { return c < 9 },
		Calls: map[phone.CallID]DeadCall{3: {
			CallInfo: phone.CallInfo{
				CallID: 3, Direction: phone.Outbound, RemoteURI: "sip:b@h", Codec: "PCMA",
				LastStatus: 200, LastStatusText: "worker exited", Duration: 59_900 * time.Millisecond,
			},
			LocalRTPPort: 40000, PCAP: "/c/a/call_3_x.pcap",
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{name(3, noon.Add(time.Second)), name(3, noon.Add(2*time.Second)), name(4, began)}
	for i := range want {
		want[i] = filepath.Join(root, want[i]) + ".wav"
	}
	want = append(want, filepath.Join(root, name(3, noon.Add(4*time.Second))+".pcap"), filepath.Join(root, "a", artifact.CaptureName(noon.Add(time.Second))))
	if !slices.Equal(closed, want) {
		t.Fatalf("closed %q\nwant   %q", closed, want)
	}
	if got, _ := os.ReadFile(closed[0]); string(got) != wav(4, "abcd") {
		t.Errorf("the file is %q", got)
	}
	s, err := artifact.ReadSidecar(artifact.SidecarPath(closed[0]))
	if err != nil {
		t.Fatal(err)
	}
	if s.PhoneID != "a" || s.CallID != 3 || *s.Direction != "outbound" || *s.RemoteURI != "sip:b@h" || *s.Codec != "PCMA" ||
		*s.LastStatus != 200 || *s.LastStatusText != "worker exited" || *s.Duration != 59 || *s.LocalRTPPort != 40000 || s.RemoteRTPPort != nil ||
		*s.Recording != closed[0] || *s.PCAP != "/c/a/call_3_x.pcap" || !s.StartedAt.Equal(noon.Add(time.Second)) || !s.EndedAt.Equal(noon.Add(time.Minute)) {
		t.Errorf("the sidecar says %+v", s)
	}
	if s, err := artifact.ReadSidecar(artifact.SidecarPath(closed[2])); err != nil || s.CallID != 4 || s.Duration != nil || s.Direction != nil || s.LastStatus != nil {
		t.Errorf("the sidecar of a call that is not known says %+v, %v", s, err)
	}
	if again, err := Close(root, root, Estate{PhoneID: "a", Owns: func(phone.CallID) bool { return true }, Began: noon}); err != nil || len(again) != 3 {
		t.Errorf("again: %q, %v, want the other phone's, and the older one", again, err)
	}
}

func TestCloseWithoutAFolder(t *testing.T) {
	if closed, err := Close(t.TempDir(), t.TempDir(), Estate{PhoneID: "a"}); err != nil || closed != nil {
		t.Errorf("%q, %v", closed, err)
	}
}

func TestCloseSaysWhatWentWrongAndClosesTheRest(t *testing.T) {
	root := t.TempDir()
	first, second := artifact.CallName(1, noon), artifact.CallName(2, noon)
	for _, name := range []string{first, second} {
		path := filepath.Join(root, "a", name+".wav")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(wav(0, "")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Where the sidecar is to be, there is a folder.
	if err := os.MkdirAll(filepath.Join(root, "a", first+".meta.json", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	closed, err := Close(root, root, Estate{PhoneID: "a", Began: noon, Owns: func(phone.CallID) bool { return true }})
	if len(closed) != 1 || !strings.Contains(closed[0], second) || err == nil || !strings.Contains(err.Error(), first) {
		t.Errorf("closed %q, %v", closed, err)
	}
}
