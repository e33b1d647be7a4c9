package sipnet

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"ringmaster/proto/phone"
)

// udpSocket is the one UDP socket of an endpoint.
type udpSocket struct {
	endpoint *Endpoint
	conn     *net.UDPConn
	// tap holds the order: an answer is not shown before what it answers,
	// though it may be read before the write has returned.
	tap sync.Mutex

	icmp     sync.Mutex
	returned []undelivered // datagrams that the network has given back, not yet told of
}

// A burst of messages waits in the kernel while the loop is busy. It gives
// less than this where net.core.rmem_max is lower, which is no error.
const receiveBuffer = 1 << 20

func newUDPSocket(e *Endpoint, c *net.UDPConn) *udpSocket {
	_ = c.SetReadBuffer(receiveBuffer)
	watchICMP(c)
	return &udpSocket{endpoint: e, conn: c}
}

// errorsInARow is how often reading may fail before the socket is given up:
// an error that stays would be a loop without end.
const errorsInARow = 1000

func (s *udpSocket) read() {
	buf := make([]byte, 65536)
	e := s.endpoint
	failed := 0
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil && (ofAnother(err) || errors.Is(err, os.ErrDeadlineExceeded)):
			_ = s.conn.SetReadDeadline(time.Time{}) // before looking, so that nothing is missed
			s.heedICMP()
			continue
		case err != nil:
			if failed++; failed == errorsInARow {
				e.cfg.Log.Error("the SIP socket cannot be read any more", "error", err)
				return
			}
			continue
		}
		failed = 0
		if isKeepAlive(buf[:n]) {
			continue
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		raw := bytes.Clone(buf[:n])
		if looksLikeSIP(raw) {
			s.tap.Lock()
			e.show(e.cfg.Now(), false, phone.UDP, from, raw)
			s.tap.Unlock()
		}
		e.receive(buf[:n], from, Target{Transport: phone.UDP, Addr: from})
	}
}

func (s *udpSocket) write(raw []byte, to netip.AddrPort) error {
	s.tap.Lock()
	defer s.tap.Unlock()
	at := s.endpoint.cfg.Now() // the far end may have it before the write returns
	err := s.writeOnce(raw, to)
	for tries := 1; err != nil && ofAnother(err) && tries < writeTries; tries++ {
		err = s.writeOnce(raw, to)
	}
	switch {
	case errors.Is(err, net.ErrClosed):
		return errClosed
	case errors.Is(err, syscall.EMSGSIZE):
		return fmt.Errorf("a message of %d bytes does not fit into a UDP datagram: use transport tcp", len(raw))
	case err != nil:
		return err
	}
	s.endpoint.show(at, true, phone.UDP, to, raw)
	return nil
}

// writeTries is how often a write may be answered with the error of another
// datagram before the error is taken for its own.
const writeTries = 16

// writeOnce, when it is given the error of another datagram, takes what the
// kernel has to say of such, since it says it to one asker only; the reader
// tells of it.
func (s *udpSocket) writeOnce(raw []byte, to netip.AddrPort) error {
	_, err := s.conn.WriteToUDPAddrPort(raw, to)
	if err != nil && ofAnother(err) {
		s.keepReturned(takeICMP(s.conn))
		_ = s.conn.SetReadDeadline(time.Unix(1, 0)) // wakes the reader
	}
	return err
}

// returnedBound is how many datagrams that came back may wait to be told of.
const returnedBound = 1024

func (s *udpSocket) keepReturned(more []undelivered) {
	s.icmp.Lock()
	defer s.icmp.Unlock()
	if room := returnedBound - len(s.returned); len(more) > room {
		more = more[:room]
	}
	s.returned = append(s.returned, more...)
}

// heedICMP tells of the datagrams that have come back.
func (s *udpSocket) heedICMP() {
	s.keepReturned(takeICMP(s.conn))
	s.icmp.Lock()
	all := s.returned
	s.returned = nil
	s.icmp.Unlock()
	for _, u := range all {
		s.endpoint.cfg.Log.Debug("a datagram did not arrive", "to", u.to, "error", u.why)
		if method, branch, ok := TransactionOf(u.sent); ok {
			s.endpoint.cfg.Undelivered(method, branch, u.why)
		}
	}
}
