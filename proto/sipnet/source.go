package sipnet

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// sources remembers which local address the kernel picks towards another.
type sources struct {
	mu    sync.Mutex
	known map[netip.Addr]knownSource
}

type knownSource struct {
	addr netip.Addr
	at   time.Time
}

// A route can change under a phone (DHCP, a VPN): ask again after this.
const sourceLife = 10 * time.Second

const maxSources = 1024

// towards asks the kernel, by connecting a socket that never sends.
func (s *sources) towards(remote netip.Addr, now time.Time) (netip.Addr, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.known[remote]; ok && now.Sub(k.at) < sourceLife {
		return k.addr, nil
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(remote, 9)))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("there is no route to %s: %w", remote, err)
	}
	local := c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	if err := c.Close(); err != nil {
		return netip.Addr{}, err
	}
	if s.known == nil || len(s.known) >= maxSources {
		s.known = make(map[netip.Addr]knownSource)
	}
	s.known[remote] = knownSource{local, now}
	return local, nil
}
