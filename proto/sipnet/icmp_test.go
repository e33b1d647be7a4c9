package sipnet

import (
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
)

func TestTransactionOf(t *testing.T) {
	for _, c := range []struct{ sent, want string }{
		{"INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP h:1;rport;branch=z9hG4bK1\r\nMax-For", "INVITE z9hG4bK1"},
		{"BYE sip:b SIP/2.0\r\nTo: <sip:b>\r\nv: SIP/2.0/UDP h;Branch = x ,SIP/2.0/UDP k;branch=y\r\n", "BYE x"},
		{"BYE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP h:1;branch=z9hG4", ""}, // cut off within it
		{"BYE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP h:1\r\nv: SIP/2.0/UDP k;branch=y\r\n", ""},
		{"BYE sip:b SIP/2.0\r\nTo: <sip:b>\r\n\r\nVia: SIP/2.0/UDP h:1;branch=x\r\n", ""}, // of the body
		{"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h:1;branch=x\r\n", ""},
		{"BYE", ""}, {"", ""}, {"\r\n\r\n", ""},
	} {
		method, branch, ok := TransactionOf([]byte(c.sent))
		if got := strings.TrimSpace(method + " " + branch); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%q: %q %v, want %q", c.sent, got, ok, c.want)
		}
	}
}

func TestWhichErrorsOfTheNetworkAreFailures(t *testing.T) {
	for number, failure := range map[syscall.Errno]bool{
		syscall.ECONNREFUSED: true, syscall.EHOSTUNREACH: true, syscall.ENETUNREACH: true, syscall.EACCES: true,
		syscall.EMSGSIZE: false, syscall.EPROTO: false, 0: false,
	} {
		if (icmpError(number) != nil) != failure {
			t.Errorf("%v: %v", number, icmpError(number))
		}
	}
}

// deadPort is one on loopback where nothing listens.
func deadPort(t *testing.T, network string) netip.AddrPort {
	t.Helper()
	c, err := net.ListenPacket("udp", network)
	if err != nil {
		t.Skip(err) // no IPv6
	}
	defer func() { _ = c.Close() }()
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// What is sent to a dead port is told; what goes elsewhere meanwhile is not
// disturbed by the kernel's news of it.
func TestUndelivered(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells")
	}
	for name, c := range map[string]struct {
		bind netip.Addr
		dead string
	}{
		"IPv4":             {loopback, "127.0.0.1:0"},
		"IPv4 on any":      {netip.Addr{}, "127.0.0.1:0"},
		"IPv6 on any":      {netip.Addr{}, "[::1]:0"},
		"IPv6 on loopback": {netip.IPv6Loopback(), "[::1]:0"},
	} {
		t.Run(name, func(t *testing.T) {
			dead := deadPort(t, c.dead)
			told := make(chan string, 1000)
			a := newEndpoint(t, func(cfg *Config) {
				cfg.Listen, cfg.Bind = []phone.Transport{phone.UDP}, c.bind
				cfg.Undelivered = func(method, branch string, why error) { told <- fmt.Sprint(method, " ", branch, ": ", why) }
			})
			b := newEndpoint(t, func(cfg *Config) {
				cfg.Listen = []phone.Transport{phone.UDP}
				if cfg.Bind = dead.Addr().Unmap(); c.bind.IsValid() {
					cfg.Bind = c.bind
				}
			})
			alive := netip.AddrPortFrom(dead.Addr(), uint16(b.Port()))
			const n = 50
			var lost atomic.Int32
			for i := range n {
				for to, port := range map[string]netip.AddrPort{"dead": dead, "alive": alive} {
					req := optionsTo(t, fmt.Sprint("z9hG4bK", to, i))
					if _, err := a.Send(req, Target{Transport: phone.UDP, Addr: port}, nil); err != nil {
						lost.Add(1)
						t.Errorf("to the %s port: %v", to, err)
					}
				}
			}
			for range n {
				select {
				case <-b.handled:
				case <-time.After(patience):
					t.Fatal("a message to the live port was lost")
				}
			}
			// The kernel limits how many ICMP messages it sends in a second.
			select {
			case got := <-told:
				if want := "OPTIONS z9hG4bKdead0: " + errPort.Error(); got != want {
					t.Errorf("%q, want %q", got, want)
				}
			case <-time.After(patience):
				t.Error("the dead port was not told")
			}
		})
	}
}

func optionsTo(t *testing.T, branch string) *sip.Request {
	t.Helper()
	text := "OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=" + branch + "\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
	req, err := ParseRequest([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return req
}
