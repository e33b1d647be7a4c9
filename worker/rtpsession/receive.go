package rtpsession

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/pion/rtp"

	"ringmaster/proto/phone"
	"ringmaster/worker/quality"
)

// receiver counts what arrives. A source is the stream of one SSRC.
type receiver struct {
	packets, bytes int64
	begun          bool
	ssrc           uint32
	source         quality.Receiver
	jitter         quality.Jitter
	jitterRate     int
	jitterPT       uint8          // of the last packet that it took
	before         phone.RTPStats // loss, duplicates, reordering of earlier sources
	heard          bool           // since the last report
	from           netip.AddrPort // where the newest packet came from

	lastSR   uint32 // middle of the NTP time of the last SR from this source
	lastSRAt time.Time
}

func (r *receiver) stats() phone.RTPStats {
	return phone.RTPStats{
		RxPackets:    r.packets,
		RxBytes:      r.bytes,
		RxLoss:       r.before.RxLoss + r.source.Lost(),
		RxDup:        r.before.RxDup + r.source.Duplicates(),
		RxReorder:    r.before.RxReorder + r.source.Reordered(),
		RxJitterUsec: r.jitter.Microseconds(),
	}
}

// newSource begins to count another SSRC; what was counted stays.
func (r *receiver) newSource(ssrc uint32) {
	before := r.stats()
	r.before = phone.RTPStats{RxLoss: before.RxLoss, RxDup: before.RxDup, RxReorder: before.RxReorder}
	r.begun, r.ssrc = true, ssrc
	r.source, r.jitter, r.jitterRate = quality.Receiver{}, quality.Jitter{}, 0
	r.lastSR, r.lastSRAt = 0, time.Time{}
}

// probation is how long a new SSRC has to wait while the old one still sends:
// two streams at once (both legs of a fork) must not tear each other apart.
const probation = 100 * time.Millisecond

// read hands packets to h until the socket is closed.
func (s *Session) read(h Handler) {
	defer s.running.Done()
	var (
		buf      = make([]byte, 2048)
		header   rtp.Header
		packet   Packet
		opener   opener
		epoch    = s.tx.epoch
		lastFrom time.Time // last packet of the source that is heard
		stranger uint32    // SSRC of the packet before, if it was not that source's
	)
	for {
		n, from, err := s.rtp.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP error of an earlier packet: the socket lives on
		}
		now := s.now()
		s.tap(now, unmap(from), s.local.rtp, buf[:n])
		data, ok := s.open(&opener, buf[:n])
		if !ok {
			continue
		}
		payload, ok := parse(&header, data)
		if !ok {
			s.Discard()
			continue
		}
		rate := h.ClockRate(header.PayloadType)

		s.mu.Lock()
		r := &s.rx
		r.packets++
		r.bytes += int64(len(payload))
		r.from = unmap(from)
		if !r.begun || header.SSRC != r.ssrc {
			if r.begun && stranger != header.SSRC && now.Sub(lastFrom) < probation {
				stranger = header.SSRC
				s.mu.Unlock()
				s.Discard()
				continue
			}
			r.newSource(header.SSRC)
		}
		verdict := r.source.Packet(header.SequenceNumber)
		r.heard = true
		if rate > 0 && verdict != quality.Jumped {
			if rate != r.jitterRate || verdict == quality.Restarted {
				r.jitter, r.jitterRate = quality.NewJitter(rate), rate
			} else if r.jitterPT != header.PayloadType {
				r.jitter.Moved()
			}
			r.jitterPT = header.PayloadType
			r.jitter.Packet(header.Timestamp, now.Sub(epoch))
		}
		s.mu.Unlock()

		lastFrom, stranger = now, header.SSRC
		switch verdict {
		case quality.Duplicate:
		case quality.Jumped:
			s.Discard()
		default:
			packet = Packet{
				SSRC: header.SSRC, Seq: header.SequenceNumber, Timestamp: header.Timestamp,
				PayloadType: header.PayloadType, Marker: header.Marker, Payload: payload, Arrival: now,
			}
			h.Packet(&packet)
		}
	}
}

// open takes SRTP off a packet, where there is SRTP. What it cannot open it
// counts: as a duplicate when it has been heard before, else as discarded.
func (s *Session) open(o *opener, data []byte) ([]byte, bool) {
	p := s.protection.Load()
	if p == nil {
		return data, true
	}
	plain, verdict := o.open(p, data)
	if verdict == good {
		return plain, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, h := &s.rx, &o.header
	if verdict == again && h.SSRC == r.ssrc && r.source.Seen(h.SequenceNumber) {
		r.packets++
		r.bytes += int64(len(data) - h.MarshalSize() - p.tagLength)
		r.source.Packet(h.SequenceNumber)
		return nil, false
	}
	s.Discard()
	return nil, false
}

// parse reads an RTP packet and takes its padding off.
func parse(h *rtp.Header, data []byte) (payload []byte, ok bool) {
	n, err := h.Unmarshal(data)
	if err != nil || h.Version != 2 || n > len(data) {
		return nil, false
	}
	payload = data[n:]
	if h.Padding {
		if len(payload) == 0 || payload[len(payload)-1] == 0 || int(payload[len(payload)-1]) > len(payload) {
			return nil, false
		}
		payload = payload[:len(payload)-int(payload[len(payload)-1])]
	}
	return payload, true
}
