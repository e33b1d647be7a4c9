package phoneproc

import (
	"os/exec"
	"runtime"
)

// spawner starts processes from one thread that lives as long as it does. The
// signal that a worker gets when its parent dies follows the thread that
// created it, not the process (golang/go#27505): from any goroutine's thread
// it could come at any time.
type spawner struct {
	requests chan spawnRequest
	quit     chan struct{}
	done     chan struct{}
}

type spawnRequest struct {
	cmd   *exec.Cmd
	reply chan error // buffered for one
}

func newSpawner() *spawner {
	s := &spawner{requests: make(chan spawnRequest), quit: make(chan struct{}), done: make(chan struct{})}
	go s.run()
	return s
}

func (s *spawner) run() {
	defer close(s.done)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread() // else the thread would end, and its children with it
	for {
		select {
		case r := <-s.requests:
			r.reply <- r.cmd.Start()
		case <-s.quit:
			return
		}
	}
}

// start is cmd.Start, on the thread.
func (s *spawner) start(cmd *exec.Cmd) error {
	r := spawnRequest{cmd: cmd, reply: make(chan error, 1)}
	select {
	case s.requests <- r:
		return <-r.reply
	case <-s.done:
		return errClosed
	}
}

// close ends the thread's service; once only.
func (s *spawner) close() {
	close(s.quit)
	<-s.done
}
