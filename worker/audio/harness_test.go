package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringmaster/proto/artifact"
	"ringmaster/worker/codec"
	"ringmaster/worker/quality"
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
	silent  chan string // why; "" is the end of it
}

func newEar() *ear {
	return &ear{make(chan string, 100), make(chan string, 100), make(chan string, 100), make(chan struct{}, 100), make(chan error, 100), make(chan string, 100)}
}

func (e *ear) DTMFReceived(d string)   { e.digits <- d }
func (e *ear) DTMFSent(d string)       { e.sent <- d }
func (e *ear) PlayEnded(f string)      { e.ended <- f }
func (e *ear) MediaStarted()           { e.started <- struct{}{} }
func (e *ear) MediaError(err error)    { e.failed <- err }
func (e *ear) MediaSilence(why string) { e.silent <- why }
func (e *ear) MediaResumed()           { e.silent <- "" }

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

// sound is what a recording should hold: tones at levels, and no more than
// loudest in all.
type sound struct {
	tones   map[float64]float64 // dBov by Hz, give or take 1 dB
	loudest float64             // dBov; 0 does not matter
}

func (want sound) check(pcm []int16, rate int) error {
	for frequency, level := range want.tones {
		if got := tone.Goertzel(pcm, rate, frequency); math.Abs(got-level) > 1 {
			return fmt.Errorf("%v Hz at %.1f dBov, want %.1f", frequency, got, level)
		}
	}
	if got := quality.Level(pcm); want.loudest != 0 && got > want.loudest {
		return fmt.Errorf("%.1f dBov in all, want at most %.1f", got, want.loudest)
	}
	return nil
}

// tail is the last n samples of a recording.
func tail(t *testing.T, path string, n int) []int16 {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data = data[max(artifact.HeaderSize, len(data)-2*n):]
	pcm := make([]int16, len(data)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(data[2*i:]))
	}
	return pcm
}

// hears records s until a whole stretch of a fifth of a second satisfies check:
// on a busy machine the sound may have holes before.
func hears(t *testing.T, what string, s *Stream, check func(pcm []int16, rate int) error) (rate int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recording.wav")
	if err := s.StartRecording(path); err != nil {
		t.Fatal(err)
	}
	rate = s.tap.Load().segment.Rate()
	var problem error
	deadline := time.Now().Add(patience)
	for at := 0.2; ; at += 0.1 {
		until(t, "recording", func() bool {
			_, size := s.Recording()
			return size >= 44+int64(at*float64(rate))*2
		})
		if problem = check(tail(t, path, rate/5), rate); problem == nil || time.Now().After(deadline) {
			break
		}
	}
	if problem != nil {
		t.Errorf("%s: %v", what, problem)
	}
	if _, err := s.StopRecording(); err != nil {
		t.Error(err)
	}
	return rate
}

func newCoder(t *testing.T, spec codec.Spec) codec.Coder {
	t.Helper()
	c, err := codec.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
