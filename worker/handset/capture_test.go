package handset

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ringmaster/proto/artifact"
	"ringmaster/proto/phone"
)

// refuseTcpdump puts a tcpdump first that may not capture.
func refuseTcpdump(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	script := "#!/bin/sh\necho 'tcpdump: any: no permission' >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "tcpdump"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func recorded(c *phone.Configuration) { c.RecordingEnabled, c.CaptureEnabled = true, true }

// capture waits for a capture to begin and returns its file.
func (r *rig) capture() string {
	r.t.Helper()
	e := r.awaits("media.capture_started")
	if e.Data["capture_mode"] != "own" || !strings.Contains(e.Data["reason"].(string), "no permission") {
		r.t.Errorf("the capture begins with %v", e.Data)
	}
	return e.Data["file"].(string)
}

func (r *rig) sidecar(wav string) artifact.Sidecar {
	r.t.Helper()
	s, err := artifact.ReadSidecar(artifact.SidecarPath(wav))
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// One capture for as long as there is a call, named and stamped as the
// recording of the first; the second call's recording points to it too.
func TestCallsShareACapture(t *testing.T) {
	refuseTcpdump(t)
	a, b := newRig(t, "a", 0, recorded), newRig(t, "b", 1000)
	first, _ := connect(a, b)
	path := filepath.Join(a.h.cfg.CapturesDir, "a")
	if got := first; got != 0 {
		t.Fatalf("the first call is %d", got)
	}
	second, _ := connect(a, b)
	ended := []phone.Event{}
	for _, id := range []phone.CallID{first, second} {
		a.do(phone.Hangup{CallID: &id})
		ended = append(ended, a.awaits("call.state.disconnected"))
	}
	stopped := a.awaits("media.capture_stopped")
	files, err := filepath.Glob(filepath.Join(path, "*"))
	if err != nil || len(files) != 1 || stopped.Data["file"] != files[0] {
		t.Fatalf("there are %v, and it says %v", files, stopped.Data)
	}
	wav := ended[0].Data["recording_file"].(string)
	if strings.TrimSuffix(filepath.Base(wav), artifact.WAV) != strings.TrimSuffix(filepath.Base(files[0]), artifact.PCAP) {
		t.Errorf("the recording is %s, the capture %s", wav, files[0])
	}
	for _, e := range ended {
		if s := a.sidecar(e.Data["recording_file"].(string)); s.PCAP == nil || *s.PCAP != files[0] || e.Data["capture_file"] != files[0] {
			t.Errorf("the sidecar of %v says %v, the event %v", e.Data["recording_file"], s.PCAP, e.Data["capture_file"])
		}
	}
	raw := read(t, files[0])
	if size := stopped.Data["file_size"]; size != int64(len(raw)) {
		t.Errorf("the file has %d bytes, and it says %v", len(raw), size)
	}
	if bytes.Count(raw, []byte("\nCSeq: ")) < 8 || !bytes.Contains(raw, []byte("BYE sip:")) {
		t.Error("the calls' SIP is not in the capture")
	}
}

// Switched on during a call, a new file is named after the oldest active call;
// switched off, it is complete when the answer comes.
func TestCaptureIsSwitched(t *testing.T) {
	refuseTcpdump(t)
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
	on, off := true, false
	o := a.do(phone.UpdateSettings{Update: phone.Update{CaptureEnabled: &on}})
	if o.Capture != nil {
		t.Errorf("without a call there is %+v", o.Capture)
	}
	a.do(phone.UpdateSettings{Update: phone.Update{CaptureEnabled: &off}})
	connect(a, b)
	connect(a, b)
	var files []string
	for range 2 {
		o = a.do(phone.UpdateSettings{Update: phone.Update{CaptureEnabled: &on}})
		if o.Capture == nil || o.Capture.Mode != "own" || !regexp.MustCompile(`/a/call_0_\d{8}_\d{6}_\d{6}\.pcap$`).MatchString(o.Capture.Path) {
			t.Fatalf("switched on, there is %+v", o.Capture)
		}
		if file := a.capture(); file != o.Capture.Path {
			t.Errorf("the event names %s", file)
		}
		files = append(files, o.Capture.Path)
		a.do(phone.UpdateSettings{Update: phone.Update{CaptureEnabled: &off}})
		size := len(read(t, o.Capture.Path))
		if e := a.awaits("media.capture_stopped"); e.Data["file_size"] != int64(size) || size < 24 {
			t.Errorf("after the answer the file has %d bytes, in the end %v", size, e.Data["file_size"])
		}
	}
	if files[0] == files[1] {
		t.Error("both captures have the same name")
	}
	a.do(phone.HangupAll{})
}

// A call without media leaves no file.
func TestNoMediaNoCapture(t *testing.T) {
	refuseTcpdump(t)
	a, b := newRig(t, "a", 0, recorded), newRig(t, "b", 1000, recorded)
	a.do(phone.MakeCall{DestURI: b.uri()})
	id := *b.awaits("call.state.incoming").CallID
	b.do(phone.Reject{CallID: &id, Status: 486})
	a.awaits("call.state.disconnected")
	a.h.Close()
	b.h.Close()
	for _, r := range []*rig{a, b} {
		if files, err := os.ReadDir(r.h.cfg.CapturesDir); err != nil || len(files) > 0 {
			t.Errorf("%v %v", files, err)
		}
	}
}

func TestCaptureOnRequest(t *testing.T) {
	refuseTcpdump(t)
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
	a.refuses(phone.StopCapture{}, phone.Precondition, "start_capture")
	o := a.do(phone.StartCapture{})
	if o.Capture.Mode != "own" || !regexp.MustCompile(`/a/capture_\d{8}_\d{6}_\d{6}\.pcap$`).MatchString(o.Capture.Path) || o.Capture.Reason == "" {
		t.Errorf("start_capture answers %+v", o.Capture)
	}
	a.refuses(phone.StartCapture{}, phone.Precondition, "stop_capture")
	connect(a, b)
	a.do(phone.HangupAll{})
	stopped := a.do(phone.StopCapture{})
	raw := read(t, o.Capture.Path)
	if stopped.Capture.Path != o.Capture.Path || stopped.Capture.Size != int64(len(raw)) || !bytes.Contains(raw, []byte("INVITE sip:b@")) {
		t.Errorf("stop_capture answers %+v, the file has %d bytes", stopped.Capture, len(raw))
	}
	again := a.do(phone.StartCapture{})
	a.h.Close()
	if len(read(t, again.Capture.Path)) < 24 {
		t.Error("a capture that was open at the end is no file")
	}
}
