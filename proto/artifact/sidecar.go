package artifact

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Sidecar is what <recording>.meta.json holds. A nil field is not known and
// is written as null.
type Sidecar struct {
	PhoneID        string     `json:"phone_id"`
	CallID         int64      `json:"call_id"`
	Direction      *string    `json:"direction"`  // "inbound" or "outbound"
	StartedAt      *time.Time `json:"started_at"` // RFC 3339, UTC
	EndedAt        *time.Time `json:"ended_at"`
	Duration       *int64     `json:"duration"` // whole seconds since the answer
	Codec          *string    `json:"codec"`
	RemoteURI      *string    `json:"remote_uri"`
	LastStatus     *int       `json:"last_status"`
	LastStatusText *string    `json:"last_status_text"`
	Recording      *string    `json:"recording"` // path of the WAV file
	PCAP           *string    `json:"pcap"`      // path of the capture
	LocalRTPPort   *int       `json:"local_rtp_port"`
	RemoteRTPPort  *int       `json:"remote_rtp_port"`
}

// SidecarPath is where the sidecar of a recording or capture lies.
func SidecarPath(path string) string {
	return strings.TrimSuffix(path, filepath.Ext(path)) + Meta
}

// Write puts the sidecar at path. It appears whole or not at all: it is written
// aside and renamed.
func (s Sidecar) Write(path string) error {
	s.StartedAt, s.EndedAt = inUTC(s.StartedAt), inUTC(s.EndedAt)
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("sidecar %s: %w", path, err)
	}
	aside := path + ".part"
	err = os.WriteFile(aside, append(data, '\n'), 0o644)
	if err == nil {
		err = os.Rename(aside, path)
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(os.Remove(aside)))
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func inUTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(t.UTC().Truncate(time.Microsecond))
}

// ReadSidecar reads a sidecar. Fields that it lacks are nil or zero.
func ReadSidecar(path string) (Sidecar, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Sidecar{}, err
	}
	var s Sidecar
	if err := json.Unmarshal(data, &s); err != nil {
		return Sidecar{}, fmt.Errorf("%s is not a sidecar that can be read", path)
	}
	return s, nil
}
