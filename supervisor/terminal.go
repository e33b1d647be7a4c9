package supervisor

import (
	"os"

	"golang.org/x/sys/unix"

	"ringmaster/supervisor/live"
)

// terminal is the terminal that stdout is, when it is one that understands
// more than lines.
func (e Edges) terminal() (*os.File, bool) {
	if term, _ := e.lookupEnv("TERM"); term == "dumb" {
		return nil, false
	}
	file, ok := e.Stdout.(*os.File)
	if !ok {
		return nil, false
	}
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return file, err == nil
}

// colour says whether stdout takes colours: it is a terminal, and the user has
// not asked for none (https://no-color.org).
func (e Edges) colour() bool {
	if none, _ := e.lookupEnv("NO_COLOR"); none != "" {
		return false
	}
	_, is := e.terminal()
	return is
}

// sizeOf is a terminal's size now; zeroes when it does not say.
func sizeOf(terminal *os.File) live.Size {
	w, err := unix.IoctlGetWinsize(int(terminal.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return live.Size{}
	}
	return live.Size{Columns: int(w.Col), Rows: int(w.Row)}
}
