package phoneproc

import (
	"os"
	"sync"
	"time"
)

// output is the reading end of one of a worker's output pipes. go-plugin reads
// it; here we see what it reads, and that it has read everything.
type output struct {
	*os.File
	seen func([]byte)
	once sync.Once
	end  chan struct{} // closed when nothing more will be read
}

func newOutput(f *os.File, seen func([]byte)) *output {
	return &output{File: f, seen: seen, end: make(chan struct{})}
}

func (o *output) Read(p []byte) (int, error) {
	n, err := o.File.Read(p)
	o.seen(p[:n])
	if err != nil {
		o.once.Do(func() { close(o.end) })
	}
	return n, err
}

// drain gives the reader until the deadline to read what is left, then closes
// the pipe. The pipe of a dead process ends at once, unless a grandchild that
// left the process group holds it open; and the reader comes back at once,
// unless who runs this server does not read its log.
func (o *output) drain(deadline time.Time) {
	_ = o.SetReadDeadline(deadline)
	limit := time.NewTimer(time.Until(deadline))
	defer limit.Stop()
	select {
	case <-o.end:
	case <-limit.C:
	}
	o.Close()
}
