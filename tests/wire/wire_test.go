package wire

import (
	"errors"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rtp is an RTP packet of 20 ms PCMA with a sequence number.
func rtp(sequence byte) []byte {
	packet := make([]byte, 172)
	copy(packet, []byte{0x80, 8, 0, sequence, 0, 0, 0, 0, 1, 2, 3, 4})
	return packet
}

func TestTapSeesEachPacketOnce(t *testing.T) {
	tap, err := Open()
	if errors.Is(err, unix.EPERM) {
		t.Skip("no right to open packet sockets")
	}
	if err != nil {
		t.Fatal(err)
	}
	to, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	from, err := net.DialUDP("udp4", nil, to.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	began := time.Now()
	for _, data := range [][]byte{rtp(1), rtp(2), []byte("REGISTER sip:x SIP/2.0\r\n\r\n"), {0x80, 200, 0, 6, 1, 2, 3, 4, 5, 6, 7, 8}, rtp(4)} {
		if _, err := from.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	all, err := tap.Close()
	if err != nil {
		t.Fatal(err)
	}
	own := From(all, from.LocalAddr().(*net.UDPAddr).Port)
	if len(own) != 3 || own[0].Sequence != 1 || own[2].Sequence != 4 || own[0].SSRC != 0x01020304 || own[0].Payload != 8 {
		t.Fatalf("seen: %+v", own)
	}
	if at := own[0].At.Sub(began); at < -time.Millisecond || at > time.Minute {
		t.Errorf("the kernel's time is %v after ours", at)
	}
	if missing := Space(own).Missing; missing != 1 {
		t.Errorf("%d packets are missing, want 1", missing)
	}
}

func TestSpace(t *testing.T) {
	start := time.Unix(1000, 0)
	var packets []Packet
	at := start
	for i := range 101 { // 98 gaps of 20 ms, one of 25 and one of 90
		packets = append(packets, Packet{At: at, Sequence: uint16(65500 + i)})
		switch i {
		case 10:
			at = at.Add(25 * time.Millisecond)
		case 50:
			at = at.Add(90 * time.Millisecond)
		default:
			at = at.Add(20 * time.Millisecond)
		}
	}
	got := Space(packets)
	want := Spacing{Packets: 101, Median: 20 * time.Millisecond, P99: 90 * time.Millisecond, Max: 90 * time.Millisecond}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := Space(packets[:1]); got != (Spacing{Packets: 1}) {
		t.Errorf("one packet: %+v", got)
	}
}

func TestLate(t *testing.T) {
	const period = 20 * time.Millisecond
	flow := func(sequence uint16, late ...time.Duration) (packets []Packet) {
		for i, d := range late {
			packets = append(packets, Packet{At: time.Unix(1000, 0).Add(time.Duration(i)*period + d), Sequence: sequence + uint16(i)})
		}
		return packets
	}
	const ms = time.Millisecond
	got := Late(period, flow(65534, 3*ms, ms, ms, 2*ms), flow(7, 0, 9*ms))
	if want := (Lateness{Packets: 6, P50: ms, P99: 9 * ms, Longest: 9 * ms}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	// What was not sent is not late.
	held := flow(1, 0, 0, 0, 0)
	if got := Late(period, append(held[:1:1], held[3])); got.Longest != 0 {
		t.Errorf("with two missing: %+v", got)
	}
	if got := Late(period); got != (Lateness{}) {
		t.Errorf("of nothing: %+v", got)
	}
}
