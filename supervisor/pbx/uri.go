package pbx

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// ownAddrs is where this PBX is.
type ownAddrs struct {
	bound netip.AddrPort
	addrs []netip.Addr
}

// newOwnAddrs finds what an unspecified address stands for.
func newOwnAddrs(bound netip.AddrPort) (ownAddrs, error) {
	own := ownAddrs{bound: bound, addrs: []netip.Addr{bound.Addr().Unmap()}}
	if !bound.Addr().IsUnspecified() {
		return own, nil
	}
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return own, err
	}
	for _, i := range interfaces {
		if prefix, err := netip.ParsePrefix(i.String()); err == nil {
			own.addrs = append(own.addrs, prefix.Addr().Unmap())
		}
	}
	return own, nil
}

func (o ownAddrs) has(addrs []netip.Addr) bool {
	return slices.ContainsFunc(addrs, func(a netip.Addr) bool { return slices.Contains(o.addrs, a) })
}

// isMe says that a URI leads to this very socket.
func (p *PBX) isMe(uri *sip.Uri) bool {
	addrs, _ := p.names.lookup(uri.Host)
	return p.own.has(addrs) && portOf(uri) == int(p.own.bound.Port())
}

// isDomain says that a URI is of this PBX's domain: its realm or any name or
// address of it, with its port or with none.
func (p *PBX) isDomain(uri *sip.Uri) bool {
	if uri.Port != 0 && uri.Port != int(p.own.bound.Port()) {
		return false
	}
	addrs, _ := p.names.lookup(uri.Host)
	return p.own.has(addrs) || canonical(uri.Host) == canonical(p.cfg.Realm)
}

// portOf is a URI's port, 5060 when it names none (RFC 3261 §19.1.2).
func portOf(uri *sip.Uri) int {
	if uri.Port == 0 {
		return 5060
	}
	return uri.Port
}

// userOf is the user of a URI, escapes undone (RFC 3261 §19.1.4).
func userOf(uri *sip.Uri) string {
	if name, err := url.PathUnescape(uri.User); err == nil {
		return name
	}
	return uri.User
}

// param is the value of a parameter, whatever case its name is in.
func param(params sip.HeaderParams, name string) (value string, ok bool) {
	for _, p := range params {
		if strings.EqualFold(p.K, name) {
			return p.V, true
		}
	}
	return "", false
}

// sameURI compares by RFC 3261 §19.1.4. A port left out differs from 5060
// there; here too, since phones repeat what they registered.
func sameURI(a, b *sip.Uri) bool {
	if !strings.EqualFold(a.Scheme, b.Scheme) || userOf(a) != userOf(b) || a.Password != b.Password ||
		canonical(a.Host) != canonical(b.Host) || a.Port != b.Port {
		return false
	}
	return sameParams(a.UriParams, b.UriParams) && sameParams(b.UriParams, a.UriParams) &&
		sameHeaders(a.Headers, b.Headers) && sameHeaders(b.Headers, a.Headers)
}

// sameParams says that nothing in a speaks against b. These five must be in
// both or in neither; any other counts only where it is in both.
func sameParams(a, b sip.HeaderParams) bool {
	for _, p := range a {
		other, ok := param(b, p.K)
		if ok && !strings.EqualFold(p.V, other) {
			return false
		}
		switch strings.ToLower(p.K) {
		case "transport", "user", "method", "maddr", "ttl":
			if !ok {
				return false
			}
		}
	}
	return true
}

func sameHeaders(a, b sip.HeaderParams) bool {
	for _, h := range a {
		if other, ok := param(b, h.K); !ok || other != h.V {
			return false
		}
	}
	return true
}
