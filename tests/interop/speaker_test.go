package interop

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"ringmaster/listen"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/peers"
	"ringmaster/tests/phones"
	"ringmaster/worker/codec"
)

// speaker is the sound of a far end whose signalling SIPp does: it sends PCMU
// as the test wants, and keeps what the phone sends.
type speaker struct {
	t    *testing.T
	conn *net.UDPConn

	mu    sync.Mutex
	phone netip.AddrPort
	heard []rtpPacket

	sequence  uint16
	timestamp uint32
	tone      []int16 // a second that repeats
	coder     codec.Coder
}

// rtpPacket is one that the phone sent.
type rtpPacket struct {
	at        time.Time
	kind      uint8
	sequence  uint16
	timestamp uint32
	length    int // of its payload
}

func newSpeaker(t *testing.T, hz float64) *speaker {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	coder, err := codec.New(codec.PCMU)
	if err != nil {
		t.Fatal(err)
	}
	s := &speaker{t: t, conn: conn, coder: coder, tone: listen.Tone(8000, hz, phones.ToneLevel, time.Second).Samples}
	var reading sync.WaitGroup
	reading.Go(s.read)
	t.Cleanup(func() {
		conn.Close()
		reading.Wait()
	})
	return s
}

func (s *speaker) read() {
	buf := make([]byte, 2048)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if n < 12 {
			continue
		}
		s.mu.Lock()
		s.phone = from
		s.heard = append(s.heard, rtpPacket{
			time.Now(), buf[1] & 0x7F, binary.BigEndian.Uint16(buf[2:]), binary.BigEndian.Uint32(buf[4:]), n - 12,
		})
		s.mu.Unlock()
	}
}

func (s *speaker) packets() []rtpPacket {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.heard)
}

// send sends a packet; its timestamp is that of the moment.
func (s *speaker) send(kind uint8, marker bool, payload []byte) {
	s.mu.Lock()
	to := s.phone
	s.mu.Unlock()
	packet := []byte{0x80, kind}
	if marker {
		packet[1] |= 0x80
	}
	packet = binary.BigEndian.AppendUint16(packet, s.sequence)
	packet = binary.BigEndian.AppendUint32(packet, s.timestamp)
	packet = binary.BigEndian.AppendUint32(packet, 0xC0FFEE)
	s.sequence++
	if _, err := s.conn.WriteToUDPAddrPort(append(packet, payload...), to); err != nil {
		s.t.Errorf("sending to the phone: %v", err)
	}
}

// frame is the next 20 ms of the tone.
func (s *speaker) frame() []byte {
	from := int(s.timestamp) % len(s.tone)
	return s.coder.Encode(nil, s.tone[from:from+160])
}

// body is a description with the speaker's port, for SIPp's answer.
func (s *speaker) body(formats string, lines ...string) map[string]any {
	text := fmt.Sprintf("v=0\no=peer 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio %d RTP/AVP %s\n",
		s.conn.LocalAddr().(*net.UDPAddr).Port, formats)
	for _, l := range append(lines, "a=sendrecv") {
		text += l + "\n"
	}
	return map[string]any{"body": text}
}

// TestPacketTimes: the far end asks for a packet time by a=ptime; packets have
// it, and leave as evenly as it says.
func TestPacketTimes(t *testing.T) {
	if !peers.Wanted() {
		t.Skipf("%s is not 1: run this by `make interop`", peers.Variable)
	}
	for _, ms := range []int{10, 20, 30, 40, 50, 60} {
		t.Run(fmt.Sprint(ms), func(t *testing.T) {
			t.Parallel()
			covers(t, fmt.Sprintf("ptime %d: our packets, their length and their spacing", ms), "SIPp")
			s := newSpeaker(t, 440)
			far := peers.Wait(t, "answers", s.body("0", fmt.Sprintf("a=ptime:%d", ms)))
			client := mcpclient.Start(t, programs, mcpclient.Options{})
			a := phones.AddDirect(t, client, "a")
			call := a.Call(far.URI())
			a.Reaches(call, "CONFIRMED")
			uneven := errors.New("too few packets came")
			for deadline := time.Now().Add(phones.Patience); time.Now().Before(deadline); {
				a.Do("get_call_info", mcpclient.Args{"call_id": call})
				if packets := s.packets(); len(packets) > 1000/ms {
					if uneven = even(packets, ms); uneven == nil {
						break
					}
				}
			}
			if uneven != nil {
				t.Error(uneven)
			}
			a.Do("hangup", nil)
			a.Ends(call, 200)
			far.Done()
		})
	}
}

