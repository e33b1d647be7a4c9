package capture

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// However a stream is cut, what comes out is its header and its records.
func TestSplitter(t *testing.T) {
	from := time.Unix(1_700_000_000, 0).UTC()
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		stream := pcapStream(order, from, 4)
		for size := 1; size <= len(stream); size++ {
			var s splitter
			out := []byte(nil)
			var last time.Time
			for rest := stream; len(rest) > 0; {
				n := min(size, len(rest))
				if err := s.add(rest[:n], func(at time.Time, r []byte) { out, last = append(out, r...), at }); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if string(s.header)+string(out) != string(stream) || !last.Equal(from.Add(3*time.Second)) {
				t.Fatalf("in pieces of %d: %d of %d bytes, last at %v", size, len(s.header)+len(out), len(stream), last)
			}
		}
	}
	nanos := pcapStream(binary.LittleEndian, from, 1)
	binary.LittleEndian.PutUint32(nanos, magicNanos)
	binary.LittleEndian.PutUint32(nanos[fileHeader+4:], 123_456_789)
	var s splitter
	var at time.Time
	if err := s.add(nanos, func(a time.Time, _ []byte) { at = a }); err != nil || at.Nanosecond() != 123_456_789 {
		t.Errorf("%v %v", at, err)
	}
	huge := pcapStream(binary.LittleEndian, from, 1)
	binary.LittleEndian.PutUint32(huge[fileHeader+8:], longestRecord+1)
	if err := new(splitter).add(huge, func(time.Time, []byte) {}); err == nil {
		t.Error("a record of any length is taken")
	}
}

// Several may push while one pops: every datagram comes out once, those of one
// pusher in order, or is counted as dropped.
func TestFeed(t *testing.T) {
	const pushers, each = 4, 5000
	f := newFeed()
	var pushing sync.WaitGroup
	for p := range pushers {
		pushing.Go(func() {
			for i := range each {
				f.push(time.Time{}, netip.AddrPort{}, netip.AddrPort{}, binary.BigEndian.AppendUint32([]byte{byte(p)}, uint32(i)))
			}
		})
	}
	done := make(chan struct{})
	go func() { pushing.Wait(); close(done) }()
	var next [pushers]int
	popped := 0
	take := func(d *datagram) {
		p, i := d.payload[0], int(binary.BigEndian.Uint32(d.payload[1:]))
		if i < next[p] {
			t.Errorf("datagram %d of %d comes after %d", i, p, next[p]-1)
		}
		next[p] = i + 1
		popped++
	}
	for over := false; !over; {
		select {
		case <-f.wake:
		case <-done:
			over = true
		}
		for f.pop(take) {
		}
	}
	if dropped := int(f.dropped.Load()); popped+dropped != pushers*each || popped < feedBound {
		t.Errorf("%d came out, %d were dropped", popped, dropped)
	}
}

func TestFeedFull(t *testing.T) {
	var taps Taps
	f := taps.attach()
	for range feedBound + 3 {
		taps.Datagram(time.Time{}, here, there, []byte("x"))
	}
	if n := f.dropped.Load(); n != 3 {
		t.Errorf("%d were dropped", n)
	}
	for range 2 {
		f.pop(func(*datagram) {})
	}
	taps.Datagram(time.Time{}, here, there, []byte("y"))
	if n := f.dropped.Load(); n != 3 {
		t.Errorf("%d were dropped though there was room", n)
	}
	taps.detach(f)
	if taps.On() {
		t.Error("the taps are still on")
	}
}

func TestDatagramDoesNotAllocate(t *testing.T) {
	var taps Taps
	payload, at := make([]byte, usualSize), time.Now()
	for _, on := range []string{"off", "on"} {
		if n := testing.AllocsPerRun(100, func() { taps.Datagram(at, here, there, payload) }); n != 0 {
			t.Errorf("%s: %v allocations", on, n)
		}
		taps.attach()
	}
}

func TestDroppedByKernel(t *testing.T) {
	said := "tcpdump: listening on any\n60 packets captured\n2026 packets received by filter\n1904 packets dropped by kernel\n"
	if n := droppedByKernel(said); n != 1904 {
		t.Error(n)
	}
	if n := droppedByKernel("nothing of the kind"); n != 0 {
		t.Error(n)
	}
}
