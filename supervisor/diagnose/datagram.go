package diagnose

import (
	"encoding/binary"
	"net/netip"
)

// datagram is a UDP datagram of a capture.
type datagram struct {
	from, to netip.AddrPort
	payload  []byte // valid until the next packet is read
}

// Numbers of protocols.
const (
	etherIPv4, etherIPv6             = 0x0800, 0x86dd
	etherVLAN, etherQinQ, etherVLAN3 = 0x8100, 0x88a8, 0x9100

	ipUDP                               = 17
	ipHopByHop, ipRouting, ipFragment   = 0, 43, 44
	ipDestination, udpHeader, ethHeader = 60, 8, 14
)

// network takes off what stands before the IP header; nil when there is none.
func network(link LinkType, data []byte) []byte {
	var kind uint16
	switch {
	case link == linkEthernet && len(data) >= ethHeader:
		kind, data = binary.BigEndian.Uint16(data[12:]), data[ethHeader:]
	case link == linkSLL && len(data) >= 16:
		kind, data = binary.BigEndian.Uint16(data[14:]), data[16:]
	case link == linkSLL2 && len(data) >= 20:
		kind, data = binary.BigEndian.Uint16(data), data[20:]
	case link == linkNull && len(data) >= 4:
		return data[4:] // the family is in the writer's byte order, and differs between systems
	case link == linkRaw || link == linkRawBSD:
		return data
	default:
		return nil
	}
	for (kind == etherVLAN || kind == etherQinQ || kind == etherVLAN3) && len(data) >= 4 {
		kind, data = binary.BigEndian.Uint16(data[2:]), data[4:]
	}
	if kind != etherIPv4 && kind != etherIPv6 {
		return nil
	}
	return data
}

// ipPacket is an IP packet, or a fragment of one.
type ipPacket struct {
	from, to netip.Addr
	protocol uint8
	id       uint32
	offset   int  // of a fragment, in bytes
	more     bool // fragments follow
	payload  []byte
}

func (p ipPacket) fragment() bool { return p.more || p.offset > 0 }

// parseIP reads an IP packet of either version; what is not captured of it is
// missing from the payload.
func parseIP(data []byte) (ipPacket, bool) {
	if len(data) < 1 {
		return ipPacket{}, false
	}
	switch data[0] >> 4 {
	case 4:
		return parseIPv4(data)
	case 6:
		return parseIPv6(data)
	}
	return ipPacket{}, false
}

func parseIPv4(data []byte) (ipPacket, bool) {
	if len(data) < 20 {
		return ipPacket{}, false
	}
	header, total := int(data[0]&15)*4, int(binary.BigEndian.Uint16(data[2:]))
	if total == 0 { // left to the network card to fill in
		total = len(data)
	}
	if header < 20 || total < header || len(data) < header {
		return ipPacket{}, false
	}
	flags := binary.BigEndian.Uint16(data[6:])
	return ipPacket{
		from: netip.AddrFrom4([4]byte(data[12:16])), to: netip.AddrFrom4([4]byte(data[16:20])), protocol: data[9],
		id: uint32(binary.BigEndian.Uint16(data[4:])), offset: int(flags&0x1fff) * 8, more: flags&0x2000 != 0,
		payload: data[header:min(total, len(data))],
	}, true
}

func parseIPv6(data []byte) (ipPacket, bool) {
	if len(data) < 40 {
		return ipPacket{}, false
	}
	p := ipPacket{from: netip.AddrFrom16([16]byte(data[8:24])), to: netip.AddrFrom16([16]byte(data[24:40])), protocol: data[6]}
	p.payload = data[40:]
	if length := int(binary.BigEndian.Uint16(data[4:])); length > 0 {
		p.payload = p.payload[:min(length, len(p.payload))]
	}
	for len(p.payload) >= 8 {
		length := 8
		switch p.protocol {
		case ipHopByHop, ipRouting, ipDestination:
			length += int(p.payload[1]) * 8
		case ipFragment:
			at := binary.BigEndian.Uint16(p.payload[2:])
			p.id, p.offset, p.more = binary.BigEndian.Uint32(p.payload[4:]), int(at&^7), at&1 != 0
		default:
			return p, true
		}
		if len(p.payload) < length {
			return ipPacket{}, false
		}
		p.protocol, p.payload = p.payload[0], p.payload[length:]
		if p.offset > 0 {
			return p, true // what follows is a piece of something
		}
	}
	return p, true
}

// parseUDP reads the datagram of a whole IP packet.
func parseUDP(p ipPacket) (datagram, bool) {
	if p.protocol != ipUDP || len(p.payload) < udpHeader {
		return datagram{}, false
	}
	length := int(binary.BigEndian.Uint16(p.payload[4:]))
	if length < udpHeader || length > len(p.payload) {
		length = len(p.payload)
	}
	return datagram{
		from:    netip.AddrPortFrom(p.from, binary.BigEndian.Uint16(p.payload)),
		to:      netip.AddrPortFrom(p.to, binary.BigEndian.Uint16(p.payload[2:])),
		payload: p.payload[udpHeader:length],
	}, true
}
