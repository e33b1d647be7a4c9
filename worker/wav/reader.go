// Package wav reads WAV files of every common kind as mono 16-bit samples, and
// writes recordings that are valid files at every moment.
package wav

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"ringmaster/proto/artifact"
)

// Reader gives a file's samples, mixed down to one channel, at the file's own
// rate. It is not safe for concurrent use.
type Reader struct {
	file   *os.File
	format format
	begin  int64 // where the samples are in the file
	end    int64

	buffered *bufio.Reader
	left     int64 // bytes of samples not yet read
	frames   []byte
}

// Open opens a file and checks its header. The error is one sentence that names
// the file and holds no text from it.
func Open(path string) (*Reader, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	return read(f, path)
}

// OpenUnder opens a file that must lie below a folder; see artifact.OpenUnder.
func OpenUnder(folder, path string) (*Reader, error) {
	f, err := artifact.OpenUnder(folder, path)
	switch {
	case errors.Is(err, artifact.ErrOutside):
		return nil, fmt.Errorf("%s is not a file under %s, and no others are taken", quote(path), folder)
	case err != nil:
		return nil, fmt.Errorf("%s cannot be opened: %w", quote(path), cause(err))
	}
	return read(f, path)
}

// read checks the header of a file, which it closes when that is wrong.
func read(f *os.File, path string) (*Reader, error) {
	r := &Reader{file: f}
	if err := r.readHeader(); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s is not a WAV file that can be played: %w", quote(path), err)
	}
	if err := r.Rewind(); err != nil {
		f.Close()
		return nil, err
	}
	return r, nil
}

// openRegular refuses what is no file, such as a pipe that nobody writes to,
// which would hang its opener.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no file %s", quote(path))
	case err != nil:
		return nil, fmt.Errorf("%s cannot be opened: %w", quote(path), cause(err))
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a WAV file that can be played: it is not a regular file", quote(path))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be opened: %w", quote(path), cause(err))
	}
	return f, nil
}

func quote(path string) string { return fmt.Sprintf("%.300q", path) }

// cause leaves the path out, which the sentence has already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Rate is the file's sample rate in Hz.
func (r *Reader) Rate() int { return r.format.rate }

// Rewind goes back to the first sample.
func (r *Reader) Rewind() error {
	if _, err := r.file.Seek(r.begin, io.SeekStart); err != nil {
		return err
	}
	if r.buffered == nil {
		r.buffered = bufio.NewReaderSize(r.file, 32<<10)
	}
	r.buffered.Reset(r.file)
	r.left = r.end - r.begin
	return nil
}

// Read reads up to len(dst) samples. At the end it returns io.EOF; a file that
// is shorter than it claims ends where it ends.
func (r *Reader) Read(dst []int16) (int, error) {
	frame := r.format.frameBytes()
	want := int(min(int64(len(dst)), r.left/int64(frame))) * frame
	if want == 0 && len(dst) > 0 {
		return 0, io.EOF
	}
	if cap(r.frames) < want {
		r.frames = make([]byte, want)
	}
	got, err := io.ReadFull(r.buffered, r.frames[:want])
	r.left -= int64(got)
	n := got / frame
	for i := range n {
		dst[i] = r.format.mono(r.frames[i*frame : (i+1)*frame])
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) && n > 0:
		r.left = 0
		return n, nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return 0, io.EOF
	}
	return n, err
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }
