package audio

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"ringmaster/worker/codec"
	"ringmaster/worker/tone"
)

// relay stands between two streams and spoils what passes in one direction, the
// same way every time, and counts it.
type relay struct {
	conn *net.UDPConn
	to   netip.AddrPort
	plan func(n int) (drop, double, delay bool) // for the n-th packet; delay: after the next one

	mu                        sync.Mutex
	passed                    int
	dropped, doubled, delayed int64
}

func newRelay(t *testing.T, to int, plan func(int) (drop, double, delay bool)) *relay {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{conn: conn, to: netip.AddrPortFrom(loopback, uint16(to)), plan: plan}
	ended := make(chan struct{})
	go func() { defer close(ended); r.run() }()
	t.Cleanup(func() { conn.Close(); <-ended })
	return r
}

func (r *relay) port() int { return r.conn.LocalAddr().(*net.UDPAddr).Port }

func (r *relay) run() {
	buf := make([]byte, 2000)
	var kept []byte
	for n := 0; ; n++ {
		size, err := r.conn.Read(buf)
		if err != nil {
			return
		}
		drop, double, delay := r.plan(n)
		r.mu.Lock()
		r.passed++
		switch {
		case drop:
			r.dropped++
		case delay && kept == nil:
			r.delayed++
			kept = append(kept, buf[:size]...)
		default:
			r.send(buf[:size])
			if double {
				r.doubled++
				r.send(buf[:size])
			}
			if kept != nil {
				r.send(kept)
				kept = nil
			}
		}
		r.mu.Unlock()
	}
}

func (r *relay) send(data []byte) { _, _ = r.conn.WriteToUDPAddrPort(data, r.to) }

// seen is how many packets came to the relay.
func (r *relay) seen() int { r.mu.Lock(); defer r.mu.Unlock(); return r.passed }

// through connects two streams with a relay from a to b, and waits for media.
func through(t *testing.T, plan func(int) (bool, bool, bool)) (a, b *Stream, earA, earB *ear, r *relay) {
	t.Helper()
	a, b = open(t, newEngine(t)), open(t, newEngine(t))
	r = newRelay(t, b.LocalPort(), plan)
	earB = apply(t, b, params(a.LocalPort(), codec.PCMA))
	earA = apply(t, a, params(r.port(), codec.PCMA))
	next(t, "media", earB.started)
	return a, b, earA, earB, r
}

func TestDigitsComeOnceAndInOrderThroughABadNetwork(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(4, 2))
	a, _, earA, earB, r := through(t, func(int) (drop, double, delay bool) {
		x := random.IntN(100)
		return x < 10, x >= 10 && x < 20, x >= 20 && x < 30
	})
	const digits = "11*5#D"
	if err := a.SendDTMF(digits[:3]); err != nil {
		t.Fatal(err)
	}
	if err := a.SendDTMF(digits[3:]); err != nil {
		t.Fatal(err)
	}
	for i := range digits {
		if got := next(t, "digit", earB.digits); got != digits[i:i+1] {
			t.Errorf("digit %d is %q, want %q", i, got, digits[i:i+1])
		}
	}
	if got := next(t, "word of the first digits", earA.sent); got != digits[:3] {
		t.Errorf("sent %q", got)
	}
	if got := next(t, "word of the others", earA.sent); got != digits[3:] {
		t.Errorf("sent %q", got)
	}
	after := r.seen()
	until(t, "audio after the digits", func() bool { return r.seen() > after+5 })
	if len(earB.digits) > 0 {
		t.Errorf("and %q", <-earB.digits)
	}
}

func TestDigitsAreFinishedWhenTheCallIsHeld(t *testing.T) {
	t.Parallel()
	a, b, _, earB := call(t, codec.PCMA)
	if err := a.SendDTMF("78"); err != nil {
		t.Fatal(err)
	}
	if got := next(t, "first digit", earB.digits); got != "7" {
		t.Errorf("got %q", got)
	}
	held := params(b.LocalPort(), codec.PCMA)
	held.MaySend = false
	apply(t, a, held)
	until(t, "the end of the digit", func() bool {
		a.digits.mu.Lock()
		defer a.digits.mu.Unlock()
		return !a.digits.sender.Unfinished()
	})
	earA := apply(t, a, params(b.LocalPort(), codec.PCMA))
	if got := next(t, "second digit", earB.digits); got != "8" {
		t.Errorf("got %q", got)
	}
	if got := next(t, "word of the digits", earA.sent); got != "78" {
		t.Errorf("sent %q", got)
	}
}

func TestStatisticsOfABadNetwork(t *testing.T) {
	t.Parallel()
	// Of each 20 packets one is lost, one doubled, one comes after the next.
	a, b, _, _, r := through(t, func(n int) (drop, double, delay bool) {
		return n%20 == 5, n%20 == 10, n%20 == 15
	})
	until(t, "most of a second", func() bool { return r.seen() > 40 })
	held := params(r.port(), codec.PCMA)
	held.MaySend = false
	apply(t, a, held)
	until(t, "the last packets", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return b.Stats().RxPackets == int64(r.passed)-r.dropped+r.doubled
	})
	got := b.Stats()
	if got.RxLoss != r.dropped || got.RxDup != r.doubled || got.RxReorder != r.delayed {
		t.Errorf("statistics %+v, want loss %d, duplicates %d, reordered %d", got, r.dropped, r.doubled, r.delayed)
	}
	if got.RxBytes != 160*got.RxPackets {
		t.Errorf("%d bytes in %d packets", got.RxBytes, got.RxPackets)
	}
}

func TestALostPacketIsConcealed(t *testing.T) {
	t.Parallel()
	a, b, _, _, _ := through(t, func(n int) (drop, double, delay bool) { return n%10 == 5, false, false })
	if err := a.Play(toneFile(t, 400, -20, time.Second), true); err != nil {
		t.Fatal(err)
	}
	held := params(a.LocalPort(), codec.PCMA)
	held.MaySend = false
	apply(t, b, held)
	hears(t, "the tone", b, func(pcm []int16, rate int) error {
		before := b.Stats().RxLoss
		if err := (sound{tones: map[float64]float64{400: -20}}).check(pcm, rate); err != nil || before == 0 {
			return errors.Join(err, fmt.Errorf("%d packets lost", before))
		}
		for i := 0; i+80 <= len(pcm); i += 80 { // a hole would be 160 samples of silence
			if got := tone.Goertzel(pcm[i:i+80], rate, 400); got < -26 {
				return fmt.Errorf("after %d ms the tone has %.1f dBov", i/8, got)
			}
		}
		return nil
	})
}
