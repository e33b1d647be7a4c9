package shelf

import (
	"os"
	"path/filepath"
	"testing"

	"ringmaster/proto/phone"
)

func call(n phone.CallID) *phone.CallID { return &n }

// write puts a file there as it is.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestNewestCapture(t *testing.T) {
	c := Captures{Root: t.TempDir(), Recordings: t.TempDir()}
	put(t, c.Root,
		"a/call_1_20261122_120000_000000.pcap", "a/call_1_20261122_110000_000000.pcap", "a/call_12_20261122_120000_000000.pcap",
		"a/capture_20261122_120001_000000.pcap", "a/call_2_x.wav", "b/call_1_20261122_130000_000000.pcapng", "a/sub/call_9_x.pcap")
	put(t, c.Recordings, "a/x")
	if err := os.Mkdir(filepath.Join(c.Root, "a", "call_99_folder.pcap"), 0o700); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "secret.pcap")
	write(t, outside, "newer than all")
	for _, name := range []string{"a/call_7_x.pcap", "a/call_1_20261122_990000_000000.pcap", "d"} {
		to := outside
		if name == "d" {
			to = filepath.Dir(outside)
		}
		if err := os.Symlink(to, filepath.Join(c.Root, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(c.Recordings, "a", "call_8_x.meta.json"), `{"call_id": 8, "pcap": "/elsewhere/a/call_7_x.pcap"}`)
	write(t, filepath.Join(c.Recordings, "a", "call_3_x.meta.json"), `{"call_id": 3, "pcap": "/elsewhere/a/call_12_20261122_120000_000000.pcap"}`)
	write(t, filepath.Join(c.Recordings, "a", "call_4_x.meta.json"), `{"call_id": 4, "pcap": "/elsewhere/a/gone.pcap"}`)
	write(t, filepath.Join(c.Recordings, "a", "call_5_x.meta.json"), `no JSON`)
	for _, w := range []struct {
		id   phone.ID
		call *phone.CallID
		want string
	}{
		{"a", nil, "a/capture_20261122_120001_000000.pcap"}, // the last one written
		{"a", call(1), "a/call_1_20261122_110000_000000.pcap"},
		{"a", call(12), "a/call_12_20261122_120000_000000.pcap"},
		{"a", call(3), "a/call_12_20261122_120000_000000.pcap"},
		{"a", call(4), ""}, {"a", call(2), ""}, {"a", call(9), ""}, {"a", call(99), ""},
		{"b", nil, "b/call_1_20261122_130000_000000.pcapng"},
		{"nobody", nil, ""},
		{"a", call(7), ""}, {"a", call(8), ""}, {"d", nil, ""}, // links that lead out
	} {
		want := w.want
		if want != "" {
			want = filepath.Join(c.Root, want)
		}
		if got, ok := c.Newest(w.id, w.call); got != want || ok != (want != "") {
			t.Errorf("phone %s, call %v: %q", w.id, w.call, got)
		}
	}
}

func TestSidecarOfACapture(t *testing.T) {
	c := Captures{Root: t.TempDir(), Recordings: t.TempDir()}
	put(t, c.Recordings, "a/x", "b/x")
	for name, text := range map[string]string{
		"a/call_1_late.meta.json":  `{"call_id": 1, "started_at": "2026-11-22T13:00:00Z", "pcap": "/c/a/one.pcap", "local_rtp_port": 1}`,
		"a/call_2_early.meta.json": `{"call_id": 2, "started_at": "2026-11-22T12:00:00Z", "pcap": "/c/a/one.pcap", "local_rtp_port": 2}`,
		"a/call_3_few.meta.json":   `{"pcap": "two.pcap"}`,
		"b/call_4_x.meta.json":     `{"call_id": 4, "pcap": "/c/a/one.pcap"}`,
	} {
		write(t, filepath.Join(c.Recordings, name), text)
	}
	for _, w := range []struct {
		path string
		call *phone.CallID
		port int // 0: none is found; -1: one without a port
	}{
		{"one.pcap", nil, 2}, {"one.pcap", call(1), 1}, {"one.pcap", call(2), 2}, {"one.pcap", call(7), 2}, {"two.pcap", nil, -1}, {"three.pcap", nil, 0},
	} {
		s, ok := c.Sidecar("a", filepath.Join(c.Root, "a", w.path), w.call)
		got := 0
		switch {
		case ok && s.LocalRTPPort == nil:
			got = -1
		case ok:
			got = *s.LocalRTPPort
		}
		if got != w.port {
			t.Errorf("%s, call %v: port %d", w.path, w.call, got)
		}
	}
}
