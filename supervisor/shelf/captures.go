package shelf

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ringmaster/proto/artifact"
	"ringmaster/proto/phone"
)

// Captures are the roots of captures, and of the recordings whose sidecars say
// more of them.
type Captures struct{ Root, Recordings string }

// Newest finds the capture of a phone that was written to last, or of one of
// its calls: the last whose name is the call's, else the one that the call's
// recording points to, for calls that overlap share a capture. It is not ok
// when there is none.
func (c Captures) Newest(id phone.ID, call *phone.CallID) (path string, ok bool) {
	if call == nil {
		return c.newest(id, "")
	}
	if path, ok = c.newest(id, fmt.Sprintf("call_%d_", *call)); ok {
		return path, true
	}
	for _, s := range slices.Backward(c.sidecars(id)) {
		if phone.CallID(s.CallID) == *call && s.PCAP != nil {
			if name := filepath.Base(*s.PCAP); c.holds(id, name) {
				return filepath.Join(c.folder(id), name), true
			}
		}
	}
	return "", false
}

func (c Captures) folder(id phone.ID) string { return filepath.Join(c.Root, string(id)) }

// holds says that a file is below the root, whatever links are on the way.
func (c Captures) holds(id phone.ID, name string) bool {
	root, err := os.OpenRoot(c.Root)
	if err != nil {
		return false
	}
	defer root.Close()
	info, err := root.Stat(filepath.Join(string(id), name))
	return err == nil && info.Mode().IsRegular()
}

// newest is the file with that beginning of its name that was written to last.
// Links that lead out of the root are passed over.
func (c Captures) newest(id phone.ID, prefix string) (path string, ok bool) {
	root, err := os.OpenRoot(c.Root)
	if err != nil {
		return "", false // nothing was captured
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), string(id))
	if err != nil {
		return "", false
	}
	var changed time.Time
	for _, e := range entries {
		ending := filepath.Ext(e.Name())
		if ending != artifact.PCAP && ending != ".pcapng" || !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		one := filepath.Join(c.folder(id), e.Name())
		info, err := root.Stat(filepath.Join(string(id), e.Name()))
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		newer := cmp.Or(info.ModTime().Compare(changed), cmp.Compare(stamp.FindString(one), stamp.FindString(path)), cmp.Compare(one, path))
		if !ok || newer > 0 {
			path, changed, ok = one, info.ModTime(), true
		}
	}
	return path, ok
}

// Sidecar is the sidecar of a recording that points to a capture: that of the
// call, if there are several, else the oldest. The folders may have had other
// names when it was written, so it goes by the name of the file.
func (c Captures) Sidecar(id phone.ID, path string, call *phone.CallID) (artifact.Sidecar, bool) {
	var found []artifact.Sidecar
	for _, s := range c.sidecars(id) {
		if s.PCAP != nil && filepath.Base(*s.PCAP) == filepath.Base(path) {
			found = append(found, s)
		}
	}
	if call != nil {
		for _, s := range found {
			if phone.CallID(s.CallID) == *call {
				return s, true
			}
		}
	}
	if len(found) == 0 {
		return artifact.Sidecar{}, false
	}
	return found[0], true
}

// sidecars are those of a phone's recordings, oldest first. One that cannot be
// read says nothing.
func (c Captures) sidecars(id phone.ID) []artifact.Sidecar {
	folder := filepath.Join(c.Recordings, string(id))
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	type dated struct {
		artifact.Sidecar
		at   time.Time
		name string
	}
	var all []dated
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), artifact.Meta) {
			continue
		}
		path := filepath.Join(folder, e.Name())
		info, err := e.Info() // of a link itself, which may lead out
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		s, err := artifact.ReadSidecar(path)
		if err != nil {
			continue
		}
		at := info.ModTime()
		if s.StartedAt != nil {
			at = *s.StartedAt
		}
		all = append(all, dated{s, at, e.Name()})
	}
	slices.SortFunc(all, func(a, b dated) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.name, b.name)) })
	sidecars := make([]artifact.Sidecar, len(all))
	for i, d := range all {
		sidecars[i] = d.Sidecar
	}
	return sidecars
}
