// Package live shows a run on a terminal while it goes on: the lines of its
// timeline as they come, and under them a block that is always up to date –
// how long it runs, and where each phone is.
//
//	   +0.204s  a     call.state.confirmed      call 0    200 OK
//	   +0.305s  a   ► send_dtmf                 call 0    digits=1234#
//
//	running basic-call-dtmf   1 of 3   4.2 s
//	  a  call 0     CONFIRMED   +0.204s
//	  b  call 1000  CONFIRMED   +0.201s
package live

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/report"
	"ringmaster/scenario/timeline"
)

// every is how often the block is written anew when nothing happens.
const every = 200 * time.Millisecond

// Size is that of a terminal, in characters.
type Size struct{ Columns, Rows int }

// Options are what a View needs of the world.
type Options struct {
	Out   io.Writer
	Style report.Style
	Now   func() time.Time
	// Size is asked before every drawing, since people resize terminals. What
	// it gives for not known, 0, is taken as 80 and 24.
	Size func() Size
}

// View shows one run after another. Begin and End stand in pairs; Entry is for
// between them.
type View struct {
	o Options

	mu    sync.Mutex
	block block
	drawn int // lines of the block that stand on the screen
	err   error

	stop    chan struct{}
	stopped sync.WaitGroup
}

// New makes a view.
func New(o Options) *View { return &View{o: o} }

// Begin shows that a run begins.
func (v *View) Begin(title string, phones []phone.ID) {
	v.mu.Lock()
	v.block = newBlock(title, phones, v.o.Now())
	v.draw("")
	v.mu.Unlock()
	v.stop = make(chan struct{})
	v.stopped.Go(func() { v.tick(v.stop) })
}

func (v *View) tick(stop <-chan struct{}) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			v.mu.Lock()
			v.draw("")
			v.mu.Unlock()
		case <-stop:
			return
		}
	}
}

// Entry shows the next entry of the timeline.
func (v *View) Entry(e timeline.Entry) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.block.follow(e)
	v.draw(v.o.Style.Line(e) + "\n")
}

// End takes the block away. Its error is the first that writing met.
func (v *View) End() error {
	close(v.stop)
	v.stopped.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.write(v.erase())
	v.drawn = 0
	return v.err
}

// draw puts lines above the block, and the block as it is now. One write does
// it all, so that nothing flickers.
func (v *View) draw(lines string) {
	size := v.size()
	block := v.block.lines(v.o.Now(), size)
	var b strings.Builder
	b.WriteString(v.erase() + lines)
	for i, line := range block {
		if v.o.Style.Colour && i == 0 {
			line = "\x1b[1m" + line + "\x1b[0m"
		}
		b.WriteString(line + "\n")
	}
	v.drawn = len(block)
	v.write(b.String())
}

// erase goes back to the first line of the block and clears to the end of the
// screen (ECMA-48: CUU, ED).
func (v *View) erase() string {
	if v.drawn == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r\x1b[J", v.drawn)
}

func (v *View) write(text string) {
	if _, err := io.WriteString(v.o.Out, text); err != nil && v.err == nil {
		v.err = err
	}
}

func (v *View) size() Size {
	s := v.o.Size()
	if s.Columns <= 0 {
		s.Columns = 80
	}
	if s.Rows <= 0 {
		s.Rows = 24
	}
	return s
}
