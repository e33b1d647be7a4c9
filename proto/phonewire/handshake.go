// Package phonewire turns the values of proto/phone into protobuf messages
// and back, for the two ends of the process boundary.
//
// What comes back equals what went in, except that an empty list or map comes
// back nil (a Codecs list excepted), that times come back in UTC without their
// monotonic part, and that bytes which are not UTF-8 are replaced in strings
// (not in SIPMessage.Raw): protobuf would refuse the whole message for them.
package phonewire

import (
	"fmt"

	"github.com/hashicorp/go-plugin"
)

// LockName is the file that a supervisor keeps locked in the folder of its
// workers' sockets, for as long as it lives.
const LockName = "supervisor.lock"

// ProtocolVersion is raised when phone.proto changes in a way that an older
// program would misunderstand. go-plugin refuses other versions.
const ProtocolVersion = 1

// PluginName is the name under which a worker serves its phone.
const PluginName = "phone"

// The magic cookie tells a program that it was started as a worker. It is no
// secret.
const (
	CookieKey   = "RINGMASTER_WORKER"
	CookieValue = "one-phone"
)

// Handshake is what both ends give to go-plugin.
func Handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{
		ProtocolVersion:  ProtocolVersion,
		MagicCookieKey:   CookieKey,
		MagicCookieValue: CookieValue,
	}
}

// CheckVersion compares the versions of the two programs, which must be of one
// build. The error says what to do.
func CheckVersion(supervisor, worker string) error {
	if supervisor == worker {
		return nil
	}
	return fmt.Errorf("the worker program is version %q and the supervisor is %q: install both from the same build", worker, supervisor)
}
