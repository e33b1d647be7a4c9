package wav

import (
	"encoding/binary"
	"fmt"
	"os"

	"ringmaster/proto/artifact"
)

// Writer writes a mono file of 16-bit samples. After each Append the file is
// valid and complete, whatever happens to the process. It is not safe for
// concurrent use.
type Writer struct {
	file  *os.File
	rate  int
	bytes int64 // of samples
	chunk []byte
}

// Create makes the file, which must not exist, with its header.
func Create(path string, rate int) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("the recording %s cannot be created: %w", quote(path), cause(err))
	}
	w := &Writer{file: f, rate: rate}
	if err := w.writeHeader(); err != nil {
		f.Close()
		_ = os.Remove(path) // what matters is that it could not be written
		return nil, fmt.Errorf("the recording %s cannot be created: %w", quote(path), cause(err))
	}
	return w, nil
}

// Append writes samples, then the header that counts them, so that the header
// never claims what is not there.
func (w *Writer) Append(pcm []int16) error {
	w.chunk = w.chunk[:0]
	for _, x := range pcm {
		w.chunk = binary.LittleEndian.AppendUint16(w.chunk, uint16(x))
	}
	n, err := w.file.WriteAt(w.chunk, artifact.HeaderSize+w.bytes)
	w.bytes += int64(n &^ 1)
	if headerErr := w.writeHeader(); err == nil {
		err = headerErr
	}
	return err
}

func (w *Writer) writeHeader() error {
	h := artifact.WAVHeader(w.rate, w.bytes)
	_, err := w.file.WriteAt(h[:], 0)
	return err
}

// Size is the size of the file in bytes.
func (w *Writer) Size() int64 { return artifact.HeaderSize + w.bytes }

// Samples is how many samples have been written.
func (w *Writer) Samples() int64 { return w.bytes / 2 }

// Close closes the file.
func (w *Writer) Close() error { return w.file.Close() }
