package supervisor

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// pty is a terminal of some columns: what is written to the second file comes
// out of the first.
func pty(t *testing.T, columns uint16) (*os.File, *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { _ = screen.Close() })
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(program.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 20, Col: columns}); err != nil {
		t.Fatal(err)
	}
	return screen, program
}

// On a terminal a block says how the run is, as narrow as the terminal is, and
// is gone at the end; NO_COLOR takes the colours, and TERM=dumb the block.
func TestRunOnATerminal(t *testing.T) {
	self, _ := os.Executable()
	paths := files(t, profileOfA, passes)
	const up, colour = "\x1b[2A", "\x1b[32m"
	for _, c := range []struct {
		env           string
		columns       uint16
		block, colour bool
		head          string
	}{
		{"A=B", 80, true, true, "running passes   0.0 s"},
		{"NO_COLOR=1", 80, true, false, "running passes   0.0 s"},
		{"NO_COLOR=1", 12, true, false, "running pas\r\n"},
		{"TERM=dumb", 80, false, false, ""},
	} {
		screen, program := pty(t, c.columns)
		e, _, stderr := edges(t, []string{"run", paths[1], "--worker", self, "--profile", paths[0]}, nil)
		e.Stdout, e.Environ = program, append(e.Environ, c.env)
		text := make(chan string)
		go func() {
			all, _ := io.ReadAll(screen) // a terminal whose program is gone ends with an error
			text <- string(all)
		}()
		if code := Run(context.Background(), e); code != 0 {
			t.Errorf("exit %d: %s", code, stderr)
		}
		_ = program.Close()
		got := <-text
		if strings.Contains(got, up) != c.block || strings.Contains(got, colour) != c.colour || !strings.Contains(got, c.head) {
			t.Errorf("%s on %d columns: %q", c.env, c.columns, got)
		}
		if end := got[strings.LastIndex(got, "\x1b[J")+1:]; strings.Contains(end, "running") || !strings.Contains(end, "passes") {
			t.Errorf("the end is %q", end)
		}
	}
}
