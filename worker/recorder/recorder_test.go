package recorder

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringmaster/proto/artifact"
	"ringmaster/worker/wav"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func read(t *testing.T, path string) []int16 {
	t.Helper()
	r, err := wav.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out []int16
	buf := make([]int16, 1000)
	for {
		n, err := r.Read(buf)
		out = append(out, buf[:n]...)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func ramp(from, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(from + i)
	}
	return pcm
}

func start(t *testing.T, r *Recorder, name string, rate int) *Segment {
	t.Helper()
	s, err := r.Start(filepath.Join(t.TempDir(), "phone", name), rate, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestASegmentAndItsSidecar(t *testing.T) {
	r := New()
	defer r.Close()
	s := start(t, r, "call_7_x.wav", 8000)
	var want []int16
	for i := range 25 {
		pcm := ramp(160*i, 160)
		want = append(want, pcm...)
		s.Write(pcm)
	}
	res, err := s.Close(&artifact.Sidecar{PhoneID: "a", CallID: 7})
	if err != nil {
		t.Fatal(err)
	}
	if res.Bytes != 44+8000 || res.Duration != 500*time.Millisecond || res.Path != s.Path() {
		t.Errorf("result %+v", res)
	}
	if got := read(t, s.Path()); !slices.Equal(got, want) {
		t.Errorf("%d samples differ from the %d written", len(got), len(want))
	}
	meta, err := artifact.ReadSidecar(strings.TrimSuffix(s.Path(), ".wav") + ".meta.json")
	if err != nil || meta.CallID != 7 || res.MetaPath == "" {
		t.Errorf("sidecar %+v, %v", meta, err)
	}
	if again, err := s.Close(nil); again != res || err != nil {
		t.Errorf("closed twice: %+v, %v", again, err)
	}
}

func TestTheFileIsNeverFarBehind(t *testing.T) {
	r := New()
	defer r.Close()
	s := start(t, r, "x.wav", 16000)
	deadline := time.Now().Add(5 * time.Second)
	written := int64(0)
	for range 100 {
		s.Write(ramp(0, 320))
		written += 320
		for time.Now().Before(deadline) {
			info, err := os.Stat(s.Path())
			if err != nil {
				t.Fatal(err)
			}
			if behind := written - (info.Size()-44)/2; behind < 16000/10 {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("a tenth of a second was not written in time")
		}
	}
	if n := int64(len(read(t, s.Path()))); written-n > 16000/5 {
		t.Errorf("%d samples are missing in the middle of a call", written-n)
	}
}

func TestAFullQueueBecomesSilence(t *testing.T) {
	r := New()
	defer r.Close()
	s := start(t, r, "x.wav", 8000)
	r.mu.Lock() // the goroutine stands still, as with a stalled disk
	const frames = queueSeconds*50 + 100
	for range frames {
		s.Write(ramp(1, 160))
	}
	r.mu.Unlock()
	for s.ring.Len() > 0 {
		r.poke()
	}
	s.Write(ramp(1, 160))
	if _, err := s.Close(nil); err != nil {
		t.Fatal(err)
	}
	got := read(t, s.Path())
	if len(got) != (frames+1)*160 {
		t.Errorf("%d samples, want %d", len(got), (frames+1)*160)
	}
	silent := 0
	for _, x := range got {
		if x == 0 {
			silent++
		}
	}
	if silent < 99*160 || silent > 101*160 {
		t.Errorf("%d samples are silent, want 100 frames", silent)
	}
	if last := got[len(got)-1]; last != 160 {
		t.Errorf("the last sample is %d", last)
	}
}

func TestTwoSegmentsAtATime(t *testing.T) {
	r := New()
	a, b := start(t, r, "a.wav", 8000), start(t, r, "b.wav", 16000)
	a.Write(ramp(5, 160))
	b.Write(ramp(6, 320))
	if _, err := a.Close(nil); err != nil {
		t.Fatal(err)
	}
	b.Write(ramp(6, 320))
	r.Close() // closes b
	if n := len(read(t, a.Path())); n != 160 {
		t.Errorf("a has %d samples", n)
	}
	if n := len(read(t, b.Path())); n != 640 {
		t.Errorf("b has %d samples", n)
	}
	if _, err := r.Start(filepath.Join(t.TempDir(), "c.wav"), 8000, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("started after Close: %v", err)
	}
}

func TestAFileThatCannotBeMade(t *testing.T) {
	r := New()
	defer r.Close()
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Start(filepath.Join(blocked, "x.wav"), 8000, nil); err == nil {
		t.Error("a file below a file was made")
	}
	if _, err := r.Start(blocked, 8000, nil); err == nil {
		t.Error("an existing file was overwritten")
	}
}

func TestAFailureIsToldOnceAndKeepsWhatThereIs(t *testing.T) {
	r := New()
	defer r.Close()
	told := make(chan error, 10)
	s, err := r.Start(filepath.Join(t.TempDir(), "x.wav"), 8000, func(err error) { told <- err })
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	s.file.Close() // every write fails from here on
	r.mu.Unlock()
	for range 3 {
		s.Write(ramp(0, 1600))
	}
	if _, err := s.Close(nil); err == nil {
		t.Error("the failure is not in Close's answer")
	}
	if len(told) != 1 {
		t.Errorf("told %d times", len(told))
	}
}

func TestWritingDoesNotAllocate(t *testing.T) {
	r := New()
	defer r.Close()
	s := start(t, r, "x.wav", 8000)
	pcm := ramp(0, 160)
	if n := testing.AllocsPerRun(20, func() { s.Write(pcm) }); n > 1 {
		t.Errorf("%v allocations per frame", n) // one may be the other goroutine's
	}
}
