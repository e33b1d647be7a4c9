package worker

import (
	"io"

	"ringmaster/config"
)

// Edges is everything through which the program touches the outside.
type Edges struct {
	Args    []string // without the program's name
	Environ config.Environ
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Home    string // the user's home folder; "" when there is none
	TempDir string
	Version string
}
