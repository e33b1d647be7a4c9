package doctor

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// What a fleet needs. A hundred phones, each with a call, is the size below
// which a limit is worth a word.
const (
	fleet         = 100
	filesEach     = 8  // of the supervisor, for one worker: pipes, socket, process
	filesBeside   = 64 // of the supervisor, for itself
	threadsEach   = 12 // a worker's, and its tcpdump
	threadsBeside = 40 // the supervisor's
	portsEach     = 3  // SIP, RTP, RTCP
	spaceNeeded   = 100 << 20
)

func judgeOpenFiles(limit uint64) Finding {
	const name, need = "open files", filesBeside + fleet*filesEach
	if limit == unix.RLIM_INFINITY {
		return good(name, "no limit")
	}
	found := fmt.Sprintf("%d for a process, enough for about %d phones", limit, above(limit, filesBeside)/filesEach)
	if limit < need {
		return bad(name, found, fmt.Sprintf("raise it to %d or more: ulimit -n, LimitNOFILE= of systemd, or --ulimit nofile= of the container", need))
	}
	return good(name, found)
}

func judgeProcesses(limit uint64) Finding {
	const name, need = "processes", threadsBeside + fleet*threadsEach
	if limit == unix.RLIM_INFINITY {
		return good(name, "no limit")
	}
	found := fmt.Sprintf("%d threads, enough for about %d phones", limit, above(limit, threadsBeside)/threadsEach)
	if limit < need {
		return bad(name, found, fmt.Sprintf("raise it to %d or more: ulimit -u, TasksMax= of systemd, or --pids-limit of the container", need))
	}
	return good(name, found)
}

func above(limit, base uint64) uint64 {
	return limit - min(limit, base)
}

// judgePorts takes the range that the kernel gives free ports from, and
// whether 5060 is free for the embedded PBX.
func judgePorts(low, high int, pbx bool) Finding {
	const name = "ports"
	n := high - low + 1
	found := fmt.Sprintf("%d free to choose from (%d to %d), enough for about %d phones in a call", n, low, high, n/portsEach)
	if !pbx {
		found += "; 5060 is taken, which only --pbx would mind: give it another address"
	}
	if n < fleet*portsEach {
		return bad(name, found, "widen net.ipv4.ip_local_port_range (sysctl)")
	}
	return good(name, found)
}

func judgeSpace(name, path string, free uint64) Finding {
	found := fmt.Sprintf("%s can be written to, %d MB free", path, free>>20)
	if free < spaceNeeded {
		return bad(name, found, "make room: a minute of a call's recording takes 1 MB, of its capture 3 MB")
	}
	return good(name, found)
}
