package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"ringmaster/config"
)

// folder looks whether phones could write below a path, which need not be
// there yet.
func folder(name, path string) Finding {
	there := path
	info, err := os.Stat(there)
	for errors.Is(err, fs.ErrNotExist) && there != filepath.Dir(there) {
		there = filepath.Dir(there)
		info, err = os.Stat(there)
	}
	advice := fmt.Sprintf("make %s a folder that this user may write to, or choose another with --%s-dir", path, name)
	switch {
	case err != nil:
		return bad(name, err.Error(), advice)
	case !info.IsDir():
		return bad(name, there+" is not a folder", advice)
	case !config.Usable(there):
		return bad(name, missing(path, there)+there+" cannot be written to", advice)
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(there, &disk); err != nil {
		return bad(name, fmt.Sprintf("%s: %v", there, err), advice)
	}
	return judgeSpace(name, path, disk.Bavail*uint64(disk.Bsize)) //nolint:gosec,unconvert,nolintlint // the type of Bsize differs between platforms
}

// missing begins the sentence about a folder above one that is not there.
func missing(path, there string) string {
	if path == there {
		return ""
	}
	return path + " is not there, and "
}

// ports looks whether sockets can be had, and how many.
func ports() Finding {
	const name = "ports"
	for _, network := range []string{"udp", "udp4"} {
		s, err := net.ListenPacket(network, ":0")
		if err != nil {
			return bad(name, fmt.Sprintf("no %s socket can be opened: %v", network, err), "let this user open sockets: look at firewalls, containers and security modules")
		}
		s.Close()
	}
	pbx := true
	if s, err := net.ListenPacket("udp", ":5060"); err == nil {
		s.Close()
	} else {
		pbx = false
	}
	low, high := 32768, 60999 // ip(7), where the kernel does not say
	if raw, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		if _, err := fmt.Sscan(string(raw), &low, &high); err != nil {
			return bad(name, "the range of free ports cannot be read", "look at net.ipv4.ip_local_port_range (sysctl)")
		}
	}
	return judgePorts(low, high, pbx)
}

// openFiles is the limit that a worker would have; Go raises the soft limit of
// its own process to the hard one.
func openFiles() Finding {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return bad("open files", err.Error(), "look at ulimit -n")
	}
	return judgeOpenFiles(limit.Cur)
}

// processes is the smaller of the user's and the container's limit.
func processes() Finding {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &limit); err != nil {
		return bad("processes", err.Error(), "look at ulimit -u")
	}
	return judgeProcesses(min(limit.Cur, cgroupLimit()))
}

// cgroupLimit is how many threads this process's control group may have
// (cgroups(7), version 2); no limit where that is not known.
func cgroupLimit() uint64 {
	const none = unix.RLIM_INFINITY
	raw, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return none
	}
	_, path, found := strings.Cut(strings.TrimSpace(string(raw)), "::")
	if !found {
		return none
	}
	raw, err = os.ReadFile(filepath.Join("/sys/fs/cgroup", path, "pids.max"))
	if err != nil {
		return none
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(raw)), 10, 64)
	if err != nil { // "max"
		return none
	}
	return n
}
