package phoneproc

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"ringmaster/proto/phonewire"
)

// lockName is the file in a folder for sockets that the folder's owner keeps
// locked for as long as it lives. The kernel drops the lock of a process that
// is killed, so that others know the folder for left behind.
const lockName = phonewire.LockName

// makeDir makes a folder for sockets (mode 0700) below temp, "" being
// os.TempDir, and locks it: closing lock gives it up.
func makeDir(temp string) (dir string, lock *os.File, err error) {
	if dir, err = os.MkdirTemp(temp, "rm-"); err != nil {
		return "", nil, err
	}
	// The file gets its name once it is locked: nobody finds it unlocked
	// before that.
	begun := filepath.Join(dir, "lock")
	if lock, err = os.OpenFile(begun, os.O_CREATE|os.O_RDWR, 0o600); err == nil {
		if err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
			err = os.Rename(begun, filepath.Join(dir, lockName))
		}
	}
	if err != nil {
		if lock != nil {
			_ = lock.Close()
		}
		_ = os.RemoveAll(dir)
		return "", nil, err
	}
	return dir, lock, nil
}

// sweep removes the folders that this user's supervisors left behind below temp
// when they were killed. What cannot be looked at stays.
func sweep(temp string) {
	if temp == "" {
		temp = os.TempDir()
	}
	entries, err := os.ReadDir(temp)
	if err != nil {
		return
	}
	for _, e := range entries {
		dir := filepath.Join(temp, e.Name())
		if !e.IsDir() || !strings.HasPrefix(e.Name(), "rm-") {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue
		}
		if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Getuid() {
			continue
		}
		if leftBehind(dir) {
			_ = os.RemoveAll(dir) // the next start tries again
		}
	}
}

// leftBehind reports that a folder is one of ours whose owner is dead.
func leftBehind(dir string) bool {
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer lock.Close()
	return unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}
