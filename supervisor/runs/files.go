package runs

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ringmaster/proto/artifact"
	"ringmaster/proto/phone"
	"ringmaster/scenario/engine"
	"ringmaster/scenario/timeline"
	"ringmaster/supervisor/hub"
)

// files finds what a run left on disk.
type files struct{ runner *Runner }

// Artifact implements engine.Files. It looks again whenever something has
// happened, until no file is open any more.
func (f files) Artifact(ctx context.Context, q engine.FileQuery) *timeline.Artifact {
	position := f.runner.Hub.Position()
	for {
		found, open := f.look(q)
		if !open {
			return found
		}
		records, err := f.runner.Hub.Read(ctx, hub.Query{After: position, Traces: true})
		if err != nil {
			return found
		}
		position = records[len(records)-1].Position
	}
}

// look finds the newest file of each kind; open says that the recording of a
// call that is over has no sidecar yet, which is written when it is closed.
func (f files) look(q engine.FileQuery) (found *timeline.Artifact, open bool) {
	recordings := made(f.runner.RecordingsDir, q)
	captures := made(f.runner.CapturesDir, q)
	a := timeline.Artifact{
		Recording:     newest(recordings, artifact.WAV),
		RecordingMeta: newest(recordings, artifact.Meta),
		Pcap:          newest(captures, artifact.PCAP),
	}
	for _, file := range recordings {
		if strings.HasSuffix(file.path, artifact.WAV) && slices.Contains(q.Ended, file.call) {
			meta := artifact.SidecarPath(file.path)
			open = open || !slices.ContainsFunc(recordings, func(other callFile) bool { return other.path == meta })
		}
	}
	if a == (timeline.Artifact{}) {
		return nil, open
	}
	return &a, open
}

// callFile is a file of a call.
type callFile struct {
	path  string
	call  phone.CallID
	stamp string // orders files by time
}

// made lists the files below a root that calls of the run left. The ids of an
// earlier server are the same, so the time in the name counts too.
func made(root string, q engine.FileQuery) []callFile {
	dir := filepath.Join(root, string(q.PhoneID))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // nothing was recorded
	}
	since := artifact.Stamp(q.Since)
	var out []callFile
	for _, e := range entries {
		id, ok := artifact.CallID(e.Name())
		if !ok || !slices.Contains(q.Calls, phone.CallID(id)) {
			continue
		}
		_, rest, _ := strings.Cut(strings.TrimPrefix(e.Name(), "call_"), "_")
		stamp, _, _ := strings.Cut(rest, ".")
		if stamp >= since {
			out = append(out, callFile{path: filepath.Join(dir, e.Name()), call: phone.CallID(id), stamp: stamp})
		}
	}
	slices.SortFunc(out, func(a, b callFile) int { return strings.Compare(a.stamp, b.stamp) })
	return out
}

func newest(all []callFile, ending string) *string {
	for _, file := range slices.Backward(all) {
		if strings.HasSuffix(file.path, ending) {
			return &file.path
		}
	}
	return nil
}
