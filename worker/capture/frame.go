package capture

import (
	"bytes"
	"net"
	"net/netip"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// framer makes the pcap records of the phone's own datagrams: Ethernet, IP and
// UDP headers as they may have been on the wire. The hardware addresses are
// made up from the IP addresses, and locally administered (IEEE 802 §8.2.2).
type framer struct {
	out    bytes.Buffer
	writer *pcapgo.Writer
	frame  gopacket.SerializeBuffer
}

func newFramer() *framer {
	f := &framer{frame: gopacket.NewSerializeBuffer()}
	f.writer = pcapgo.NewWriter(&f.out)
	return f
}

// header is the file's header: classic pcap, EN10MB.
func (f *framer) header() ([]byte, error) {
	f.out.Reset()
	err := f.writer.WriteFileHeader(longestRecord, layers.LinkTypeEthernet)
	return f.out.Bytes(), err
}

// record is the record of one datagram; it is valid until the next call.
func (f *framer) record(d *datagram) ([]byte, error) {
	from, to := d.from.Addr().Unmap().WithZone(""), d.to.Addr().Unmap().WithZone("")
	ethernet := &layers.Ethernet{SrcMAC: hardware(from), DstMAC: hardware(to), EthernetType: layers.EthernetTypeIPv4}
	udp := &layers.UDP{SrcPort: layers.UDPPort(d.from.Port()), DstPort: layers.UDPPort(d.to.Port())}
	var ip gopacket.SerializableLayer
	var err error
	if from.Is4() && to.Is4() {
		v4 := &layers.IPv4{
			Version: 4, TTL: 64, Flags: layers.IPv4DontFragment, Protocol: layers.IPProtocolUDP,
			SrcIP: from.AsSlice(), DstIP: to.AsSlice(),
		}
		ip, err = v4, udp.SetNetworkLayerForChecksum(v4)
	} else {
		ethernet.EthernetType = layers.EthernetTypeIPv6
		v6 := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolUDP, SrcIP: sixteen(from), DstIP: sixteen(to)}
		ip, err = v6, udp.SetNetworkLayerForChecksum(v6)
	}
	if err != nil {
		return nil, err
	}
	how := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(f.frame, how, ethernet, ip, udp, gopacket.Payload(d.payload)); err != nil {
		return nil, err
	}
	data := f.frame.Bytes()
	f.out.Reset()
	err = f.writer.WritePacket(gopacket.CaptureInfo{Timestamp: d.at, CaptureLength: len(data), Length: len(data)}, data)
	return f.out.Bytes(), err
}

func sixteen(a netip.Addr) net.IP {
	b := a.As16()
	return b[:]
}

func hardware(a netip.Addr) net.HardwareAddr {
	b := a.As16()
	return append(net.HardwareAddr{2, 0}, b[12:]...)
}
