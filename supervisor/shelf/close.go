package shelf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"ringmaster/proto/artifact"
	"ringmaster/proto/phone"
)

// Estate is what is known of a worker that has died, as far as its files go.
type Estate struct {
	PhoneID phone.ID
	Began   time.Time // no file of the worker is older
	Died    time.Time
	// Owns says whether a call id was given to the phone.
	Owns func(phone.CallID) bool
	// Calls are those that the worker's death ended.
	Calls map[phone.CallID]DeadCall
}

// DeadCall is what is known of a call that its worker's death ended.
type DeadCall struct {
	phone.CallInfo
	LocalRTPPort, RemoteRTPPort int // 0 is not known
}

// Close makes valid files of the recordings below a root that the worker had
// open: the header is made to count the samples that are there, and the
// sidecar that is missing is written, with null for what is not known. It
// returns the recordings closed; the error joins what went wrong with others.
//
// The worker's own word on which files were open may have died with it, so
// the folder is asked: a recording of one of the phone's calls, begun while the
// worker lived, that has no sidecar.
func Close(root string, e Estate) (closed []string, err error) {
	folder := filepath.Join(root, string(e.PhoneID))
	files, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the recordings of phone %q cannot be looked through: %w", e.PhoneID, err)
	}
	var faults []error
	for _, f := range files {
		id, began, ok := artifact.ReadCallName(f.Name())
		call := phone.CallID(id)
		if !ok || filepath.Ext(f.Name()) != artifact.WAV || !f.Type().IsRegular() || began.Before(e.Began.Truncate(time.Microsecond)) || !e.Owns(call) {
			continue
		}
		path := filepath.Join(folder, f.Name())
		meta := artifact.SidecarPath(path)
		if isFile(meta) {
			continue
		}
		_, err := artifact.RepairWAV(path)
		if errors.Is(err, artifact.ErrForeign) {
			continue
		}
		if err == nil {
			err = e.sidecar(path, call, began).Write(meta)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("the recording %s of a dead worker could not be closed: %w", path, err))
			continue
		}
		closed = append(closed, path)
	}
	return closed, errors.Join(faults...)
}

func (e Estate) sidecar(path string, id phone.CallID, began time.Time) artifact.Sidecar {
	s := artifact.Sidecar{PhoneID: string(e.PhoneID), CallID: int64(id), StartedAt: &began, EndedAt: &e.Died, Recording: &path}
	call, known := e.Calls[id]
	if !known {
		return s
	}
	s.Direction = orNull(string(call.Direction))
	s.Codec = orNull(call.Codec)
	s.RemoteURI = orNull(call.RemoteURI)
	s.LastStatus, s.LastStatusText = &call.LastStatus, &call.LastStatusText
	s.LocalRTPPort, s.RemoteRTPPort = orNull(call.LocalRTPPort), orNull(call.RemoteRTPPort)
	seconds := int64(call.Duration / time.Second)
	s.Duration = &seconds
	return s
}

// orNull is nil for the zero value, which stands for what is not known.
func orNull[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}
