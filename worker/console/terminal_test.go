package console

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ringmaster/proto/phone"
	"ringmaster/tests/fakeworker"
)

// pty makes a terminal: what is written to keys is typed, what comes out of it
// is seen.
func pty(t *testing.T) (keys, terminal *os.File) {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("this machine gives no terminals: %v", err)
	}
	fd := int(keys.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 200})
	}
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return keys, terminal
}

// shown collects what a terminal shows.
type shown struct {
	t    *testing.T
	all  buffer
	more chan struct{}
	end  chan struct{}
}

func look(t *testing.T, keys *os.File) *shown {
	s := &shown{t: t, more: make(chan struct{}, 1), end: make(chan struct{})}
	go func() {
		defer close(s.end)
		part := make([]byte, 4096)
		for {
			n, err := keys.Read(part)
			_, _ = s.all.Write(part[:n])
			select {
			case s.more <- struct{}{}:
			default:
			}
			if err != nil { // EIO: nobody has the terminal open
				return
			}
		}
	}()
	return s
}

func (s *shown) await(text string) {
	s.t.Helper()
	limit := time.After(10 * time.Second)
	for !strings.Contains(s.all.String(), text) {
		select {
		case <-s.more:
		case <-limit:
			s.t.Fatalf("the terminal does not show %q but\n%q", text, s.all.String())
		}
	}
}

// At a terminal the tab key completes, the up key brings the last line back,
// and Ctrl-C leaves.
func TestAtATerminal(t *testing.T) {
	keys, terminal := pty(t)
	p := fakeworker.New(fakeworker.Knobs{})
	if _, err := p.Configure(t.Context(), phone.Configuration{Settings: phone.Settings{PhoneID: "a"}, CallIDs: phone.Block{Count: 10}}); err != nil {
		t.Fatal(err)
	}
	screen, err := OpenScreen(terminal, terminal, "a> ", false)
	if err != nil || !screen.Interactive() {
		t.Fatalf("interactive %v, %v", screen.Interactive(), err)
	}
	seen := look(t, keys)
	ended := make(chan error, 1)
	go func() {
		_, err := Run(context.Background(), Options{Phone: p, ID: "a", Screen: screen, LeaveWithin: time.Second})
		ended <- err
	}()
	press := func(s string) {
		if _, err := keys.WriteString(s); err != nil {
			t.Fatal(err)
		}
	}
	seen.await("a> ")
	press("mak\tsip:b@h\r")
	seen.await("ok call_id=0 state=CALLING")
	press("\x1b[A\r") // up
	seen.await("ok call_id=1 state=CALLING")
	press("get_c\t\t")
	seen.await("get_call_history  get_call_info")
	press("\x03") // Ctrl-C
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := screen.Close(); err != nil {
		t.Error(err)
	}
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil || state.Lflag&unix.ICANON == 0 {
		t.Errorf("the terminal is left raw: %v", err)
	}
	terminal.Close()
	<-seen.end
	keys.Close()
}
