package harm

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// end is a phone, or a peer: a socket that reads with a deadline.
func end(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

func send(t *testing.T, from *net.UDPConn, to string, data []byte) {
	t.Helper()
	address, err := net.ResolveUDPAddr("udp4", to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := from.WriteToUDP(data, address); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, at *net.UDPConn) (data []byte, from string) {
	t.Helper()
	buf := make([]byte, 2048)
	n, sender, err := at.ReadFromUDP(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n], sender.String()
}

// A description is given the relay's ports, and what comes to them goes on.
func TestARelayStandsBetween(t *testing.T) {
	phone, phoneSound, peer, peerSound := end(t), end(t), end(t), end(t)
	const late = 30 * time.Millisecond
	r := Start(t, peer.LocalAddr().String(), Plan{Double: 1}, Plan{Delay: late})
	offered := regexp.MustCompile(`m=audio (\d+) RTP`)
	describe := func(c *net.UDPConn) []byte { return fmt.Appendf(nil, "v=0\r\nm=audio %d RTP/AVP 0\r\n", port(c)) }

	send(t, phone, r.Addr, describe(phoneSound))
	got, from := receive(t, peer)
	if from != r.Addr || string(got) != fmt.Sprintf("v=0\r\nm=audio %d RTP/AVP 0\r\n", r.farPort) {
		t.Fatalf("%s offers %q", from, got)
	}
	send(t, peer, r.Addr, describe(peerSound))
	answer, _ := receive(t, phone)
	mine, _ := strconv.Atoi(string(offered.FindSubmatch(answer)[1]))
	if mine != r.nearPort {
		t.Fatalf("answered %q", answer)
	}

	packet := []byte("\x80\x00\x00\x01timeSSRCsound")
	sent := time.Now()
	send(t, phoneSound, fmt.Sprintf("127.0.0.1:%d", r.nearPort), packet)
	if got, _ := receive(t, peerSound); string(got) != string(packet) || time.Since(sent) < late {
		t.Errorf("after %v the peer has %q", time.Since(sent), got)
	}
	send(t, peerSound, fmt.Sprintf("127.0.0.1:%d", r.farPort), packet)
	for range 2 {
		if got, _ := receive(t, phoneSound); string(got) != string(packet) {
			t.Errorf("the phone has %q", got)
		}
	}
	if got := r.ToPhone(); got != (Done{Passed: 2, Doubled: 1}) || r.ToPeer() != (Done{Passed: 1}) {
		t.Errorf("to the phone %+v, to the peer %+v", got, r.ToPeer())
	}
}
