package shelf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Piece is how many bytes of a file are given at once.
const Piece = 4 << 20

// File is one file that calls have left.
type File struct {
	URI     string
	Name    string // without its folder
	MIME    string
	Size    int64 // bytes
	Changed time.Time
}

// Files finds everything below the roots that may be read, the file that was
// written to last first. What cannot be read is passed over.
func (e Evidence) Files(ctx context.Context) ([]File, error) {
	var found []File
	for _, host := range []string{recordingsHost, capturesHost} {
		folder, ok := e.root(host)
		if !ok {
			continue
		}
		if err := below(ctx, folder, func(name string, info fs.FileInfo) {
			found = append(found, File{
				URI: uriOf(host, name), Name: path.Base(name), MIME: mimeOf(name), Size: info.Size(), Changed: info.ModTime(),
			})
		}); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(found, func(a, b File) int { return cmp.Or(b.Changed.Compare(a.Changed), cmp.Compare(a.URI, b.URI)) })
	return found, nil
}

// below shows the readable files below a folder; one that is not there has
// none. Links to folders are not followed, links to files only within.
func below(ctx context.Context, folder string, show func(name string, info fs.FileInfo)) error {
	root, err := os.OpenRoot(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, fault error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// What cannot be looked at is left out; the rest is still worth listing.
		if fault == nil && !d.IsDir() && mimeOf(name) != "" {
			if info, err := root.Stat(name); err == nil && info.Mode().IsRegular() {
				show(name, info)
			}
		}
		return nil
	})
}

// Content is what is in a file, or a piece of it.
type Content struct {
	MIME string
	Text bool // Data is UTF-8
	Data []byte
}

// Read gives what a URI stands for. A file that has more than Piece is given
// in pieces, which the URI asks for: ?offset=0&length=4194304, in bytes.
//
// Only regular files below the roots are read, whatever the URI or a link on
// the way says: the way is walked by os.Root. The error is a sentence without
// anything of the file's content.
func (e Evidence) Read(uri string) (Content, error) {
	folder, name, query, err := e.parse(uri)
	if err != nil {
		return Content{}, fmt.Errorf("%s cannot be read: %w", shown(uri), err)
	}
	file, size, err := openBelow(folder, name)
	if err != nil {
		return Content{}, fmt.Errorf("%s cannot be read: %w", shown(uri), err)
	}
	defer file.Close()
	offset, length, err := span(query, size)
	if err != nil {
		return Content{}, fmt.Errorf("%s cannot be read: %w", shown(uri), err)
	}
	c := Content{MIME: mimeOf(name), Data: make([]byte, length)}
	n, err := file.ReadAt(c.Data, offset)
	if err != nil && !errors.Is(err, io.EOF) { // it may have become shorter
		return Content{}, fmt.Errorf("%s cannot be read: the disk does not give it", shown(uri))
	}
	c.Data, c.Text = c.Data[:n], isText(c.MIME)
	if len(query) > 0 {
		c.MIME, c.Text = "application/octet-stream", false
	}
	return c, nil
}

// span is the part of a file of that size that is asked for.
func span(query url.Values, size int64) (offset, length int64, err error) {
	if len(query) == 0 {
		if size > Piece {
			return 0, 0, fmt.Errorf("it has %d bytes, and %d are given at once: ask for pieces with ?offset=0&length=%d and so on, or open the file by its path", size, Piece, Piece)
		}
		return 0, size, nil
	}
	length = Piece
	for key, into := range map[string]*int64{"offset": &offset, "length": &length} {
		if values := query[key]; len(values) > 0 {
			*into, err = strconv.ParseInt(values[0], 10, 64)
			if err != nil || *into < 0 || len(values) > 1 {
				return 0, 0, fmt.Errorf("%s must be one number of bytes, 0 or more", key)
			}
		}
	}
	if offset > size {
		return 0, 0, fmt.Errorf("it has %d bytes, and none at offset %d", size, offset)
	}
	if length > Piece {
		return 0, 0, fmt.Errorf("%d bytes are given at once, not %d", Piece, length)
	}
	return offset, min(length, size-offset), nil
}

var errNotThere = errors.New("there is no such file under the server's folders of recordings and captures")

// openBelow opens a regular file below a folder. Pipes, devices and the like
// are not opened: that alone may block, or do something.
func openBelow(folder, name string) (*os.File, int64, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, 0, errNotThere
	}
	defer root.Close()
	if info, err := root.Stat(name); err != nil || !info.Mode().IsRegular() {
		return nil, 0, errNotThere
	}
	// It may have become another meanwhile: so this does not wait either.
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, fmt.Errorf("the server's user may not open it: %w", reason(err))
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		_ = file.Close()
		return nil, 0, errNotThere
	}
	return file, info.Size(), nil
}

// reason is an error without the path that it happened to.
func reason(err error) error {
	var on *fs.PathError
	if errors.As(err, &on) {
		return on.Err
	}
	return err
}

// shown is a URI from outside, safe to show.
func shown(uri string) string {
	if len(uri) > 200 {
		uri = uri[:200] + "…"
	}
	return strconv.Quote(uri)
}

// WriteReport puts a report beside the files that it tells of, under a name
// that is new: in the folder of a phone, or, without one, in the root. It
// appears whole.
func (e Evidence) WriteReport(folder, name string, html []byte) (string, error) {
	dir := filepath.Join(e.Recordings, folder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("the report cannot be written into %s: %w", dir, reason(err))
	}
	half, err := os.CreateTemp(dir, ".report_*")
	if err != nil {
		return "", fmt.Errorf("the report cannot be written into %s: %w", dir, reason(err))
	}
	file := filepath.Join(dir, name+Report)
	_, err = half.Write(html)
	err = errors.Join(err, half.Chmod(0o644), half.Close())
	if err == nil {
		err = os.Rename(half.Name(), file)
	}
	if err != nil {
		_ = os.Remove(half.Name())
		return "", fmt.Errorf("the report cannot be written into %s: %w", dir, reason(err))
	}
	return file, nil
}
