package audio

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringmaster/worker/codec"
	"ringmaster/worker/tone"
	"ringmaster/worker/wav"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = netip.MustParseAddr("127.0.0.1")

// patience is how long a test waits for what must come; it is never waited out
// when all is well.
const patience = 10 * time.Second

// ear is a Sink that keeps what it is told.
type ear struct {
	digits  chan string
	sent    chan string
	ended   chan string
	started chan struct{}
	failed  chan error
	silent  chan bool
}

func newEar() *ear {
	return &ear{make(chan string, 100), make(chan string, 100), make(chan string, 100), make(chan struct{}, 100), make(chan error, 100), make(chan bool, 100)}
}

func (e *ear) DTMFReceived(d string)    { e.digits <- d }
func (e *ear) DTMFSent(d string)        { e.sent <- d }
func (e *ear) PlayEnded(f string)       { e.ended <- f }
func (e *ear) MediaStarted()            { e.started <- struct{}{} }
func (e *ear) MediaError(err error)     { e.failed <- err }
func (e *ear) MediaSilence(silent bool) { e.silent <- silent }

func next[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s came", what)
		panic("unreachable")
	}
}

// until waits for a condition that the clock brings about.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after %v", what, patience)
		}
		<-poll.C
	}
}

func newEngine(t *testing.T) *Engine {
	t.Helper()
	e := New(Config{})
	t.Cleanup(e.Close)
	return e
}

func open(t *testing.T, e *Engine) *Stream {
	t.Helper()
	s, err := e.Open(loopback)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// params of a plain call to a port, with one codec.
func params(port int, spec codec.Spec) Params {
	pt := uint8(96)
	if spec.StaticPT >= 0 {
		pt = uint8(spec.StaticPT)
	}
	return Params{
		Remote: netip.AddrPortFrom(loopback, uint16(port)), Send: spec, SendPT: pt,
		Receive: map[uint8]codec.Spec{pt: spec}, EventSendPT: 101, EventRecvPT: 101, CNPT: 13, MaySend: true, MayReceive: true,
	}
}

func apply(t *testing.T, s *Stream, m Params) *ear {
	t.Helper()
	sink := newEar()
	if err := s.Apply(m, sink); err != nil {
		t.Fatal(err)
	}
	return sink
}

// call connects two streams of two phones.
func call(t *testing.T, spec codec.Spec) (a, b *Stream, earA, earB *ear) {
	t.Helper()
	a, b = open(t, newEngine(t)), open(t, newEngine(t))
	earA = apply(t, a, params(b.LocalPort(), spec))
	earB = apply(t, b, params(a.LocalPort(), spec))
	next(t, "media at a", earA.started)
	next(t, "media at b", earB.started)
	return a, b, earA, earB
}

// toneFile is a stereo float file at 44.1 kHz with one tone of the given length.
func toneFile(t *testing.T, frequency, level float64, length time.Duration) string {
	t.Helper()
	const rate = 44100
	pcm := make([]int16, int(length.Seconds()*rate))
	tone.New(rate, level, frequency).Fill(pcm)
	var data []byte
	for _, x := range pcm {
		bits := math.Float32bits(float32(x) / 32768)
		data = binary.LittleEndian.AppendUint32(data, bits)
		data = binary.LittleEndian.AppendUint32(data, bits)
	}
	le := binary.LittleEndian
	file := append([]byte("RIFF\xFF\xFF\xFF\xFFWAVEfmt \x10\x00\x00\x00"), 3, 0, 2, 0)
	file = le.AppendUint32(file, rate)
	file = le.AppendUint32(file, rate*8)
	file = append(file, 8, 0, 32, 0)
	file = append(file, "data"...)
	file = le.AppendUint32(file, uint32(len(data)))
	path := filepath.Join(t.TempDir(), "tone.wav")
	if err := os.WriteFile(path, append(file, data...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// readWAV is a whole recording.
func readWAV(t *testing.T, path string) (pcm []int16, rate int) {
	t.Helper()
	r, err := wav.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	buf := make([]int16, 4096)
	for {
		n, err := r.Read(buf)
		pcm = append(pcm, buf[:n]...)
		if errors.Is(err, io.EOF) {
			return pcm, r.Rate()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// hears checks that pcm has a frequency at a level, give or take 1 dB.
func hears(t *testing.T, what string, pcm []int16, rate int, frequency, level float64) {
	t.Helper()
	if got := tone.Goertzel(pcm, rate, frequency); math.Abs(got-level) > 1 {
		t.Errorf("%s: %v Hz at %.1f dBov, want %.1f", what, frequency, got, level)
	}
}

// record records s for a time, from now.
func record(t *testing.T, s *Stream, length time.Duration) (pcm []int16, rate int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recording.wav")
	if err := s.StartRecording(path); err != nil {
		t.Fatal(err)
	}
	rate = s.tap.Load().segment.Rate()
	until(t, "recording", func() bool { _, size := s.Recording(); return size >= 44+int64(length.Seconds()*float64(rate))*2 })
	if _, err := s.StopRecording(); err != nil {
		t.Fatal(err)
	}
	pcm, rate = readWAV(t, path)
	return pcm, rate
}
