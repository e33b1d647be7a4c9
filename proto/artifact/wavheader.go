package artifact

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// HeaderSize is the length in bytes of the headers that WAVHeader makes.
const HeaderSize = 44

// WAVHeader is the header of a mono file of 16-bit samples at rate Hz, of which
// dataBytes bytes follow. More than a WAV file can hold is written as the most.
func WAVHeader(rate int, dataBytes int64) [HeaderSize]byte {
	size := uint32(min(dataBytes, 0xFFFFFFFF-HeaderSize))
	var h [HeaderSize]byte
	le := binary.LittleEndian
	copy(h[0:], "RIFF")
	le.PutUint32(h[4:], size+HeaderSize-8)
	copy(h[8:], "WAVEfmt ")
	le.PutUint32(h[16:], 16) // length of what fmt holds
	le.PutUint16(h[20:], 1)  // PCM
	le.PutUint16(h[22:], 1)  // channels
	le.PutUint32(h[24:], uint32(rate))
	le.PutUint32(h[28:], uint32(rate)*2)
	le.PutUint16(h[32:], 2) // bytes per frame
	le.PutUint16(h[34:], 16)
	copy(h[36:], "data")
	le.PutUint32(h[40:], size)
	return h
}

// ErrForeign is returned by RepairWAV for a file that no phone of ours wrote;
// the file is left as it is.
var ErrForeign = errors.New("not a recording of this program")

// RepairWAV makes the header of a recording whose writer died agree with the
// samples that are there, and cuts off half a sample at the end. A file without
// a whole header becomes an empty recording at 8000 Hz. changed tells whether
// anything was to be done.
func RepairWAV(path string) (changed bool, err error) {
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
	var old [HeaderSize]byte
	n, err := f.ReadAt(old[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	rate, bytes := 8000, int64(0)
	whole := n == HeaderSize
	if whole {
		rate = int(binary.LittleEndian.Uint32(old[24:]))
		bytes = (info.Size() - HeaderSize) &^ 1
	}
	header := WAVHeader(rate, bytes)
	if !sameForm(old[:n], header[:n]) {
		return false, fmt.Errorf("%s: %w", path, ErrForeign)
	}
	if whole && old == header && info.Size() == HeaderSize+bytes {
		return false, nil
	}
	if err := f.Truncate(HeaderSize + bytes); err != nil {
		return false, err
	}
	_, err = f.WriteAt(header[:], 0)
	return err == nil, err
}

// sameForm compares two headers, or their beginnings, without the sizes, and a
// part of one without the rate.
func sameForm(a, b []byte) bool {
	for i := range a {
		size := i >= 4 && i < 8 || i >= 40
		rate := i >= 24 && i < 32 && len(a) < HeaderSize
		if a[i] != b[i] && !size && !rate {
			return false
		}
	}
	return true
}
