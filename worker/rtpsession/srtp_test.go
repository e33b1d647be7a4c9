package rtpsession

import (
	"encoding/hex"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"ringmaster/proto/phone"
)

const (
	suite80 = "AES_CM_128_HMAC_SHA1_80"
	suite32 = "AES_CM_128_HMAC_SHA1_32"
)

// key is a master key and salt of one byte, repeated.
func key(b byte) phone.Secret { return phone.NewSecret(strings.Repeat(string([]byte{b}), 30)) }

// protected is a session under keys, and its far end, which has the same.
func protected(t *testing.T, suite string) (*Session, *secureEnd) {
	t.Helper()
	s := listen(t)
	f := &secureEnd{farEnd: newFarEnd(t, s), suite: suite}
	f.out, f.in = f.context(t, 'r'), f.context(t, 's')
	protect(t, s, Keys{suite, key('s'), key('r')})
	return s, f
}

func protect(t *testing.T, s *Session, k Keys) {
	t.Helper()
	if err := s.Protect(k); err != nil {
		t.Fatal(err)
	}
}

// secureEnd encrypts and decrypts by itself.
type secureEnd struct {
	*farEnd
	suite   string
	out, in *srtp.Context
}

func (f *secureEnd) context(t *testing.T, b byte) *srtp.Context {
	t.Helper()
	profile, _ := profileOf(f.suite)
	c, err := newContext(profile, key(b))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sealed is a packet of 160 bytes under c.
func sealed(t *testing.T, c *srtp.Context, seq uint16) []byte {
	t.Helper()
	plain, err := (&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 5, SequenceNumber: seq}, Payload: []byte(strings.Repeat("sound...", 20))}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	data, err := c.EncryptRTP(nil, plain, nil)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (f *secureEnd) sends(t *testing.T, seq uint16) {
	t.Helper()
	f.sendRaw(t, sealed(t, f.out, seq))
}

func (b *inbox) takes(t *testing.T, seq uint16) {
	t.Helper()
	if p := b.next(t); p.Seq != seq || string(p.Payload) != strings.Repeat("sound...", 20) {
		t.Fatalf("packet %d with %q, want %d", p.Seq, p.Payload, seq)
	}
}

// The key derivation and the cipher of RFC 3711 §B.2 and §B.3 stand behind
// this packet, which libsrtp's test driver has as its reference.
func TestReferencePacket(t *testing.T) {
	master, _ := hex.DecodeString("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6")
	plain, _ := hex.DecodeString("800f1234decafbadcafebabe" + strings.Repeat("ab", 16))
	want := "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"
	s, far := listen(t), newFarEndSocket(t)
	protect(t, s, Keys{suite80, phone.NewSecret(string(master)), key('r')})
	s.SetRemote(far.LocalAddr().(*net.UDPAddr).AddrPort(), netip.AddrPort{})
	s.tx.header = rtp.Header{Version: 2, SSRC: 0xcafebabe, SequenceNumber: 0x1234}
	if err := s.Send(15, false, 0xdecafbad, plain[12:]); err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(readRaw(t, far)); got != want {
		t.Errorf("sent %s\nwant %s", got, want)
	}
}

func newFarEndSocket(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func readRaw(t *testing.T, c *net.UDPConn) []byte {
	t.Helper()
	buf := make([]byte, 2048)
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

func TestBothWaysUnderBothSuites(t *testing.T) {
	for suite, tag := range map[string]int{suite80: 10, suite32: 4} {
		s, f := protected(t, suite)
		in := newInbox()
		s.Start(in)
		f.sends(t, 1)
		in.takes(t, 1)
		for range 3 {
			if err := s.Send(8, false, 160, make([]byte, 160)); err != nil {
				t.Fatal(err)
			}
			data := readRaw(t, f.rtp)
			if len(data) != 12+160+tag || strings.Contains(string(data), string(make([]byte, 16))) {
				t.Errorf("%s: %d bytes on the wire: %x", suite, len(data), data)
			}
			plain, err := f.in.DecryptRTP(nil, data, nil)
			if err != nil || string(plain[12:]) != string(make([]byte, 160)) {
				t.Errorf("%s: %v, %x", suite, err, plain)
			}
		}
		if st := s.Stats(); st.TxPackets != 3 || st.TxBytes != 480 || st.RxPackets != 1 || st.RxBytes != 160 {
			t.Errorf("%s: %+v", suite, st)
		}
	}
}

func TestReportsAreEncrypted(t *testing.T) {
	s, f := protected(t, suite32)
	s.Start(newInbox())
	if err := s.Send(8, false, 160, make([]byte, 160)); err != nil {
		t.Fatal(err)
	}
	ssrc := s.tx.ssrc.Load()
	report, err := (&rtcp.ReceiverReport{SSRC: 5, Reports: []rtcp.ReceptionReport{{
		SSRC: ssrc, LastSenderReport: uint32(time.Now().UnixNano()), Delay: 1,
	}}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	data, err := f.out.EncryptRTCP(nil, report, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.readReport(append([]byte{}, report...)) // in the clear: not believed
	if rtt := s.Stats().RTTUsec; rtt != 0 {
		t.Errorf("a report in the clear gave a round trip of %d µs", rtt)
	}
	s.readReport(data)

	s.sendReport(false)
	raw := readRaw(t, f.rtcp)
	if strings.Contains(string(raw), "a@test") {
		t.Error("the report is in the clear")
	}
	plain, err := f.in.DecryptRTCP(nil, raw, nil)
	if err != nil || !strings.Contains(string(plain), "a@test") {
		t.Errorf("%v: %q", err, plain)
	}
}

func TestWhatCannotBeOpenedIsCounted(t *testing.T) {
	s, f := protected(t, suite80)
	in := newInbox()
	s.Start(in)
	first := sealed(t, f.out, 1)
	f.sendRaw(t, append([]byte{}, first...))
	in.takes(t, 1)

	forged := sealed(t, f.out, 2)
	forged[20] ^= 1
	f.sendRaw(t, forged)
	f.sendRaw(t, sealed(t, f.context(t, 'x'), 3)) // another key
	f.send(t, 5, 4, 0)                            // no SRTP
	f.sendRaw(t, []byte{0x80, 0})                 // no RTP
	f.sendRaw(t, first)                           // replayed
	f.sends(t, 300)
	in.takes(t, 300)
	f.sendRaw(t, first) // replayed, from outside the window
	f.sends(t, 301)
	in.takes(t, 301)
	st := s.Stats()
	if st.RxPackets != 4 || st.RxDiscard != 5 || st.RxDup != 1 || st.RxBytes != 4*160 {
		t.Errorf("%+v, want 4 packets, 5 discarded and 1 duplicate", st)
	}
}

func TestKeysChange(t *testing.T) {
	for _, goesOn := range []bool{false, true} {
		s, f := protected(t, suite80)
		in := newInbox()
		s.Start(in)
		f.sends(t, 65535)
		in.takes(t, 65535)
		f.sends(t, 0) // the first round is over
		in.takes(t, 0)
		before := f.out

		protect(t, s, Keys{suite80, key('s'), key('R')})
		f.sends(t, 1) // still under the old key
		in.takes(t, 1)
		f.out = f.context(t, 'R')
		if goesOn { // as RFC 3711 §3.3.1 has it
			f.out.SetROC(5, 1)
		}
		f.sends(t, 2)
		in.takes(t, 2)
		f.out, before = before, f.out
		f.sends(t, 3) // the old key is over now
		f.out = before
		f.sends(t, 4)
		in.takes(t, 4)
		if st := s.Stats(); st.RxDiscard != 1 || st.RxPackets != 5 {
			t.Errorf("the far end goes on counting: %v; %+v", goesOn, st)
		}

		// What is sent goes on as it was, since its key is the same.
		protect(t, s, Keys{suite80, key('s'), key('R')})
		for range 2 {
			if err := s.Send(8, false, 0, []byte("x")); err != nil {
				t.Fatal(err)
			}
			if _, err := f.in.DecryptRTP(nil, readRaw(t, f.rtp), nil); err != nil {
				t.Error(err)
			}
			protect(t, s, Keys{suite80, key('s'), key('r')})
		}
	}
}

func TestKeysThatAreNone(t *testing.T) {
	s, _ := protected(t, suite80)
	for _, k := range []Keys{
		{}, // no way back
		{"AES_256_CM_HMAC_SHA1_80", key('s'), key('r')},
		{suite80, phone.NewSecret("short"), key('r')},
		{suite80, key('s'), phone.NewSecret("short")},
	} {
		if err := s.Protect(k); err == nil || strings.Contains(err.Error(), "short") {
			t.Errorf("%q: %v", k.Suite, err)
		}
	}
	if k := s.protection.Load().keys; k != (Keys{suite80, key('s'), key('r')}) {
		t.Error("bad keys have replaced good ones")
	}
	if err := listen(t).Protect(Keys{}); err != nil {
		t.Error(err)
	}
}

func TestSecurePacketsDoNotAllocate(t *testing.T) {
	s, f := protected(t, suite80)
	payload := make([]byte, 160)
	if n := testing.AllocsPerRun(200, func() {
		if err := s.Send(8, false, 160, payload); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("sending allocates %v times", n)
	}
	packets := make([][]byte, 300)
	for i := range packets {
		packets[i] = sealed(t, f.out, uint16(i))
	}
	var o opener
	i := 0
	if n := testing.AllocsPerRun(200, func() {
		if _, verdict := o.open(s.protection.Load(), packets[i]); verdict != good {
			t.Errorf("packet %d: %v", i, verdict)
		}
		i++
	}); n != 0 {
		t.Errorf("receiving allocates %v times", n)
	}
}

func BenchmarkSecureSend(b *testing.B) {
	s, err := Listen(Config{Local: loopback, CNAME: "a@test"})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	s.SetRemote(netip.AddrPortFrom(loopback, 9), netip.AddrPort{})
	for _, k := range []Keys{{}, {suite80, key('s'), key('r')}} {
		if err := s.Protect(k); err != nil {
			b.Fatal(err)
		}
		b.Run("suite="+k.Suite, func(b *testing.B) {
			payload := make([]byte, 160)
			b.ReportAllocs()
			for b.Loop() {
				_ = s.Send(8, false, 160, payload) // nobody listens
			}
		})
	}
}
