package supervisor

import (
	"io"
	"path/filepath"
	"time"

	"ringmaster/config"
)

// Edges are everything of the process and the machine that the program
// touches. A test hands in its own.
type Edges struct {
	Args           []string // after the program's name
	Environ        config.Environ
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Now            func() time.Time
	Executable     string // path of this program; the worker is looked for beside it
	Home           string // the user's home folder; "" when there is none
	TempDir        string

	// WorkerArgs are what the worker program is started with: nothing, but in
	// tests.
	WorkerArgs []string
}

// lookupEnv finds a variable.
func (e Edges) lookupEnv(name string) (value string, found bool) { return e.Environ.Lookup(name) }

// workerBeside is the worker program of the same installation.
func (e Edges) workerBeside() string {
	return filepath.Join(filepath.Dir(e.Executable), "phoneworker")
}
