package harm

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// Relay is for one call.
type Relay struct {
	// Addr is where the phone calls: what comes there goes to the peer.
	Addr string

	sip   *net.UDPConn
	peer  netip.AddrPort
	phone netip.AddrPort // where its SIP comes from; of serve

	nearPort, farPort int // where the phone, and the peer, sends its RTP
	toPhone, toPeer   *way
	rtcp              [2]*way // to the phone, to the peer
	shut              atomic.Bool
}

// Start makes a relay to a peer that speaks SIP at host:port over UDP. The
// test's end ends it.
func Start(t testing.TB, peer string, toPhone, toPeer Plan) *Relay {
	t.Helper()
	far, err := netip.ParseAddrPort(peer)
	if err != nil {
		t.Fatal(err)
	}
	sip, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(far.Addr(), 0)))
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{Addr: sip.LocalAddr().String(), sip: sip, peer: far}
	near, nearControl := pair(t, far.Addr())
	away, awayControl := pair(t, far.Addr())
	r.nearPort, r.farPort = port(near), port(away)
	r.toPhone, r.toPeer = r.way(away, near, toPhone), r.way(near, away, toPeer)
	r.toPhone.mill, r.toPeer.mill = newMill(toPhone), newMill(toPeer)
	r.toPhone.jitter, r.toPeer.jitter = toPhone.Jitter, toPeer.Jitter
	r.rtcp = [2]*way{r.way(awayControl, nearControl, toPhone), r.way(nearControl, awayControl, toPeer)}

	var running sync.WaitGroup
	running.Go(r.serve)
	for _, w := range []*way{r.toPhone, r.toPeer, r.rtcp[0], r.rtcp[1]} {
		running.Go(w.read)
		running.Go(w.write)
	}
	t.Cleanup(func() {
		for _, c := range []*net.UDPConn{sip, near, nearControl, away, awayControl} {
			c.Close()
		}
		running.Wait()
	})
	return r
}

func (r *Relay) way(in, out *net.UDPConn, p Plan) *way {
	return &way{in: in, out: out, delay: p.Delay, shut: &r.shut, queue: make(chan parcel, 1<<12)}
}

// URI is where the phone calls a user of the peer.
func (r *Relay) URI(user string) string { return fmt.Sprintf("sip:%s@%s", user, r.Addr) }

// Shut lets no more media pass. What waits for its time still goes.
func (r *Relay) Shut() { r.shut.Store(true) }

// ToPhone is what was done to the RTP that the peer sent.
func (r *Relay) ToPhone() Done { return r.toPhone.done() }

// ToPeer is what was done to the RTP that the phone sent.
func (r *Relay) ToPeer() Done { return r.toPeer.done() }

// pair binds two ports in a row, the first even: RTP and RTCP.
func pair(t testing.TB, host netip.Addr) (rtp, rtcp *net.UDPConn) {
	t.Helper()
	for range 100 {
		c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
		if err != nil {
			t.Fatal(err)
		}
		if n := port(c); n%2 == 0 && n >= 10_000 { // five digits: a description keeps its length
			next, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, uint16(n+1))))
			if err == nil {
				return c, next
			}
		}
		c.Close()
	}
	t.Fatal("no two free ports in a row")
	return nil, nil
}

func port(c *net.UDPConn) int { return c.LocalAddr().(*net.UDPAddr).Port }

// serve passes on SIP.
func (r *Relay) serve() {
	buf := make([]byte, 65536)
	for {
		n, from, err := r.sip.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP error of an earlier packet
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		to, mine, ways := r.phone, r.nearPort, [2]*way{r.toPeer, r.rtcp[1]}
		if from != r.peer {
			r.phone = from
			to, mine, ways = r.peer, r.farPort, [2]*way{r.toPhone, r.rtcp[0]}
		}
		_, _ = r.sip.WriteToUDPAddrPort(redirect(buf[:n], from.Addr(), mine, ways), to) // UDP: it comes again
	}
}

var audioLine = regexp.MustCompile(`(?m)^(m=audio |a=rtcp:)(\d{5})\b`)

// redirect puts our port into a description, and lets the ways to its sender
// lead to the port that it names.
func redirect(message []byte, sender netip.Addr, mine int, ways [2]*way) []byte {
	return audioLine.ReplaceAllFunc(message, func(line []byte) []byte {
		parts := audioLine.FindSubmatch(line)
		theirs, _ := strconv.Atoi(string(parts[2])) // it is digits
		ours, w := mine, ways[0]
		if string(parts[1]) == "a=rtcp:" {
			ours, w = mine+1, ways[1]
		} else {
			control := netip.AddrPortFrom(sender, uint16(theirs+1))
			ways[1].to.CompareAndSwap(nil, &control)
		}
		to := netip.AddrPortFrom(sender, uint16(theirs))
		w.to.Store(&to)
		return fmt.Appendf(nil, "%s%d", parts[1], ours)
	})
}
