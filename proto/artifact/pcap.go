package artifact

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// The classic pcap form: a header for the file and one for each packet, in the
// byte order of the machine that wrote it.
const (
	pcapHeaderSize = 24
	pcapRecordSize = 16
	pcapMicros     = 0xa1b2c3d4
	pcapNanos      = 0xa1b23c4d
	pcapEthernet   = 1
	pcapSnapshot   = 262144 // the longest packet that readers expect
)

// RepairPCAP makes a capture whose writer died end with a whole packet. A file
// without a whole header becomes one without packets, of link type EN10MB.
// changed tells whether anything was to be done. ErrForeign is returned, and
// the file left as it is, when it is no classic pcap file.
func RepairPCAP(path string) (changed bool, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() {
		return false, fmt.Errorf("%s: %w", path, ErrForeign)
	}
	if info.Size() < pcapHeaderSize {
		return true, writeEmptyPCAP(f)
	}
	order, ok := pcapOrder(f)
	if !ok {
		return false, fmt.Errorf("%s: %w", path, ErrForeign)
	}
	whole, err := wholePackets(f, order, info.Size())
	if err != nil || whole == info.Size() {
		return false, err
	}
	return true, f.Truncate(whole)
}

func pcapOrder(f io.ReaderAt) (binary.ByteOrder, bool) {
	var magic [4]byte
	if _, err := f.ReadAt(magic[:], 0); err != nil {
		return nil, false
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if m := order.Uint32(magic[:]); m == pcapMicros || m == pcapNanos {
			return order, true
		}
	}
	return nil, false
}

// wholePackets is how long the file is up to the end of its last whole packet.
func wholePackets(f io.ReaderAt, order binary.ByteOrder, size int64) (int64, error) {
	end := int64(pcapHeaderSize)
	var record [pcapRecordSize]byte
	for end+pcapRecordSize <= size {
		if _, err := f.ReadAt(record[:], end); err != nil {
			return 0, err
		}
		next := end + pcapRecordSize + int64(order.Uint32(record[8:]))
		if next > size {
			break
		}
		end = next
	}
	return end, nil
}

func writeEmptyPCAP(f *os.File) error {
	var h [pcapHeaderSize]byte
	le := binary.LittleEndian
	le.PutUint32(h[0:], pcapMicros)
	le.PutUint16(h[4:], 2) // version 2.4
	le.PutUint16(h[6:], 4)
	le.PutUint32(h[16:], pcapSnapshot)
	le.PutUint32(h[20:], pcapEthernet)
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(h[:], 0)
	return err
}
