package diagnose

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// LinkType is the number by which a capture says what its packets begin with
// (draft-ietf-opsawg-pcaplinktype).
type LinkType int

// The link types that are read.
const (
	linkNull     LinkType = 0
	linkEthernet LinkType = 1
	linkRawBSD   LinkType = 12 // raw IP where it was written as a DLT
	linkRaw      LinkType = 101
	linkSLL      LinkType = 113
	linkSLL2     LinkType = 276
)

// String is the type's name.
func (l LinkType) String() string {
	switch l {
	case linkNull:
		return "NULL"
	case linkEthernet:
		return "EN10MB"
	case linkRaw, linkRawBSD:
		return "RAW"
	case linkSLL:
		return "LINUX_SLL"
	case linkSLL2:
		return "LINUX_SLL2"
	}
	return fmt.Sprintf("LINKTYPE_%d", int(l))
}

// known says whether packets of the type are read.
func (l LinkType) known() bool {
	switch l {
	case linkNull, linkEthernet, linkRaw, linkRawBSD, linkSLL, linkSLL2:
		return true
	}
	return false
}

// packet is one packet of a capture.
type packet struct {
	at   time.Time
	link LinkType
	data []byte // valid until the next one
}

// packets gives packet after packet. Its error is io.EOF at the end, and a
// sentence when the file cannot be read further.
type packets struct {
	count int
	next  func() (packet, error)
	first func() (LinkType, bool) // of the file; not ok while it is not known
}

var sectionHeader = []byte{0x0a, 0x0d, 0x0d, 0x0a} // what pcapng begins with

// openPackets reads the begin of a pcap or pcapng file.
func openPackets(r io.Reader) (*packets, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	begin, err := in.Peek(len(sectionHeader))
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("the file cannot be read: %w", err)
	case len(begin) == 0:
		return nil, errors.New("the file is empty: it is no capture, or nothing has been captured yet")
	case bytes.Equal(begin, sectionHeader):
		return openNG(in)
	}
	reader, err := pcapgo.NewReader(in)
	if err != nil {
		return nil, errors.New("the file is no capture: it begins neither as pcap nor as pcapng")
	}
	link := LinkType(reader.LinkType())
	p := &packets{first: func() (LinkType, bool) { return link, true }}
	p.next = func() (packet, error) {
		data, info, err := reader.ZeroCopyReadPacketData()
		return p.packet(link, data, info, err)
	}
	return p, nil
}

func openNG(in io.Reader) (*packets, error) {
	reader, err := pcapgo.NewNgReader(in, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
	if err != nil {
		return nil, errors.New("the file is no capture: it begins as pcapng, and does not go on so")
	}
	var first *LinkType
	p := &packets{first: func() (LinkType, bool) {
		if first != nil {
			return *first, true
		}
		i, err := reader.Interface(0)
		return LinkType(i.LinkType), err == nil
	}}
	p.next = func() (packet, error) {
		data, info, err := reader.ZeroCopyReadPacketData()
		var link LinkType
		if err == nil {
			if t, ok := info.AncillaryData[0].(layers.LinkType); ok {
				link = LinkType(t)
			}
			if first == nil {
				first = &link
			}
		}
		return p.packet(link, data, info, err)
	}
	return p, nil
}

func (p *packets) packet(link LinkType, data []byte, info gopacket.CaptureInfo, err error) (packet, error) {
	switch {
	case errors.Is(err, io.EOF):
		return packet{}, io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		return packet{}, fmt.Errorf("the file ends in the middle of a packet, after %d whole ones", p.count)
	case err != nil:
		return packet{}, fmt.Errorf("the file is damaged after %d packets: %w", p.count, err)
	}
	p.count++
	return packet{at: info.Timestamp, link: link, data: data}, nil
}
