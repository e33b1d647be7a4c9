package artifact

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestNames(t *testing.T) {
	at := time.Date(2026, 3, 4, 7, 6, 5, 1_002_999, time.FixedZone("CET", 3600))
	if got, want := CallName(1042, at), "call_1042_20260304_060605_001002"; got != want {
		t.Errorf("CallName = %s, want %s", got, want)
	}
	if got, want := CaptureName(at), "capture_20260304_060605_001002.pcap"; got != want {
		t.Errorf("CaptureName = %s, want %s", got, want)
	}
	if got, want := SidecarPath("/r/a/"+CallName(0, at)+WAV), "/r/a/call_0_20260304_060605_001002.meta.json"; got != want {
		t.Errorf("SidecarPath = %s, want %s", got, want)
	}
}

func TestCallID(t *testing.T) {
	for name, want := range map[string]int64{
		"call_0_20260304_060605_001002.wav": 0, "call_17.wav": 17, "call_1000_x.wav": 1000, "call_5": 5,
		"call_a_5_1.wav": -1, "call_.wav": -1, "xcall_5.wav": -1, "": -1, "call_5x.wav": 5,
		"call_99999999999999999999_.wav": -1,
	} {
		got, ok := CallID(name)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("CallID(%q) = %d, %v, want %d", name, got, ok, want)
		}
	}
}

func TestReadCallName(t *testing.T) {
	at := time.Date(2026, 3, 4, 6, 6, 5, 1_002_000, time.UTC)
	for _, ending := range []string{"", WAV, PCAP, Meta} {
		if id, got, ok := ReadCallName(CallName(1042, at) + ending); !ok || id != 1042 || !got.Equal(at) {
			t.Errorf("with %q: %d, %v, %v", ending, id, got, ok)
		}
	}
	if got, ok := ReadCaptureName(CaptureName(at)); !ok || !got.Equal(at) {
		t.Errorf("of a capture: %v, %v", got, ok)
	}
	for _, name := range []string{"", "capture_.pcap", "capture_20260304_060605_00100.pcap", CallName(5, at) + PCAP} {
		if got, ok := ReadCaptureName(name); ok {
			t.Errorf("%q is a capture of %v", name, got)
		}
	}
	for _, name := range []string{
		"", "call_5.wav", "call_5_20260304_060605.wav", "call_a_5_20260304_060605_001002.wav",
		"call_5_20261304_060605_001002.wav", "call_99999999999999999999_20260304_060605_001002.wav", "call_5_20260304_060605_001002.meta.json~",
	} {
		if id, got, ok := ReadCallName(name); ok {
			t.Errorf("%q is call %d, %v", name, id, got)
		}
	}
}

func TestSidecarHasEveryFieldAndNullForTheUnknown(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "call_7_x.meta.json")
	began := time.Date(2026, 3, 4, 7, 6, 5, 1_002_999, time.FixedZone("CET", 3600))
	s := Sidecar{PhoneID: "a", CallID: 7, StartedAt: &began, LastStatus: new(200), Recording: new("/r/a/call_7_x.wav")}
	if err := s.Write(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range strings.Fields("phone_id call_id direction started_at ended_at duration codec remote_uri " +
		"last_status last_status_text recording pcap local_rtp_port remote_rtp_port") {
		v, there := got[key]
		if !there {
			t.Errorf("%s is missing", key)
		}
		delete(got, key)
		want := map[string]any{"phone_id": "a", "call_id": 7.0, "started_at": "2026-03-04T06:06:05.001002Z",
			"last_status": 200.0, "recording": "/r/a/call_7_x.wav"}[key]
		if v != want {
			t.Errorf("%s is %v, want %v", key, v, want)
		}
	}
	if len(got) > 0 {
		t.Errorf("and besides: %v", got)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("the folder holds %v", entries)
	}
	back, err := ReadSidecar(path)
	if err != nil || back.CallID != 7 || *back.LastStatus != 200 || back.Codec != nil {
		t.Errorf("read back: %+v, %v", back, err)
	}
}

func TestSidecarIntoNowhereIsAnError(t *testing.T) {
	if err := (Sidecar{}).Write(filepath.Join(t.TempDir(), "no", "x.meta.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestSidecarWithFewFieldsOrNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.meta.json")
	if err := os.WriteFile(path, []byte(`{"call_id": 3, "pcap": "/c/x.pcap", "more": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := ReadSidecar(path); err != nil || s.CallID != 3 || *s.PCAP != "/c/x.pcap" || s.Recording != nil {
		t.Errorf("got %+v, %v", s, err)
	}
	if err := os.WriteFile(path, []byte(`secret text`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSidecar(path); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestRepairWAV(t *testing.T) {
	file := func(rate int, claimed int64, data string) string {
		h := WAVHeader(rate, claimed)
		return string(h[:]) + data
	}
	foreign := []byte(file(8000, 4, "abcd"))
	foreign[20] = 3 // float
	for _, c := range []struct {
		name, before, after string
		changed             bool
		err                 error
	}{
		{"whole", file(16000, 4, "abcd"), file(16000, 4, "abcd"), false, nil},
		{"more samples than the header knows", file(16000, 2, "abcd"), file(16000, 4, "abcd"), true, nil},
		{"fewer", file(8000, 8, "abcd"), file(8000, 4, "abcd"), true, nil},
		{"half a sample", file(8000, 4, "abcde"), file(8000, 4, "abcd"), true, nil},
		{"nothing at all", "", file(8000, 0, ""), true, nil},
		{"half a header", file(16000, 0, "")[:30], file(8000, 0, ""), true, nil},
		{"another format", string(foreign), string(foreign), false, ErrForeign},
		{"a text", "Dear Sir or Madam, this is not a recording of any kind.", "Dear Sir or Madam, this is not a recording of any kind.", false, ErrForeign},
	} {
		path := filepath.Join(t.TempDir(), "x.wav")
		if err := os.WriteFile(path, []byte(c.before), 0o600); err != nil {
			t.Fatal(err)
		}
		changed, err := RepairWAV(path)
		after, _ := os.ReadFile(path)
		if changed != c.changed || !errors.Is(err, c.err) || string(after) != c.after {
			t.Errorf("%s: changed %v, %v, file %q", c.name, changed, err, after)
		}
	}
}
