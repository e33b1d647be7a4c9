package shelf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"ringmaster/proto/artifact"
	"ringmaster/proto/phone"
)

// Recording is one WAV file.
type Recording struct {
	Path     string // below the root, as the root was given
	Size     int64  // bytes
	PhoneID  string // the folder it is in, or what an older name says; "" when neither does
	CallID   *phone.CallID
	MetaPath string // its sidecar; "" when there is none
	Changed  time.Time
}

// Filter says which recordings are wanted. The zero Filter wants all.
type Filter struct {
	PhoneID phone.ID      // "" is any
	CallID  *phone.CallID // nil is any, or none
}

func (f Filter) holds(r Recording) bool {
	return (f.PhoneID == "" || string(f.PhoneID) == r.PhoneID) &&
		(f.CallID == nil || r.CallID != nil && *r.CallID == *f.CallID)
}

// Recordings finds every *.wav below a root, the one that was written to last
// first. A root that is not there has none; a folder in it that cannot be read
// is passed over.
func Recordings(ctx context.Context, root string, f Filter) ([]Recording, error) {
	var found []Recording
	// What is opened as an os.Root may itself be a link. Links to folders inside
	// of it are not followed, links to files only within.
	below, err := os.OpenRoot(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(root)
	}
	defer below.Close()
	err = fs.WalkDir(below.FS(), ".", func(name string, d fs.DirEntry, fault error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case name == "." && fault != nil:
			return unreadable(root)
		case fault == nil && !d.IsDir() && path.Ext(name) == artifact.WAV:
			if r, ok := recording(below, root, name); ok && f.holds(r) {
				found = append(found, r)
			}
		}
		return nil // after a fault too: what can be read of the folder is
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b Recording) int {
		return cmp.Or(b.Changed.Compare(a.Changed), cmp.Compare(stamp.FindString(b.Path), stamp.FindString(a.Path)), cmp.Compare(a.Path, b.Path))
	})
	return found, nil
}

// stamp is the moment in a file's name.
var stamp = regexp.MustCompile(`[0-9]{8}_[0-9]{6}(?:_[0-9]{1,6})?[^/]*$`)

func unreadable(root string) error {
	return fmt.Errorf("the folder of recordings %s cannot be read: make it readable for the server", root)
}

// recording looks at one file. It is not ok for what is no file below the root,
// or has gone.
func recording(below *os.Root, root, name string) (Recording, bool) {
	r := Recording{Path: filepath.Join(root, filepath.FromSlash(name))}
	info, err := below.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return Recording{}, false
	}
	r.Size, r.Changed = info.Size(), info.ModTime()
	base := path.Base(name)
	if folder := path.Dir(name); folder == "." {
		r.PhoneID, r.CallID = flat(strings.TrimSuffix(base, artifact.WAV))
	} else {
		r.PhoneID = path.Base(folder)
		if id, ok := artifact.CallID(base); ok {
			r.CallID = callID(id)
		}
	}
	if info, err := below.Stat(artifact.SidecarPath(name)); err == nil && info.Mode().IsRegular() {
		r.MetaPath = artifact.SidecarPath(r.Path)
	}
	return r, true
}

func callID(id int64) *phone.CallID {
	c := phone.CallID(id)
	return &c
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
