package phoneproc

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// processAttributes makes a worker the leader of its own process group, so
// that its children can be found, and lets the kernel tell it of our death, in
// case it misses the end of its standard input.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// awaitExit returns when the process has ended, and leaves it to be reaped.
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// killGroup kills a worker and all its children. An error means that there is
// nobody left.
func killGroup(pid int) {
	_ = syscall.Kill(-pid, syscall.SIGKILL)
}
