package call

import (
	"os"
	"path/filepath"
	"time"

	"ringmaster/proto/artifact"
	"ringmaster/proto/phone"
)

// segment is the stretch of a call that is recorded into one file.
type segment struct {
	path   string // "" while nothing is recorded
	begun  time.Time
	newest string // the last file, open or closed
}

// SetRecording switches recording; it tells whether that changed anything.
// Each switching on opens a file, each switching off closes one. Before media
// is up there is nothing to record; when it comes up, the phone's settings
// decide.
func (c *Call) SetRecording(on bool) (changed bool) { return c.setRecording(on, c.env.Loop.Now()) }

func (c *Call) setRecording(on bool, now time.Time) (changed bool) {
	if on == (c.segment.path != "") {
		return false
	}
	if !on {
		c.closeSegment()
		return true
	}
	if !c.HasMedia() {
		return false
	}
	s := c.env.Settings()
	dir := filepath.Join(s.RecordingsDir, string(s.PhoneID))
	path := filepath.Join(dir, artifact.CallName(int64(c.id), now)+artifact.WAV)
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = c.stream.StartRecording(path)
	}
	if err != nil {
		c.log().Error("the call cannot be recorded", "error", err)
		c.env.Emit("media.error", c.id, map[string]any{"error": "the call cannot be recorded: " + err.Error()})
		return false
	}
	c.segment = segment{path: path, begun: now, newest: path}
	return true
}

// closeSegment closes the open file and puts its sidecar beside it.
func (c *Call) closeSegment() {
	path := c.segment.path
	if path == "" {
		return
	}
	c.segment.path = ""
	if _, err := c.stream.FinishRecording(c.sidecar(path)); err != nil {
		c.log().Error("a recording was not closed well", "path", path, "error", err)
	}
}

func (c *Call) sidecar(path string) artifact.Sidecar {
	info, ended := c.Info(), c.env.Loop.Now().UTC()
	begun := c.segment.begun.UTC()
	direction, seconds := string(info.Direction), int64(info.Duration/time.Second)
	s := artifact.Sidecar{
		PhoneID: string(c.env.Settings().PhoneID), CallID: int64(c.id), Direction: &direction,
		StartedAt: &begun, EndedAt: &ended, Duration: &seconds,
		Codec: &info.Codec, RemoteURI: &info.RemoteURI,
		LastStatus: &info.LastStatus, LastStatusText: &info.LastStatusText, Recording: &path,
	}
	local, remote := c.rtpPorts()
	s.LocalRTPPort = &local
	if pcap := c.env.Capture(c.segment.begun); pcap != "" {
		s.PCAP = &pcap
	}
	if remote != 0 {
		s.RemoteRTPPort = &remote
	}
	return s
}

// rtpPorts are the ports of the call's media, each 0 while it is not known.
func (c *Call) rtpPorts() (local, remote int) {
	if c.stream != nil {
		local = c.stream.LocalPort()
	}
	if m, agreed := c.negotiation.Current(); agreed {
		remote = int(m.Remote.Port())
	}
	return local, remote
}

// Recording describes the segment now open.
func (c *Call) Recording() phone.RecordingInfo {
	r := phone.RecordingInfo{CallID: c.id, Enabled: c.env.Settings().Recording, Path: c.segment.path}
	if c.segment.path != "" {
		r.MetaPath = artifact.SidecarPath(c.segment.path)
		_, r.Size = c.stream.Recording()
	}
	return r
}
