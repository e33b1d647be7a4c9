package handset

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
)

// A call that is sent elsewhere takes its description along.
func TestRedirectedCallStillOffers(t *testing.T) {
	a := newRig(t, "a", 0)
	peer, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	if err := peer.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	a.do(phone.MakeCall{DestURI: fmt.Sprintf("sip:first@%s", peer.LocalAddr())})
	invite, from := receive(t, peer, "INVITE sip:first@")
	refusal := "SIP/2.0 302 Moved\r\nContact: <sip:second@" + peer.LocalAddr().String() + ">\r\nContent-Length: 0\r\n"
	for line := range strings.Lines(invite) {
		if name, _, _ := strings.Cut(line, ":"); strings.Contains("Via From To Call-ID CSeq", name) {
			refusal += strings.Replace(line, "first@"+peer.LocalAddr().String()+">", "first@"+peer.LocalAddr().String()+">;tag=1", 1)
		}
	}
	if _, err := peer.WriteToUDP([]byte(refusal+"\r\n"), from); err != nil {
		t.Fatal(err)
	}
	if second, _ := receive(t, peer, "INVITE sip:second@"); !strings.Contains(second, "m=audio ") {
		t.Errorf("the second INVITE offers nothing:\n%s", second)
	}
}

// receive waits for a message that begins so.
func receive(t *testing.T, c *net.UDPConn, begin string) (string, *net.UDPAddr) {
	t.Helper()
	buf := make([]byte, 65536)
	for {
		n, from, err := c.ReadFromUDP(buf)
		if err != nil {
			t.Fatalf("no %q came: %v", begin, err)
		}
		if strings.HasPrefix(string(buf[:n]), begin) {
			return string(buf[:n]), from
		}
	}
}
