package capture

import (
	"encoding/binary"
	"errors"
	"time"
)

// The parts of a pcap stream (draft-ietf-opsawg-pcap).
const (
	fileHeader   = 24
	recordHeader = 16

	magicMicros = 0xa1b2c3d4
	magicNanos  = 0xa1b23c4d

	// longestRecord is more than any tcpdump writes (MAXIMUM_SNAPLEN).
	longestRecord = 1 << 18
)

var errNoPcap = errors.New("what tcpdump writes is no pcap stream")

// splitter cuts a pcap stream, which comes in pieces of any length, into its
// header and whole records.
type splitter struct {
	header []byte // the file's, once it is whole
	rest   []byte // begin of what is not whole yet
	order  binary.ByteOrder
	unit   time.Duration // of a record's fraction of a second
}

// add takes the next piece of the stream. It gives every record that is whole
// now to each, whose time is in UTC; the bytes are valid during the call.
func (s *splitter) add(piece []byte, each func(at time.Time, record []byte)) error {
	data := piece
	if len(s.rest) > 0 {
		s.rest = append(s.rest, piece...)
		data = s.rest
	}
	if s.header == nil {
		if len(data) < fileHeader {
			s.keep(data)
			return nil
		}
		if err := s.begin(data[:fileHeader]); err != nil {
			return err
		}
		data = data[fileHeader:]
	}
	for len(data) >= recordHeader {
		length := s.order.Uint32(data[8:])
		if length > longestRecord {
			return errNoPcap
		}
		end := recordHeader + int(length)
		if len(data) < end {
			break
		}
		at := time.Unix(int64(s.order.Uint32(data)), int64(time.Duration(s.order.Uint32(data[4:]))*s.unit)).UTC()
		each(at, data[:end])
		data = data[end:]
	}
	s.keep(data)
	return nil
}

// begin reads the file's header.
func (s *splitter) begin(header []byte) error {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(header) {
		case magicMicros:
			s.order, s.unit = order, time.Microsecond
		case magicNanos:
			s.order, s.unit = order, time.Nanosecond
		}
	}
	if s.order == nil {
		return errNoPcap
	}
	s.header = append([]byte(nil), header...)
	return nil
}

// link is the link type of the stream, whose header is whole
// (draft-ietf-opsawg-pcap, the upper bits say other things).
func (s *splitter) link() uint32 { return s.order.Uint32(s.header[20:]) & 0x0fffffff }

// keep moves what is left to the begin of the buffer.
func (s *splitter) keep(data []byte) { s.rest = append(s.rest[:0], data...) }
