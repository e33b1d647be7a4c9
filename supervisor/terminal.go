package supervisor

import (
	"os"

	"golang.org/x/sys/unix"
)

// colour says whether stdout takes colours: it is a terminal, and the user has
// not asked for none (https://no-color.org).
func (e Edges) colour() bool {
	if none, _ := e.lookupEnv("NO_COLOR"); none != "" {
		return false
	}
	if term, _ := e.lookupEnv("TERM"); term == "dumb" {
		return false
	}
	file, ok := e.Stdout.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return err == nil
}
