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
	LocalRTPPort, RemoteRTPPort int    // 0 is not known
	PCAP                        string // path of the capture that the call is in; "" is none, or not known
}

// Close makes valid files of what the worker had open below the two roots.
//
// A recording's header is made to count the samples that are there, and the
// sidecar that is missing is written, with null for what is not known; a
// capture is made to end with a whole packet. Close returns the files that it
// has closed; the error joins what went wrong with others.
//
// The worker's own word on which files were open may have died with it, so the
// folders are asked: a recording of one of the phone's calls, begun while the
// worker lived, that has no sidecar; a capture that was begun in that time.
func Close(recordings, captures string, e Estate) (closed []string, err error) {
	wavs, err := e.closeAll(filepath.Join(recordings, string(e.PhoneID)), artifact.WAV, e.closeRecording)
	pcaps, err2 := e.closeAll(filepath.Join(captures, string(e.PhoneID)), artifact.PCAP, func(path string, _ int64, _ time.Time) (bool, error) {
		return artifact.RepairPCAP(path)
	})
	return append(wavs, pcaps...), errors.Join(err, err2)
}

// closeAll closes the files with that ending in a folder that may have been
// the worker's. repair tells whether there was anything to be done.
func (e Estate) closeAll(folder, ending string, repair func(path string, call int64, began time.Time) (bool, error)) (closed []string, err error) {
	files, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the files of phone %q cannot be looked through: %w", e.PhoneID, err)
	}
	var faults []error
	for _, f := range files {
		call, began, ok := e.mayHaveMade(f.Name())
		if !ok || filepath.Ext(f.Name()) != ending || !f.Type().IsRegular() {
			continue
		}
		path := filepath.Join(folder, f.Name())
		changed, err := repair(path, call, began)
		switch {
		case errors.Is(err, artifact.ErrForeign):
		case err != nil:
			faults = append(faults, fmt.Errorf("%s, which a dead worker had open, could not be closed: %w", path, err))
		case changed:
			closed = append(closed, path)
		}
	}
	return closed, errors.Join(faults...)
}

// mayHaveMade tells by a file's name whether the worker can have made it.
func (e Estate) mayHaveMade(name string) (call int64, began time.Time, ok bool) {
	call, began, ok = artifact.ReadCallName(name)
	if ok {
		ok = e.Owns(phone.CallID(call))
	} else {
		began, ok = artifact.ReadCaptureName(name)
	}
	return call, began, ok && !began.Before(e.Began.Truncate(time.Microsecond))
}

func (e Estate) closeRecording(path string, call int64, began time.Time) (changed bool, err error) {
	meta := artifact.SidecarPath(path)
	if isFile(meta) {
		return false, nil
	}
	if _, err := artifact.RepairWAV(path); err != nil {
		return false, err
	}
	return true, e.sidecar(path, phone.CallID(call), began).Write(meta)
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
	s.PCAP = orNull(call.PCAP)
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