// even requires packets of PCMU of ms milliseconds each, which leave when their
// timestamps say. A busy machine makes some late, but none early: in time, the
// earliest of every kind of turn, with a tick of 20 ms or between two, are
// equally so.
func even(packets []rtpPacket, ms int) error {
	first := packets[0]
	earliest := map[uint32]time.Duration{}
	for i, p := range packets {
		if p.length != 8*ms || p.kind != 0 || p.sequence != first.sequence+uint16(i) {
			return fmt.Errorf("packet %d has %d bytes of payload type %d, want %d of 0; its sequence number is %d after %d",
				i, p.length, p.kind, 8*ms, p.sequence, first.sequence)
		}
		stamped := time.Duration(p.timestamp-first.timestamp) * time.Second / 8000
		late, turn := p.at.Sub(first.at)-stamped, (p.timestamp-first.timestamp)/80%2
		if old, known := earliest[turn]; !known || late < old {
			earliest[turn] = late
		}
	}
	if turns := 1 + ms/10%2; len(earliest) != turns {
		return fmt.Errorf("%d kinds of turns, want %d", len(earliest), turns)
	}
	if d := earliest[1] - earliest[0]; len(earliest) == 2 && d.Abs() > 4*time.Millisecond {
		return fmt.Errorf("every other packet is %v from its time", d)
	}
	return nil
}

// TestComfortNoise: the far end falls silent by RFC 3389, and speaks again.
func TestComfortNoise(t *testing.T) {
	if !peers.Wanted() {
		t.Skipf("%s is not 1: run this by `make interop`", peers.Variable)
	}
	covers(t, "comfort noise received (RFC 3389): silence, and no burst", "SIPp, with RTP of the test")
	s := newSpeaker(t, 440)
	far := peers.Wait(t, "answers", s.body("0 13", "a=rtpmap:13 CN/8000"))
	client := mcpclient.Start(t, programs, mcpclient.Options{})
	a := phones.AddDirect(t, client, "a")
	call := a.Call(far.URI())
	a.Reaches(call, "CONFIRMED")
	a.PlaysFile(call, silentFile(t)) // so that the recording holds the far end alone
	a.Speaks(call)
	s.speak(3)
	info := a.Do("get_call_info", mcpclient.Args{"call_id": call})
	a.Do("hangup", nil)
	a.Ends(call, 200)
	far.Done()

	t.Logf("rtp %s, heard %s", info.Object("rtp").Text, info.Object("heard").Text)
	heard := info.Object("heard")
	if hz := number(t, heard, "tone_hz"); math.Abs(hz-440) > 2 || math.Abs(number(t, heard, "level_dbov")-phones.ToneLevel) > 1 {
		t.Errorf("heard %s", heard.Text)
	}
	// A busy machine lets some packets come too late, of 20 ms each: that much
	// less was heard, or silent on purpose.
	rtp := info.Object("rtp")
	late := rtp.Int("rx_discard")
	least := 1700 - 40*late
	if spoken, silent := heard.Int("heard_ms"), heard.Int("silent_ms"); spoken < least || spoken > 2300 || silent < 700-40*late || silent > 1300 {
		t.Errorf("%d ms were heard and %d silent, want about 2,000 and 1,000", spoken, silent)
	}
	if late > 20 || rtp.Int("rx_loss") != 0 {
		t.Errorf("statistics %s", rtp.Text)
	}
	noBurst(t, a.Recording(call), late)
}

// speak sends tone, silence, tone and so on, a second each.
func (s *speaker) speak(seconds int) {
	clock := time.NewTicker(20 * time.Millisecond)
	defer clock.Stop()
	for second := range seconds {
		tone := second%2 == 0
		for i := range 50 {
			<-clock.C
			switch {
			case tone:
				s.send(0, i == 0, s.frame())
			case i%10 == 0:
				s.send(13, false, []byte{70}) // noise at -70 dBov
			}
			s.timestamp += 160
		}
	}
}

// noBurst requires that a recording holds the tone or silence, and nothing
// beside them but the few moments between, and those of late packets.
func noBurst(t *testing.T, r listen.Recording, late int) {
	t.Helper()
	const step = 20 * time.Millisecond
	between, toned := 0, 0
	for at := time.Duration(0); at+step <= r.Duration(); at += step {
		part := r.Between(at, at+step)
		switch level := part.Level(); {
		case math.Abs(part.LevelOf(440)-phones.ToneLevel) < 1.5:
			toned++
		case level > phones.ToneLevel+1:
			t.Errorf("at %v there is a burst of %.1f dBov", at, level)
		case level > -60:
			between++
		}
	}
	if toned < 80-2*late || between > 20+2*late {
		t.Errorf("%d frames hold the tone, want about 100; %d hold neither it nor silence", toned, between)
	}
}

func silentFile(t *testing.T) string {
	t.Helper()
	path := t.TempDir() + "/silence.wav"
	if err := listen.Tone(8000, 440, -127, time.Second).Write(path, 1); err != nil {
		t.Fatal(err)
	}
	return path
}
