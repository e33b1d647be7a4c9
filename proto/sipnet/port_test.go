package sipnet

import (
	"net"
	"strings"
	"testing"

	"ringmaster/proto/phone"
)

func TestAPortThatIsTakenIsKnownBefore(t *testing.T) {
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for transport, port := range map[phone.Transport]int{
		phone.UDP: u.LocalAddr().(*net.UDPAddr).Port, phone.TCP: l.Addr().(*net.TCPAddr).Port, phone.TLS: l.Addr().(*net.TCPAddr).Port,
	} {
		if err := CheckPort(transport, port); err == nil || !strings.Contains(err.Error(), "is in use") {
			t.Errorf("%s: %v", transport, err)
		}
		if err := CheckPort(transport, 0); err != nil {
			t.Errorf("%s, any port: %v", transport, err)
		}
	}
	u.Close()
	if err := CheckPort(phone.UDP, u.LocalAddr().(*net.UDPAddr).Port); err != nil {
		t.Errorf("a free port: %v", err)
	}
}
