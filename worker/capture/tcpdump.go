package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Every packet is handed over at once (--immediate-mode), or the last second
// of a call would still be in the kernel when tcpdump is told to end. The
// kernel's ring then has a slot of the snapshot's length for every packet:
// 8,000 bytes in 8 MiB make 1,024 of them, where tcpdump's defaults make eight.
const (
	snapshot  = "8000"
	ringKiB   = "8192"
	chunkSize = 64 << 10
)

// killAfter is how long tcpdump may take to end when it is told to.
const killAfter = time.Second

// tcpdump is one running tcpdump. It writes to a pipe that this process reads:
// so it dies with this process, at the next packet it sees.
type tcpdump struct {
	cmd    *exec.Cmd
	chunks chan []byte   // what it writes; closed when it has ended
	free   chan struct{} // the chunk that was received last may be overwritten
	errors tail          // read it when chunks is closed
}

// findTcpdump looks where a shell would, and where administrators' programs
// lie, which other users often do not have on their PATH.
func findTcpdump() (string, error) {
	for _, name := range []string{"tcpdump", "/usr/sbin/tcpdump", "/sbin/tcpdump"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("tcpdump is not installed")
}

func startTcpdump(program string) (*tcpdump, error) {
	if program == "" {
		var err error
		if program, err = findTcpdump(); err != nil {
			return nil, err
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	t := &tcpdump{chunks: make(chan []byte), free: make(chan struct{})}
	// Its own stdin and stderr: one that held ours would delay the noticing
	// of this process's death.
	t.cmd = exec.Command(program, "-i", "any", "-n", "-w", "-", "-U", "--immediate-mode", "-s", snapshot, "-B", ringKiB, "udp")
	t.cmd.Stdout, t.cmd.Stderr = w, &t.errors
	t.cmd.WaitDelay = killAfter // for whoever else may hold its stderr
	err = t.cmd.Start()
	_ = w.Close()
	if err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("tcpdump cannot be started: %w", err)
	}
	go t.read(r)
	return t, nil
}

// read hands on what tcpdump writes until it has ended.
func (t *tcpdump) read(r *os.File) {
	buffer := make([]byte, chunkSize)
	for {
		n, err := r.Read(buffer)
		if n > 0 {
			t.chunks <- buffer[:n]
			<-t.free
		}
		if err != nil {
			break
		}
	}
	_ = r.Close()
	_ = t.cmd.Wait() // how it ended, its stderr says better
	close(t.chunks)
}

// end tells tcpdump to end: what it has seen still comes.
func (t *tcpdump) end() { _ = t.cmd.Process.Signal(syscall.SIGTERM) }

// kill ends it at once.
func (t *tcpdump) kill() { _ = t.cmd.Process.Kill() }

// discard kills it and waits until it has ended.
func (t *tcpdump) discard() {
	t.kill()
	for range t.chunks {
		t.free <- struct{}{}
	}
}

// complaint is the last thing that tcpdump said, which is why it ended.
func (t *tcpdump) complaint() string {
	lines := strings.Split(strings.TrimSpace(t.errors.String()), "\n")
	return strings.TrimPrefix(lines[len(lines)-1], "tcpdump: ")
}

// droppedByKernel reads the count that tcpdump gives at its end.
func droppedByKernel(said string) int64 {
	for line := range strings.Lines(said) {
		if count, ok := strings.CutSuffix(strings.TrimSpace(line), " packets dropped by kernel"); ok {
			n, err := strconv.ParseInt(count, 10, 64)
			if err == nil {
				return n
			}
		}
	}
	return 0
}

// tail keeps the end of what is written to it.
type tail struct{ bytes.Buffer }

const tailBound = 4096

var _ io.Writer = (*tail)(nil)

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	n, err := t.Buffer.Write(p)
	if over := t.Len() - tailBound; over > 0 {
		t.Next(over)
	}
	return n, err
}
