package rtpsession

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"go.uber.org/goleak"

	"ringmaster/proto/phone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = netip.MustParseAddr("127.0.0.1")

// inbox is a Handler that keeps copies.
type inbox struct{ packets chan Packet }

func newInbox() *inbox { return &inbox{make(chan Packet, 100)} }

func (*inbox) ClockRate(pt uint8) int {
	if pt == 101 {
		return 0
	}
	return 8000
}

func (b *inbox) Packet(p *Packet) {
	c := *p
	c.Payload = bytes.Clone(p.Payload)
	b.packets <- c
}

func (b *inbox) next(t *testing.T) Packet {
	t.Helper()
	select {
	case p := <-b.packets:
		return p
	case <-time.After(5 * time.Second):
		t.Fatal("no packet came")
		return Packet{}
	}
}

func listen(t *testing.T) *Session {
	t.Helper()
	s, err := Listen(Config{Local: loopback, CNAME: "a@test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func address(port int) netip.AddrPort { return netip.AddrPortFrom(loopback, uint16(port)) }

// farEnd is a plain pair of sockets that the test reads and writes itself.
type farEnd struct {
	rtp, rtcp *net.UDPConn
	to        *Session
}

func newFarEnd(t *testing.T, to *Session) *farEnd {
	t.Helper()
	f := &farEnd{to: to}
	var err error
	if f.rtp, f.rtcp, err = bindPair(loopback, 77); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.rtp.Close(); f.rtcp.Close() })
	to.SetRemote(f.rtp.LocalAddr().(*net.UDPAddr).AddrPort(), netip.AddrPort{})
	return f
}

func (f *farEnd) send(t *testing.T, ssrc uint32, seq uint16, timestamp uint32) {
	t.Helper()
	data, err := (&rtp.Packet{
		Header:  rtp.Header{Version: 2, SSRC: ssrc, SequenceNumber: seq, Timestamp: timestamp},
		Payload: make([]byte, 160),
	}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	f.sendRaw(t, data)
}

func (f *farEnd) sendRaw(t *testing.T, data []byte) {
	t.Helper()
	if _, err := f.rtp.WriteToUDPAddrPort(data, address(f.to.Port())); err != nil {
		t.Fatal(err)
	}
}

func (f *farEnd) readReport(t *testing.T) []rtcp.Packet {
	t.Helper()
	buf := make([]byte, 1500)
	_ = f.rtcp.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := f.rtcp.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	var c rtcp.CompoundPacket
	if err := c.Unmarshal(buf[:n]); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if name, _ := c.CNAME(); name != "a@test" {
		t.Errorf("CNAME %q", name)
	}
	return c
}

func TestPortsAreAPair(t *testing.T) {
	a, b := listen(t), listen(t)
	if a.Port()%2 != 0 || b.Port()%2 != 0 || a.Port() == b.Port() {
		t.Errorf("ports %d and %d", a.Port(), b.Port())
	}
	if got := a.rtcp.LocalAddr().(*net.UDPAddr).Port; got != a.Port()+1 {
		t.Errorf("RTCP port %d beside %d", got, a.Port())
	}
}

func TestATakenPortIsPassedOver(t *testing.T) {
	a, ac, err := bindPair(loopback, 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	defer ac.Close()
	b, bc, err := bindPair(loopback, 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	defer bc.Close()
	if a.LocalAddr().String() == b.LocalAddr().String() {
		t.Error("two sockets on one port")
	}
}

func TestAnAddressThatIsNotOursIsAnError(t *testing.T) {
	if _, err := Listen(Config{Local: netip.MustParseAddr("192.0.2.1")}); err == nil {
		t.Error("bound 192.0.2.1")
	}
}

func TestPacketsTravel(t *testing.T) {
	a, b := listen(t), listen(t)
	got := newInbox()
	a.SetRemote(address(b.Port()), netip.AddrPort{})
	b.Start(got)
	if err := a.Send(8, true, 1234, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := a.Send(8, false, 1394, []byte("again")); err != nil {
		t.Fatal(err)
	}
	first, second := got.next(t), got.next(t)
	if first.PayloadType != 8 || !first.Marker || first.Timestamp != 1234 || string(first.Payload) != "hello" {
		t.Errorf("first packet %+v", first)
	}
	if second.Marker || second.Seq != first.Seq+1 || second.SSRC != first.SSRC {
		t.Errorf("second packet %+v after %+v", second, first)
	}
	if s := a.Stats(); s.TxPackets != 2 || s.TxBytes != 10 {
		t.Errorf("sender's statistics %+v", s)
	}
	if s := b.Stats(); s.RxPackets != 2 || s.RxBytes != 10 || s.RxLoss != 0 {
		t.Errorf("receiver's statistics %+v", s)
	}
}

func TestNothingIsSentBeforeThereIsARemote(t *testing.T) {
	a := listen(t)
	if err := a.Send(8, true, 0, []byte("x")); err != nil || a.Stats().TxPackets != 0 {
		t.Errorf("Send = %v, %+v", err, a.Stats())
	}
}

func TestStatisticsAcrossSources(t *testing.T) {
	s := listen(t)
	f := newFarEnd(t, s)
	got := newInbox()
	s.Start(got)
	for _, p := range []struct {
		ssrc uint32
		seq  uint16
	}{{1, 10}, {1, 11}, {1, 13}, {1, 13}, {1, 12}, {1, 15}} { // 14 is lost
		f.send(t, p.ssrc, p.seq, 160*uint32(p.seq))
	}
	for range 5 {
		got.next(t)
	}
	// A stranger's single packet changes nothing; two in a row take over.
	f.send(t, 9, 500, 0)
	f.send(t, 1, 16, 160*16)
	if p := got.next(t); p.SSRC != 1 || p.Seq != 16 {
		t.Errorf("after a stray packet came %+v", p)
	}
	f.send(t, 2, 900, 0)
	f.send(t, 2, 901, 160)
	f.send(t, 2, 903, 480) // 902 is lost
	if p := got.next(t); p.SSRC != 2 || p.Seq != 901 {
		t.Errorf("the new source begins with %+v", p)
	}
	got.next(t)
	want := phone.RTPStats{RxPackets: 11, RxBytes: 1760, RxLoss: 2, RxDup: 1, RxReorder: 1, RxDiscard: 2, RxFrom: f.rtp.LocalAddr().String()}
	stats := s.Stats()
	stats.RxJitterUsec = 0 // the machine's
	if stats != want {
		t.Errorf("statistics\n%+v, want\n%+v", stats, want)
	}
}

// A PBX that changes what it relays keeps its SSRC and counts its timestamps
// anew: that is no jitter.
func TestJitterWhenTheTimestampsJump(t *testing.T) {
	s := listen(t)
	f := newFarEnd(t, s)
	got := newInbox()
	s.Start(got)
	for seq := range uint16(20) {
		timestamp := 160 * uint32(seq)
		if seq >= 10 {
			timestamp += 503 * 8000
		}
		f.send(t, 1, seq, timestamp)
		got.next(t)
	}
	if us := s.Stats().RxJitterUsec; us > 1_000_000 {
		t.Errorf("jitter is %d us", us)
	}
	// Another codec, counting from where it likes.
	before := s.Stats().RxJitterUsec
	f.sendRaw(t, []byte{0x80, 9, 0, 20, 0, 61, 240, 0, 0, 0, 0, 1, 1, 2, 3})
	got.next(t)
	if us := s.Stats().RxJitterUsec; us != before {
		t.Errorf("jitter is %d us after another codec's first packet, and was %d us", us, before)
	}
}

func TestWhatIsNotRTPIsDiscarded(t *testing.T) {
	s := listen(t)
	f := newFarEnd(t, s)
	got := newInbox()
	s.Start(got)
	for _, data := range [][]byte{
		{},
		[]byte("\x80"),
		[]byte("OPTIONS sip:b SIP/2.0\r\n"), // version 1
		append([]byte{0xA0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}, 1, 2, 200), // padding longer than the packet
		{0x90, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 255, 255},          // extension longer than the packet
		{0x8F, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1},                          // 15 CSRCs that are not there
	} {
		f.sendRaw(t, data)
	}
	f.sendRaw(t, append([]byte{0xA0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}, 7, 8, 0, 0, 3))
	if p := got.next(t); !bytes.Equal(p.Payload, []byte{7, 8}) {
		t.Errorf("padding is left: %v", p.Payload)
	}
	if s := s.Stats(); s.RxPackets != 1 || s.RxDiscard != 6 {
		t.Errorf("statistics %+v", s)
	}
}

func TestReportsTellWhatWasHeardAndGiveTheRoundTrip(t *testing.T) {
	s := listen(t)
	f := newFarEnd(t, s)
	got := newInbox()
	s.Start(got)

	s.sendReport(false)
	if rr, ok := f.readReport(t)[0].(*rtcp.ReceiverReport); !ok || len(rr.Reports) != 0 {
		t.Errorf("before any media: %v", rr)
	}

	for _, seq := range []uint16{1, 2, 4} {
		f.send(t, 7, seq, 160*uint32(seq))
		got.next(t)
	}
	if err := s.Send(0, true, 5000, make([]byte, 160)); err != nil {
		t.Fatal(err)
	}
	s.sendReport(false)
	sr, ok := f.readReport(t)[0].(*rtcp.SenderReport)
	if !ok || sr.PacketCount != 1 || sr.OctetCount != 160 || len(sr.Reports) != 1 {
		t.Fatalf("after media: %v", sr)
	}
	if since := sr.RTPTime - 5000; since > 8000 {
		t.Errorf("the report's RTP time is %d ticks after the packet's", int32(since))
	}
	block := sr.Reports[0]
	if block.SSRC != 7 || block.TotalLost != 1 || block.FractionLost != 64 || block.LastSequenceNumber != 4 || block.LastSenderReport != 0 {
		t.Errorf("report block %+v", block)
	}

	// Our report back: it came 1/4 s after theirs, 1/8 s of which we held it.
	answer := rtcp.CompoundPacket{
		&rtcp.SenderReport{SSRC: 7, NTPTime: 0x1111222233334444, Reports: []rtcp.ReceptionReport{{
			SSRC: sr.SSRC, LastSenderReport: uint32(sr.NTPTime>>16) - 0x4000, Delay: 0x2000,
		}}},
		rtcp.NewCNAMESourceDescription(7, "b@test"),
	}
	data, err := answer.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.rtcp.WriteToUDPAddrPort(data, address(s.Port()+1)); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for seq := uint16(5); s.Stats().RTTUsec == 0 && time.Now().Before(deadline); seq++ {
		f.send(t, 7, seq, 160*uint32(seq))
		got.next(t)
	}
	f.send(t, 7, 2000, 160*2000)
	got.next(t)
	if rtt := s.Stats().RTTUsec; rtt < 125_000 || rtt > 1_000_000 {
		t.Errorf("round trip %d us, want a little over 125,000", rtt)
	}
	s.sendReport(false)
	if b := f.readReport(t)[0].(*rtcp.SenderReport).Reports[0]; b.LastSenderReport != 0x22223333 {
		t.Errorf("last SR %#x", b.LastSenderReport)
	}
}

func TestCloseSaysGoodbye(t *testing.T) {
	s := listen(t)
	f := newFarEnd(t, s)
	s.Start(newInbox())
	s.Close()
	packets := f.readReport(t)
	bye, ok := packets[len(packets)-1].(*rtcp.Goodbye)
	if !ok || len(bye.Sources) != 1 || bye.Sources[0] != s.tx.ssrc.Load() {
		t.Errorf("the last packet is %v", packets[len(packets)-1])
	}
	again, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(address(s.Port())))
	if err != nil {
		t.Fatalf("the port is not free: %v", err)
	}
	again.Close()
}

func TestSendingDoesNotAllocate(t *testing.T) {
	a, b := listen(t), listen(t)
	a.SetRemote(address(b.Port()), netip.AddrPort{})
	payload := make([]byte, 160)
	if n := testing.AllocsPerRun(100, func() { _ = a.Send(0, false, 0, payload) }); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}
