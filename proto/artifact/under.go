package artifact

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// ErrOutside is that of a path that does not lead to a regular file below the
// folder, or not at the moment at which it is opened.
var ErrOutside = errors.New("not a file under the folder")

// OpenUnder opens a regular file that must lie below a folder. Links are
// followed, but not out of it, whatever becomes of them meanwhile: the last
// steps are os.Root's.
func OpenUnder(folder, path string) (*os.File, error) {
	name, err := under(folder, path)
	if err != nil {
		return nil, ErrOutside
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, ErrOutside
	}
	defer root.Close()
	if info, err := root.Stat(name); err != nil || !info.Mode().IsRegular() {
		return nil, ErrOutside
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe has nothing to be waited for
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		_ = f.Close()
		return nil, ErrOutside
	}
	return f, nil
}

// under is a path as seen from a folder. Both may lead through links.
func under(folder, path string) (name string, err error) {
	if folder, err = filepath.EvalSymlinks(folder); err != nil {
		return "", err
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return "", err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", err
	}
	name, err = filepath.Rel(folder, path)
	if err == nil && !filepath.IsLocal(name) {
		err = ErrOutside
	}
	return name, err
}
