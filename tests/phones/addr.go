package phones

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// FreeAddr is an address on loopback that nobody has now, neither for UDP nor
// for TCP, and that nobody is given unasked: below the ports that the kernel
// gives out and below those that the phones take for RTP. So it is still free
// when the program under test, which has to be told beforehand, binds it,
// whatever else starts on this machine meanwhile.
func FreeAddr(t testing.TB) string {
	t.Helper()
	const lowest, highest = 10000, 16383
	for range 50 {
		addr := fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(highest-lowest+1)) //nolint:gosec // no secret
		u, err := net.ListenPacket("udp4", addr)
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp4", addr)
		u.Close()
		if err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatal("no loopback port is free for both UDP and TCP")
	return ""
}
