package rtpsession

import (
	"errors"
	"net"
	"os"
	"time"

	"github.com/pion/rtcp"

	"ringmaster/worker/quality"
)

// report sends reports at random intervals of about 5 s and reads the far
// end's, until the socket is closed.
func (s *Session) report() {
	defer s.running.Done()
	buf := make([]byte, 2048)
	due := s.now().Add(s.interval(true))
	for {
		if err := s.rtcp.SetReadDeadline(due); err != nil {
			return
		}
		n, from, err := s.rtcp.ReadFromUDPAddrPort(buf)
		switch {
		case err == nil:
			s.tap(s.now(), unmap(from), s.local.rtcp, buf[:n])
			s.readReport(buf[:n])
		case errors.Is(err, net.ErrClosed):
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			s.sendReport(false)
			due = s.now().Add(s.interval(false))
		}
	}
}

func (s *Session) interval(initial bool) time.Duration {
	return quality.ReportInterval(initial, float64(s.random()>>11)/(1<<53))
}

// sendReport sends one compound packet: SR when we send, else RR, with what we
// hear of the far end, our CNAME, and BYE when leaving.
func (s *Session) sendReport(goodbye bool) {
	to := s.remote.Load()
	if to == nil || !to.rtcp.IsValid() {
		return
	}
	now := s.now()
	packets := s.compound(now, goodbye)
	data, err := packets.Marshal()
	if err != nil {
		return // cannot be: the packet is ours from end to end
	}
	if p := s.protection.Load(); p != nil {
		if data, err = p.rtcpOut.seal(data); err != nil {
			return // after 2^31 reports
		}
	}
	_, _ = s.rtcp.WriteToUDPAddrPort(data, to.rtcp) // a lost report is no news
	s.tap(now, s.local.rtcp, to.rtcp, data)
}

func (s *Session) compound(now time.Time, goodbye bool) rtcp.CompoundPacket {
	ssrc := s.tx.ssrc.Load()
	blocks := s.reception(now)
	var first rtcp.Packet = &rtcp.ReceiverReport{SSRC: ssrc, Reports: blocks}
	if sent := s.tx.packets.Load() - s.tx.packetsBefore.Load(); sent > 0 {
		first = &rtcp.SenderReport{
			SSRC:        ssrc,
			NTPTime:     quality.NTP(now),
			RTPTime:     s.tx.offset.Load() + s.tx.ticks(now),
			PacketCount: uint32(sent),
			OctetCount:  uint32(s.tx.bytes.Load() - s.tx.bytesBefore.Load()),
			Reports:     blocks,
		}
	}
	packets := rtcp.CompoundPacket{first, rtcp.NewCNAMESourceDescription(ssrc, s.cname)}
	if goodbye {
		packets = append(packets, &rtcp.Goodbye{Sources: []uint32{ssrc}})
	}
	return packets
}

// reception is the report block about the far end's source, if it was heard
// since the last report.
func (s *Session) reception(now time.Time) []rtcp.ReceptionReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &s.rx
	if !r.heard {
		return nil
	}
	r.heard = false
	fraction, lost, highest := r.source.Report()
	block := rtcp.ReceptionReport{
		SSRC:               r.ssrc,
		FractionLost:       fraction,
		TotalLost:          uint32(lost) & 0xFFFFFF, // 24 bits, signed
		LastSequenceNumber: highest,
		Jitter:             r.jitter.Ticks(),
	}
	if r.lastSR != 0 {
		block.LastSenderReport = r.lastSR
		block.Delay = uint32(now.Sub(r.lastSRAt) * 65536 / time.Second)
	}
	return []rtcp.ReceptionReport{block}
}

// readReport takes what the far end says: when it sent, and how it hears us.
func (s *Session) readReport(data []byte) {
	if p := s.protection.Load(); p != nil {
		var err error
		if data, err = p.rtcpIn.DecryptRTCP(data[:0], data, nil); err != nil {
			return
		}
	}
	packets, err := rtcp.Unmarshal(data)
	if err != nil {
		return
	}
	now := s.now()
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.SenderReport:
			s.noteSender(p, now)
			s.noteReception(p.Reports, now)
		case *rtcp.ReceiverReport:
			s.noteReception(p.Reports, now)
		}
	}
}

func (s *Session) noteSender(p *rtcp.SenderReport, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rx.begun && p.SSRC == s.rx.ssrc {
		s.rx.lastSR, s.rx.lastSRAt = quality.Middle(p.NTPTime), now
	}
}

func (s *Session) noteReception(blocks []rtcp.ReceptionReport, now time.Time) {
	for _, b := range blocks {
		if b.SSRC != s.tx.ssrc.Load() {
			continue
		}
		if rtt, ok := quality.RoundTrip(quality.Middle(quality.NTP(now)), b.LastSenderReport, b.Delay); ok {
			s.tx.rttMicros.Store(max(1, rtt.Microseconds())) // 0 means not known
		}
	}
}
