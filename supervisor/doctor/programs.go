package doctor

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"strings"
	"time"

	"ringmaster/supervisor/phoneproc"
)

// How long a program may take to show that it works.
const (
	startLimit   = 5 * time.Second
	captureLimit = 3 * time.Second
)

// worker starts a worker as the server would, and ends it.
func (s Subject) worker(ctx context.Context) []Finding {
	starter, err := phoneproc.New(phoneproc.Options{
		Path: s.Worker, Args: s.WorkerArgs, Version: s.Version, Environ: s.Environ, TempDir: s.TempDir, StartTimeout: startLimit,
	})
	if err != nil {
		return []Finding{bad("temporary folder", err.Error(), "set TMPDIR to the short path of a folder that can be written to, such as /tmp")}
	}
	defer starter.Close()
	temp := good("temporary folder", s.TempDir)
	w, err := starter.Start(ctx, "doctor")
	if err != nil {
		advice := "install supervisor and phoneworker of the same build side by side, or say where the worker is with --worker"
		if errors.Is(err, fs.ErrPermission) {
			advice = "make it executable: chmod +x " + s.Worker
		}
		return []Finding{temp, bad("worker program", cmp.Or(errors.Unwrap(err), err).Error(), advice)} // it begins by naming a phone
	}
	w.Kill()
	return []Finding{temp, good("worker program", fmt.Sprintf("%s starts and is version %s, as this program", s.Worker, s.Version))}
}

// tcpdump tries to capture as a phone does. The header of a capture comes out
// of it as soon as it has been let at the interfaces.
func (s Subject) tcpdump(ctx context.Context) Finding {
	const name = "tcpdump"
	path, err := exec.LookPath(cmp.Or(s.Tcpdump, "tcpdump"))
	if err != nil {
		return bad(name, "it is not there"+ownOnly, "install tcpdump where it is on the PATH")
	}
	ctx, cancel := context.WithTimeout(ctx, captureLimit)
	defer cancel()
	capture := exec.CommandContext(ctx, path, "-i", "any", "-U", "-w", "-", "udp")
	var said bytes.Buffer
	capture.Stderr = &said
	out, err := capture.StdoutPipe()
	if err == nil {
		err = capture.Start()
	}
	if err != nil {
		return bad(name, fmt.Sprintf("%s cannot be run: %v", path, err), "install tcpdump anew")
	}
	_, err = io.ReadFull(out, make([]byte, pcapHeader))
	cancel()
	_ = capture.Wait() // it was killed, or has said why on stderr
	if err != nil {
		reason := cmp.Or(firstLine(said.String()), err.Error())
		if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			reason = fmt.Sprintf("it does not begin within %v", captureLimit)
		}
		return bad(name, fmt.Sprintf("%s may not capture (%s)", path, reason)+ownOnly,
			"run the server as root, or: setcap cap_net_raw,cap_net_admin=eip "+path)
	}
	return good(name, path+" captures")
}

// ownOnly is what a machine without tcpdump's help is like.
const ownOnly = ": phones work, and a capture holds what the phone itself sends and receives, but nothing else of this machine"

// pcapHeader is the length of a capture file's header.
const pcapHeader = 24

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return fmt.Sprintf("%.200s", line)
}
