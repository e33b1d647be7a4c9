package sipnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
)

// Resolver is the part of *net.Resolver that is used. LookupSRV gives the
// records by priority, those of one priority shuffled by weight (RFC 2782).
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, records []*net.SRV, err error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// maxTargets bounds what one name can make a phone try.
const maxTargets = 16

// place is a URI as far as finding it goes.
type place struct {
	transport phone.Transport
	host      string
	port      uint16 // 0: none was written
}

// placeOf reads a URI. other is the transport where neither the URI's
// transport parameter nor its scheme says one.
func placeOf(uri *sip.Uri, other phone.Transport) (place, error) {
	p := place{transport: other, host: uri.Host}
	if uri.Scheme != "" && uri.Scheme != "sip" && uri.Scheme != "sips" {
		return p, phone.Errorf(phone.Invalid, "%.80q is no SIP URI: write sip:user@host", uri.String())
	}
	switch t := param(uri.UriParams, "transport"); strings.ToLower(t) {
	case "":
	case "udp":
		p.transport = phone.UDP
	case "tcp":
		p.transport = phone.TCP
	case "tls":
		p.transport = phone.TLS
	default:
		return p, phone.Errorf(phone.Invalid, "transport %.20q is not known: use udp, tcp or tls", t)
	}
	if uri.Scheme == "sips" {
		p.transport = phone.TLS
	}
	if maddr := param(uri.UriParams, "maddr"); maddr != "" {
		p.host = maddr
	}
	p.host = strings.Trim(p.host, "[]")
	if p.host == "" {
		return p, phone.Errorf(phone.Invalid, "%.80q names no host: write sip:user@host", uri.String())
	}
	if uri.Port < 0 || uri.Port > 65535 {
		return p, phone.Errorf(phone.Invalid, "port %d does not exist: use 1 to 65535", uri.Port)
	}
	p.port = uint16(uri.Port)
	return p, nil
}

func param(params sip.HeaderParams, name string) string {
	for _, p := range params {
		if strings.EqualFold(p.K, name) {
			return p.V
		}
	}
	return ""
}

func (p place) target(addr netip.Addr, port uint16) Target {
	if port == 0 {
		port = DefaultPort(p.transport)
	}
	t := Target{Transport: p.transport, Addr: netip.AddrPortFrom(addr.Unmap(), port)}
	if p.transport == phone.TLS {
		// The name that was asked for, not one that DNS led to, is the one
		// that the certificate must have (RFC 5922 §4).
		t.Host = p.host
	}
	return t
}

// Literal finds a URI whose host is an address: no DNS is asked. ok is false
// for a name.
func Literal(uri *sip.Uri, other phone.Transport) (t Target, ok bool, err error) {
	p, err := placeOf(uri, other)
	if err != nil {
		return Target{}, false, err
	}
	if addr, err := netip.ParseAddr(p.host); err == nil {
		return p.target(addr, p.port), true, nil
	}
	return Target{}, false, nil
}

// Lookup finds where a request to uri goes, best first, by RFC 3263 §4.2
// without NAPTR: a port means A and AAAA, none means SRV and then A and AAAA
// at the default port. The error is a *phone.Error, of kind Unreachable when
// the name leads nowhere.
func Lookup(ctx context.Context, r Resolver, uri *sip.Uri, other phone.Transport) ([]Target, error) {
	p, err := placeOf(uri, other)
	if err != nil {
		return nil, err
	}
	if addr, err := netip.ParseAddr(p.host); err == nil {
		return []Target{p.target(addr, p.port)}, nil
	}
	if p.port == 0 && !isLocal(p.host) {
		targets, err := p.bySRV(ctx, r)
		if err != nil || len(targets) > 0 {
			return targets, err
		}
	}
	targets, err := p.byAddress(ctx, r, p.host, p.port)
	if len(targets) == 0 {
		return nil, phone.Errorf(phone.Unreachable, "%.80q cannot be resolved: %v", p.host, errors.Join(err, errNoAddress(err)))
	}
	return targets, nil
}

func errNoAddress(err error) error {
	if err == nil {
		return errors.New("it has no address")
	}
	return nil
}

// isLocal spares names that no DNS server knows (RFC 6761 §6.3) a question.
func isLocal(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// bySRV follows SRV records; none is no error.
func (p place) bySRV(ctx context.Context, r Resolver) ([]Target, error) {
	service, proto := "sip", string(p.transport)
	if p.transport == phone.TLS {
		service, proto = "sips", "tcp"
	}
	_, records, why := r.LookupSRV(ctx, service, proto, p.host)
	if len(records) == 0 { // an error too: most names have none
		return nil, p.gaveUp(ctx)
	}
	if len(records) == 1 && records[0].Target == "." {
		return nil, phone.Errorf(phone.Unreachable, "%.80q says that it has no SIP service over %s", p.host, p.transport)
	}
	var targets []Target
	for _, record := range records {
		found, err := p.byAddress(ctx, r, record.Target, record.Port)
		if err != nil {
			why = err
		}
		targets = append(targets, found...)
	}
	if len(targets) == 0 {
		return nil, phone.Errorf(phone.Unreachable, "no server named by %.80q can be resolved: %v", p.host, why)
	}
	return targets[:min(len(targets), maxTargets)], nil
}

// gaveUp is the error of a lookup whose time was over.
func (p place) gaveUp(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return phone.Errorf(phone.Unreachable, "%.80q cannot be resolved: %v", p.host, err)
	}
	return nil
}

func (p place) byAddress(ctx context.Context, r Resolver, host string, port uint16) ([]Target, error) {
	addrs, err := r.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("no address: %w", err)
	}
	var targets []Target
	for _, addr := range addrs[:min(len(addrs), maxTargets)] {
		targets = append(targets, p.target(addr, port))
	}
	return targets, nil
}
