// Package doctor looks at the machine and says what would keep phones from
// working on it, and what to do about it.
//
//	doctor.go     what is examined, in order
//	programs.go   the worker and tcpdump, tried out
//	machine.go    folders, ports and limits
//	judge.go      which numbers are enough
package doctor

import (
	"context"

	"ringmaster/config"
)

// Subject is what is examined.
type Subject struct {
	// Worker is the path of the worker program, WorkerArgs what it is started
	// with, Version the one that it must have.
	Worker     string
	WorkerArgs []string
	Version    string
	// Environ is the environment that workers would be started from.
	Environ config.Environ
	// TempDir is where the workers' sockets would lie.
	TempDir string
	// Recordings and Captures are the folders of the phones' files.
	Recordings, Captures string
	// Tcpdump is the program that captures; "" means the one on the PATH.
	Tcpdump string
}

// Finding is what one look at the machine gave.
type Finding struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Found is what is there, one sentence or less.
	Found string `json:"found"`
	// Advice says what to do; "" when there is nothing to do.
	Advice string `json:"advice"`
}

func good(name, found string) Finding { return Finding{Name: name, OK: true, Found: found} }

func bad(name, found, advice string) Finding {
	return Finding{Name: name, Found: found, Advice: advice}
}

// Examine looks at everything. It takes some seconds at most, leaves nothing
// behind, and sends nothing to any network.
func Examine(ctx context.Context, s Subject) []Finding {
	findings := s.worker(ctx)
	return append(findings,
		s.tcpdump(ctx),
		folder("recordings", s.Recordings),
		folder("captures", s.Captures),
		ports(),
		openFiles(),
		processes(),
	)
}

// Healthy reports whether nothing needs to be done.
func Healthy(findings []Finding) bool {
	for _, f := range findings {
		if !f.OK {
			return false
		}
	}
	return true
}
