// Package rtpsession is the two sockets of one call's media, with what RFC 3550
// asks of whoever speaks RTP through them.
//
//	clock ───Send──► RTP socket  ──► far end's RTP address
//	Handler ◄─reader─ RTP socket ◄── anyone
//	reports goroutine ⇄ RTCP socket  (SR, RR, SDES, BYE)
//
// RTP goes where signalling says, always: the session does not latch on to the
// address that packets come from, so that what a test sees is what was
// negotiated. It accepts packets from any address, as RFC 3550 §8 does.
//
// With Protect, all of it is SRTP, encrypted and decrypted at the sockets:
// nothing above them knows.
package rtpsession

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"ringmaster/proto/phone"
)

// Packet is one RTP packet of audio or events that arrived.
type Packet struct {
	SSRC        uint32
	Seq         uint16
	Timestamp   uint32
	PayloadType uint8
	Marker      bool
	Payload     []byte // valid during the call of Handler.Packet only
	Arrival     time.Time
}

// Handler takes what arrives. Its methods are called on the session's reader
// goroutine, one at a time, and must not block.
type Handler interface {
	// ClockRate is the RTP clock of a payload type in Hz; 0 keeps its packets
	// out of the jitter estimate, as events must be, whose timestamps stand
	// still.
	ClockRate(payloadType uint8) int
	// Packet takes a packet, once: duplicates are counted and dropped.
	Packet(*Packet)
}

// Config is what a session is made with.
type Config struct {
	Local  netip.Addr       // address to bind, and nothing else
	CNAME  string           // names the phone in SDES packets; the same for all of its calls
	Now    func() time.Time // nil is time.Now
	Random func() uint64    // safe for concurrent use; nil is math/rand/v2
	// Tap is shown every datagram of both sockets, as it is on the wire, from
	// the goroutine that sent or received it. It must not block nor keep the
	// data. nil for none.
	Tap func(at time.Time, from, to netip.AddrPort, data []byte)
}

// Session is one call's media sockets. Send and NewSource belong to one
// goroutine, the clock's; all other methods may be called from any.
type Session struct {
	cname  string
	now    func() time.Time
	random func() uint64
	rtp    *net.UDPConn
	rtcp   *net.UDPConn
	tap    func(at time.Time, from, to netip.AddrPort, data []byte)
	local  pair // where our sockets are

	remote     atomic.Pointer[pair]       // where packets go
	protection atomic.Pointer[protection] // nil: RTP in the clear
	tx         sender
	rx         receiver // guarded by mu, which the sending side never takes
	mu         sync.Mutex

	discarded atomic.Int64
	unagreed  atomic.Int64 // of them
	strangePT atomic.Int64 // the newest type of those
	started   atomic.Bool
	closed    sync.Once
	running   sync.WaitGroup
}

// pair is one side's addresses.
type pair struct{ rtp, rtcp netip.AddrPort }

func localAddr(c *net.UDPConn) netip.AddrPort { return unmap(c.LocalAddr().(*net.UDPAddr).AddrPort()) }

// Listen binds a pair of ports, the even one for RTP and the next for RTCP, of
// which no other socket of this machine has either.
func Listen(cfg Config) (*Session, error) {
	s := &Session{cname: cfg.CNAME, now: cfg.Now, random: cfg.Random, tap: cfg.Tap}
	if s.tap == nil {
		s.tap = func(time.Time, netip.AddrPort, netip.AddrPort, []byte) {}
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.random == nil {
		s.random = rand.Uint64
	}
	var err error
	if s.rtp, s.rtcp, err = bindPair(cfg.Local, s.random()); err != nil {
		return nil, err
	}
	s.local = pair{localAddr(s.rtp), localAddr(s.rtcp)}
	s.tx.epoch = s.now()
	s.NewSource(8000)
	return s, nil
}

// Port is the RTP port; RTCP has the next one.
func (s *Session) Port() int { return s.rtp.LocalAddr().(*net.UDPAddr).Port }

// SetRemote says where RTP and RTCP go from now on. An invalid rtcp address
// stands for the RTP address with the next port.
func (s *Session) SetRemote(rtp, rtcp netip.AddrPort) {
	if !rtcp.IsValid() && rtp.IsValid() {
		rtcp = netip.AddrPortFrom(rtp.Addr(), rtp.Port()+1)
	}
	s.remote.Store(&pair{unmap(rtp), unmap(rtcp)})
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// Start begins to receive and to report. It may be called once.
func (s *Session) Start(h Handler) {
	if s.started.Swap(true) {
		return
	}
	s.running.Add(2)
	go s.read(h)
	go s.report()
}

// Discard counts a packet that was received but could not be used.
func (s *Session) Discard() { s.discarded.Add(1) }

// Unagreed counts a packet, as Discard does, of a payload type that nobody had
// agreed on.
func (s *Session) Unagreed(payloadType uint8) {
	s.Discard()
	s.unagreed.Add(1)
	s.strangePT.Store(int64(payloadType))
}

// Stats is what the session has counted so far, across every source that it
// sent as and received from.
func (s *Session) Stats() phone.RTPStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.rx.stats()
	stats.RxDiscard = s.discarded.Load()
	stats.TxPackets, stats.TxBytes = s.tx.packets.Load(), s.tx.bytes.Load()
	stats.RTTUsec = s.tx.rttMicros.Load()
	stats.RxUnagreed, stats.RxUnagreedPT = s.unagreed.Load(), s.strangePT.Load()
	if s.rx.from.IsValid() {
		stats.RxFrom = s.rx.from.String()
	}
	return stats
}

// Close says goodbye to the far end, frees the ports and returns when the
// session's goroutines have ended.
func (s *Session) Close() {
	s.closed.Do(func() {
		if s.started.Load() {
			s.sendReport(true)
		}
		s.rtp.Close()
		s.rtcp.Close()
	})
	s.running.Wait()
}

// The range of RTP ports: above the ports of well-known services, below those
// that the kernel gives out by itself.
const (
	lowestPort  = 16384
	highestPort = 32766
)

// bindPair tries every even port once, from a random one on, so that several
// programs on a machine need not know of each other.
func bindPair(local netip.Addr, random uint64) (rtp, rtcp *net.UDPConn, err error) {
	const pairs = (highestPort - lowestPort) / 2
	for i := range uint64(pairs) {
		port := lowestPort + int((random+i)%pairs)*2
		rtp, err = bind(local, port)
		if err != nil {
			continue
		}
		if rtcp, err = bind(local, port+1); err == nil {
			return rtp, rtcp, nil
		}
		rtp.Close()
	}
	return nil, nil, fmt.Errorf("no pair of free UDP ports from %d to %d on %s for RTP: %w", lowestPort, highestPort, local, err)
}

// receiveBuffer holds more than a second of one call's packets, so that a busy
// machine does not look like a lossy network.
const receiveBuffer = 256 << 10

func bind(local netip.Addr, port int) (*net.UDPConn, error) {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, uint16(port))))
	if err != nil {
		return nil, err
	}
	_ = c.SetReadBuffer(receiveBuffer) // the kernel may grant less; that is no reason to fail
	return c, nil
}
