package config

import (
	"os"

	"golang.org/x/sys/unix"
)

// Environ is a process's environment, NAME=value each.
type Environ []string

// Lookup finds a variable; the last of two counts, as in exec.
func (e Environ) Lookup(name string) (value string, found bool) {
	for _, pair := range e {
		if len(pair) > len(name) && pair[len(name)] == '=' && pair[:len(name)] == name {
			value, found = pair[len(name)+1:], true
		}
	}
	return value, found
}

// Usable reports whether a folder can be written to, or a file read.
func Usable(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	if info.IsDir() {
		return unix.Access(path, unix.W_OK|unix.X_OK) == nil
	}
	return unix.Access(path, unix.R_OK) == nil
}
