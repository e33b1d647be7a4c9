package capture

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// filter finds the phone's own packets among those of the machine. Ports come
// and go with calls, which a filter of tcpdump's cannot follow: so it is done
// here, while tcpdump's records pass by.
type filter struct {
	ports *Ports
	link  layers.LinkType
	local []netip.Addr // of this machine; loopback is always

	// pieces are the packets in fragments whose first one was the phone's:
	// only that has the ports. It comes first, as all systems send it so.
	pieces []piece
}

// piece is what all fragments of a packet have in common.
type piece struct {
	from, to netip.Addr
	id       uint32
}

// piecesBound is how many packets in fragments are known at a time.
const piecesBound = 64

func newFilter(ports *Ports, link uint32) *filter {
	f := &filter{ports: ports, link: layers.LinkType(link)}
	addrs, _ := net.InterfaceAddrs() // without them, loopback is local
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(n.IP); ok {
				f.local = append(f.local, addr.Unmap())
			}
		}
	}
	return f
}

// keeps says whether a packet went to or came from one of the phone's ports.
// What cannot be read is kept: that is for whoever looks at the file.
func (f *filter) keeps(at time.Time, data []byte) bool {
	p := gopacket.NewPacket(data, f.link, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	var of piece
	var payload []byte
	first, more := true, false
	switch ip := p.NetworkLayer().(type) {
	case *layers.IPv4:
		of = pieceOf(ip.SrcIP, ip.DstIP, uint32(ip.Id))
		first, more, payload = ip.FragOffset == 0, ip.Flags&layers.IPv4MoreFragments != 0, ip.Payload
	case *layers.IPv6:
		of, payload = pieceOf(ip.SrcIP, ip.DstIP, 0), ip.Payload
		if part, ok := p.Layer(layers.LayerTypeIPv6Fragment).(*layers.IPv6Fragment); ok {
			of.id, first, more, payload = part.Identification, part.FragmentOffset == 0, part.MoreFragments, part.Payload
		} else if udp, ok := p.Layer(layers.LayerTypeUDP).(*layers.UDP); ok {
			payload = udp.Contents // there may be other headers before
		}
	default:
		return true
	}
	if !first {
		return slices.Contains(f.pieces, of)
	}
	if len(payload) < 4 {
		return true
	}
	from, to := binary.BigEndian.Uint16(payload), binary.BigEndian.Uint16(payload[2:])
	if !f.own(at, of.from, from) && !f.own(at, of.to, to) {
		return false
	}
	if more {
		if len(f.pieces) == piecesBound {
			f.pieces = slices.Delete(f.pieces, 0, 1)
		}
		f.pieces = append(f.pieces, of)
	}
	return true
}

func pieceOf(from, to net.IP, id uint32) piece {
	a, _ := netip.AddrFromSlice(from) // four or sixteen bytes
	b, _ := netip.AddrFromSlice(to)
	return piece{a.Unmap(), b.Unmap(), id}
}

func (f *filter) own(at time.Time, addr netip.Addr, port uint16) bool {
	return (addr.IsLoopback() || slices.Contains(f.local, addr)) && f.ports.own(at, port)
}
