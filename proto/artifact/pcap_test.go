package artifact

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// pcap is a capture with packets of the given lengths.
func pcap(order binary.AppendByteOrder, packets ...uint32) []byte {
	b := order.AppendUint32(nil, pcapMicros)
	b = append(b, make([]byte, pcapHeaderSize-4)...)
	for _, n := range packets {
		b = append(b, make([]byte, 8)...) // its time
		b = order.AppendUint32(b, n)
		b = order.AppendUint32(b, n+5) // on the wire it was longer
		b = append(b, make([]byte, n)...)
	}
	return b
}

func TestRepairPCAP(t *testing.T) {
	whole := pcap(binary.LittleEndian, 3, 0, 200)
	big := pcap(binary.BigEndian, 3)
	for name, c := range map[string]struct {
		before  []byte
		size    int
		changed bool
		err     error
	}{
		"whole":                        {whole, len(whole), false, nil},
		"without packets":              {whole[:24], 24, false, nil},
		"half a packet":                {whole[:len(whole)-1], len(whole) - 216, true, nil},
		"half a packet's header":       {whole[:24+19+15], 24 + 19, true, nil},
		"big-endian, half a packet":    {append(big, whole[24:30]...), len(big), true, nil},
		"half a header":                {whole[:20], 24, true, nil},
		"nothing":                      {nil, 24, true, nil},
		"something else, long enough!": {[]byte("Dear Sir or Madam, this is no capture"), 37, false, ErrForeign},
	} {
		path := filepath.Join(t.TempDir(), "x.pcap")
		if err := os.WriteFile(path, c.before, 0o600); err != nil {
			t.Fatal(err)
		}
		changed, err := RepairPCAP(path)
		if changed != c.changed || !errors.Is(err, c.err) {
			t.Errorf("%s: changed %v, error %v", name, changed, err)
		}
		after, err := os.ReadFile(path)
		if err != nil || len(after) != c.size {
			t.Errorf("%s: the file has %d bytes, want %d (%v)", name, len(after), c.size, err)
		}
		if changed, err := RepairPCAP(path); changed || !errors.Is(err, c.err) {
			t.Errorf("%s, again: changed %v, error %v", name, changed, err)
		}
	}
}
