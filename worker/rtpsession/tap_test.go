package rtpsession

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
)

// The tap is shown what both sockets send and receive, rubbish too.
func TestTap(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	shown := make(chan struct{}, 100)
	s, err := Listen(Config{Local: loopback, Tap: func(at time.Time, from, to netip.AddrPort, data []byte) {
		mu.Lock()
		seen = append(seen, fmt.Sprintf("%v %v %d", from, to, len(data)))
		mu.Unlock()
		if time.Since(at).Abs() > time.Minute {
			t.Errorf("the time is %v", at)
		}
		shown <- struct{}{}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f := newFarEnd(t, s)
	s.Start(newInbox())
	await := func() {
		t.Helper()
		select {
		case <-shown:
		case <-time.After(5 * time.Second):
			t.Fatal("nothing is shown")
		}
	}
	if err := s.Send(0, false, 0, make([]byte, 160)); err != nil {
		t.Fatal(err)
	}
	await()
	f.send(t, 1, 1, 1)
	await()
	f.sendRaw(t, []byte("no RTP"))
	await()
	if _, err := f.rtcp.WriteToUDPAddrPort(make([]byte, 8), address(s.Port()+1)); err != nil {
		t.Fatal(err)
	}
	await()
	s.Close() // says goodbye
	await()
	mu.Lock()
	defer mu.Unlock()
	ours, theirs := address(s.Port()), f.rtp.LocalAddr()
	ourReports, theirReports := address(s.Port()+1), f.rtcp.LocalAddr()
	for _, want := range []string{
		fmt.Sprintf("%v %v 172", ours, theirs), fmt.Sprintf("%v %v 172", theirs, ours), fmt.Sprintf("%v %v 6", theirs, ours),
		fmt.Sprintf("%v %v 8", theirReports, ourReports),
	} {
		if !slices.Contains(seen, want) {
			t.Errorf("%q is not among %q", want, seen)
		}
	}
	if last := fmt.Sprintf("%v %v ", ourReports, theirReports); len(seen) != 5 || len(seen[4]) <= len(last) || seen[4][:len(last)] != last {
		t.Errorf("the goodbye is not the last of %q", seen)
	}
}
