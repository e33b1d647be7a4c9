package pbx

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

// Two runs of one profile cannot both have its PBX: the second says why, in a
// PBX's words, not in a phone's.
func TestAnAddressThatIsTaken(t *testing.T) {
	taken, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := netip.MustParseAddrPort(taken.LocalAddr().String())
	p, err := Listen(Config{Addr: addr})
	if err == nil {
		p.Close()
		t.Fatal("it listens where another does")
	}
	for _, part := range []string{"cannot start on " + addr.String() + ": another program has that address", "--pbx"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "local_port") {
		t.Errorf("%q speaks of a phone's setting", err)
	}
}
