package rtpsession

import (
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
)

// sender is what the clock writes, and reports read without a lock.
type sender struct {
	epoch time.Time // a fixed moment; time is counted from it

	// Only the clock touches these.
	header rtp.Header
	sealed rtp.Header // the same, as read back to encrypt it
	buffer [2048]byte

	ssrc      atomic.Uint32
	clockRate atomic.Uint32
	offset    atomic.Uint32 // RTP timestamp at the epoch, as far as the last packet tells
	packets   atomic.Int64
	bytes     atomic.Int64
	rttMicros atomic.Int64

	// What the source before this one had sent: SR counts by source.
	packetsBefore, bytesBefore atomic.Int64
}

// NewSource begins to send as a new random SSRC with a new random sequence
// number, for an RTP clock of clockRate Hz. A source keeps its clock rate
// (RFC 7160 §4.1), so a codec with another one needs another source.
func (s *Session) NewSource(clockRate int) {
	r := s.random()
	// Below 2^15, so that SRTP agrees on the count of rounds though the first
	// packets are lost (RFC 3711 §3.3.1).
	s.tx.header = rtp.Header{Version: 2, SSRC: uint32(r >> 32), SequenceNumber: uint16(r) >> 1}
	s.tx.packetsBefore.Store(s.tx.packets.Load())
	s.tx.bytesBefore.Store(s.tx.bytes.Load())
	s.tx.clockRate.Store(uint32(clockRate))
	s.tx.ssrc.Store(uint32(r >> 32))
}

// RandomTimestamp is where a source's timestamps should begin (RFC 3550 §5.1).
func (s *Session) RandomTimestamp() uint32 { return uint32(s.random()) }

// Send sends one packet to the remote address, and nothing before there is
// one. It does not allocate. The payload may have up to
// 2,000 bytes; it is for the caller to keep below what the network takes whole.
func (s *Session) Send(payloadType uint8, marker bool, timestamp uint32, payload []byte) error {
	to := s.remote.Load()
	if to == nil || !to.rtp.IsValid() {
		return nil
	}
	h := &s.tx.header
	h.PayloadType, h.Marker, h.Timestamp = payloadType, marker, timestamp
	n, err := h.MarshalTo(s.tx.buffer[:])
	if err != nil {
		return err
	}
	n += copy(s.tx.buffer[n:], payload)
	packet := s.tx.buffer[:n]
	if p := s.protection.Load(); p != nil {
		if packet, err = p.rtpOut.EncryptRTP(s.tx.buffer[:0], packet, &s.tx.sealed); err != nil {
			return err
		}
	}
	h.SequenceNumber++
	s.tx.packets.Add(1)
	s.tx.bytes.Add(int64(len(payload)))
	now := s.now()
	s.tx.offset.Store(timestamp - s.tx.ticks(now))
	_, err = s.rtp.WriteToUDPAddrPort(packet, to.rtp)
	s.tap(now, s.local.rtp, to.rtp, packet)
	return err
}

// ticks is the time since the epoch on the RTP clock.
func (t *sender) ticks(now time.Time) uint32 {
	return uint32(now.Sub(t.epoch).Microseconds() * int64(t.clockRate.Load()) / 1_000_000)
}
