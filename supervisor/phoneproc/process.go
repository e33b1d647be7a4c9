package phoneproc

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"time"
)

// drainTime bounds the wait for the last of a dead process's output.
const drainTime = 50 * time.Millisecond

// process is one worker's process, as go-plugin wants it (runner.Runner).
// Unlike go-plugin's own it waits for the process, not for its pipes, and it
// takes the whole process group down with it.
type process struct {
	cmd     *exec.Cmd
	spawner *spawner

	mu     sync.Mutex
	alive  bool // started
	killed bool

	stdout  *output
	stderr  *output
	tail    tail          // of stderr
	ended   chan struct{} // closed when the process has ended, before its number is free
	done    chan struct{} // closed when it is reaped and its group killed
	exit    Exit          // valid after done
	waitErr error         // likewise
}

func newProcess(cmd *exec.Cmd, s *spawner) *process {
	return &process{cmd: cmd, spawner: s, ended: make(chan struct{}), done: make(chan struct{})}
}

func (p *process) Start(context.Context) error {
	stdout, stdoutW, err := os.Pipe()
	if err != nil {
		return err
	}
	defer stdoutW.Close()
	stderr, stderrW, err := os.Pipe()
	if err != nil {
		stdout.Close()
		return err
	}
	defer stderrW.Close()

	p.stdout = newOutput(stdout, func([]byte) {})
	p.stderr = newOutput(stderr, p.tail.write)
	p.cmd.Stdout, p.cmd.Stderr = stdoutW, stderrW
	p.cmd.SysProcAttr = processAttributes()
	if err := p.spawn(); err != nil {
		stdout.Close()
		stderr.Close()
		return err
	}
	go p.reap()
	return nil
}

func (p *process) spawn() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.killed {
		return errors.New("it was stopped before it began")
	}
	err := p.spawner.start(p.cmd)
	p.alive = err == nil
	return err
}

// reap waits for the process to end and takes its group down while the dead
// leader still keeps the group's number from being given to another.
func (p *process) reap() {
	awaitExit(p.cmd.Process.Pid)
	killGroup(p.cmd.Process.Pid)
	close(p.ended)
	p.waitErr = p.cmd.Wait()

	deadline := time.Now().Add(drainTime)
	p.stderr.drain(deadline)
	p.stdout.drain(deadline)
	p.exit = Exit{Status: p.cmd.ProcessState.String(), Stderr: p.tail.snapshot()}
	close(p.done)
}

// kill takes the process and its children down without asking. A process that
// is not yet started will not be.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.killed = true
	if p.alive && !p.hasEnded() {
		killGroup(p.cmd.Process.Pid)
	}
}

func (p *process) started() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.alive
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}
