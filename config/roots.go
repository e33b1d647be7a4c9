package config

import (
	"cmp"
	"path/filepath"
)

// Roots is where the server's files lie.
type Roots struct {
	Recordings string // recordings go below Recordings/<phone_id>
	Captures   string // captures go below Captures/<phone_id>
	Profile    string // what load_phones takes when it is given no path

	// What the client sees in their place, when the server runs in a
	// container; "" means the same.
	HostRecordings string
	HostCaptures   string
}

// Machine is what the choice of roots depends on.
type Machine struct {
	Getenv func(name string) (string, bool)
	Home   string                 // the user's home folder; "" when there is none
	Temp   string                 // where files go without one
	Usable func(path string) bool // a folder that can be written to, or a file that can be read
}

// Resolve chooses the roots: what flags say (fields of given that are not
// empty), else the environment, else the container's folders where those are
// usable, else the user's XDG folders.
func Resolve(given Roots, m Machine) Roots {
	state := xdg(m, "XDG_STATE_HOME", ".local", "state")
	return Roots{
		Recordings: choose(m, given.Recordings, "RINGMASTER_RECORDINGS_DIR", "/recordings", filepath.Join(state, "recordings")),
		Captures:   choose(m, given.Captures, "RINGMASTER_CAPTURES_DIR", "/captures", filepath.Join(state, "captures")),
		Profile: choose(m, given.Profile, "RINGMASTER_PROFILE", "/config/phones.yaml",
			filepath.Join(xdg(m, "XDG_CONFIG_HOME", ".config"), "phones.yaml")),
		HostRecordings: cmp.Or(given.HostRecordings, env(m, "RINGMASTER_HOST_RECORDINGS_DIR")),
		HostCaptures:   cmp.Or(given.HostCaptures, env(m, "RINGMASTER_HOST_CAPTURES_DIR")),
	}
}

func choose(m Machine, given, variable, container, own string) string {
	if path := cmp.Or(given, env(m, variable)); path != "" {
		return path
	}
	if m.Usable(container) {
		return container
	}
	return own
}

// xdg is the product's folder below one of the XDG base folders. A relative
// base is to be ignored (XDG Base Directory Specification).
func xdg(m Machine, variable string, below ...string) string {
	if base := env(m, variable); filepath.IsAbs(base) {
		return filepath.Join(base, "ringmaster")
	}
	if m.Home == "" {
		return filepath.Join(m.Temp, "ringmaster")
	}
	return filepath.Join(append(append([]string{m.Home}, below...), "ringmaster")...)
}

func env(m Machine, name string) string {
	v, _ := m.Getenv(name)
	return v
}
