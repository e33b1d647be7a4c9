package phonewire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hashicorp/go-plugin"
)

// LogLevelKey names the environment variable that tells a worker how much to
// log: trace, debug, info, warn, error or off.
const LogLevelKey = "RINGMASTER_WORKER_LOG_LEVEL"

// Reattach says where a worker that somebody started waits for a supervisor to
// adopt it. Its JSON is the form in which users of go-plugin pass this on.
type Reattach struct {
	Protocol        string
	ProtocolVersion int
	Pid             int
	Test            bool // the supervisor does not end the process
	Addr            Addr
}

// Addr is where the worker listens.
type Addr struct{ Network, String string }

// ReattachFromPlugin takes what go-plugin says of a worker that waits.
func ReattachFromPlugin(c *plugin.ReattachConfig) Reattach {
	return Reattach{
		Protocol: string(c.Protocol), ProtocolVersion: c.ProtocolVersion, Pid: c.Pid, Test: c.Test,
		Addr: Addr{Network: c.Addr.Network(), String: c.Addr.String()},
	}
}

// ParseReattach reads the line that a worker printed. The error says what is
// wrong with it.
func ParseReattach(line string) (Reattach, error) {
	const whole = "give the whole line that phoneworker serve --debug printed"
	d := json.NewDecoder(bytes.NewReader([]byte(line)))
	d.DisallowUnknownFields()
	var r Reattach
	if err := d.Decode(&r); err != nil || d.More() {
		return Reattach{}, errors.New("this is not a worker's JSON: " + whole)
	}
	switch {
	case r.Protocol != string(plugin.ProtocolGRPC) || r.Addr.Network != "unix" || r.Addr.String == "" || r.Pid <= 0 || !r.Test:
		return Reattach{}, errors.New("this is not a worker that waits to be adopted: " + whole)
	case r.ProtocolVersion != ProtocolVersion:
		return Reattach{}, fmt.Errorf("the worker speaks version %d of the protocol and this program version %d: build both from the same source", r.ProtocolVersion, ProtocolVersion)
	}
	return r, nil
}
