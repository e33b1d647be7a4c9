package capture

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Capture is one capture. Its methods may be called from any goroutine and do
// not wait.
type Capture struct {
	owner   *Captures
	reports Reports
	feed    *feed

	orders chan order         // capacity 1: there is one Open
	later  chan time.Duration // capacity 1: there is one lingering end
	now    chan struct{}      // closed to end at once

	opening, lingering, ending sync.Once
}

// order is what Open asks for.
type order struct {
	path  string
	since time.Time
}

// Open lets the capture write, from now on, into a new file at path, whose
// folder is made. Only the first call counts.
func (p *Capture) Open(path string) {
	p.opening.Do(func() { p.orders <- order{path, time.Now()} })
}

// Stop ends the capture: at once, or after linger, so that what belongs to the
// end is in it.
func (p *Capture) Stop(linger time.Duration) {
	if linger > 0 {
		p.lingering.Do(func() { p.later <- linger })
		return
	}
	p.ending.Do(func() { close(p.now) })
}

// startLimit is how long tcpdump may take to begin. Some 20 ms are usual.
const startLimit = 2 * time.Second

// pump is what the capture's goroutine knows.
type pump struct {
	*Capture
	dump   *tcpdump // nil when there is none, or none any more
	mode   Mode
	why    string // the mode is Own
	split  splitter
	filter *filter // of tcpdump's records
	frames *framer

	want   *order
	file   *os.File
	batch  []byte // records to be written
	result Result

	ending bool             // tcpdump has been told to end
	kill   <-chan time.Time // when to wait for it no longer
	over   bool
	failed bool
}

// run is the capture's goroutine.
func (p *Capture) run() {
	u := &pump{Capture: p}
	begun := time.NewTimer(startLimit)
	defer begun.Stop()
	var err error
	if u.dump, err = startTcpdump(p.owner.cfg.Program); err != nil {
		u.useOwn(err.Error())
	}
	var linger <-chan time.Time
	stop := p.now
	for !u.over {
		var chunks <-chan []byte
		if u.dump != nil {
			chunks = u.dump.chunks
		}
		select {
		case chunk, more := <-chunks:
			u.tcpdumpWrote(chunk, more)
		case <-p.feed.wake:
			u.drain()
		case o := <-p.orders:
			u.take(o)
		case d := <-p.later:
			linger = time.After(d)
		case <-linger:
			u.end()
		case <-stop:
			stop = nil
			u.end()
		case <-u.kill:
			u.dump.kill()
		case <-begun.C:
			u.tooLate()
		}
	}
	u.close()
}

func (u *pump) take(o order) {
	u.want = &o
	u.open()
}

// takeOrder sees to it that an Open comes before the packets that came after
// it.
func (u *pump) takeOrder() {
	select {
	case o := <-u.orders:
		u.take(o)
	default:
	}
}

// tcpdumpWrote takes the next piece of what tcpdump writes, or its end.
func (u *pump) tcpdumpWrote(chunk []byte, more bool) {
	if !more {
		said := u.dump.complaint()
		u.result.Dropped = droppedByKernel(u.dump.errors.String())
		u.dump = nil
		switch {
		case u.mode == Undecided && u.ending:
			u.useOwn("tcpdump had not begun yet")
			u.over = true
		case u.mode == Undecided:
			u.useOwn("tcpdump cannot capture here: " + said)
		case u.ending:
			u.over = true
		default:
			u.fail(fmt.Errorf("tcpdump has ended, and the capture with it: %s", said))
		}
		return
	}
	u.takeOrder()
	err := u.split.add(chunk, u.keepSeen)
	u.dump.free <- struct{}{}
	if err != nil {
		u.fail(err)
		return
	}
	if u.mode == Undecided && u.split.header != nil {
		u.mode = Tcpdump
		u.owner.taps.detach(u.feed)
		u.open()
	}
	u.flush()
}

// useOwn writes the phone's own datagrams, those too that have been waiting
// since tcpdump was asked.
func (u *pump) useOwn(why string) {
	u.mode, u.why, u.frames = Own, why, newFramer()
	u.open()
	u.drain()
}

func (u *pump) tooLate() {
	if u.mode == Undecided {
		u.dump.discard()
		u.dump = nil
		u.useOwn(fmt.Sprintf("tcpdump did not begin within %v", startLimit))
	}
}

// drain takes all datagrams that wait.
func (u *pump) drain() {
	if u.mode != Own {
		return
	}
	u.takeOrder()
	var err error
	for u.feed.pop(func(d *datagram) {
		record, bad := u.frames.record(d)
		if bad != nil {
			err = bad // cannot be: the socket has taken it
			return
		}
		u.keep(d.at, record)
	}) {
		if len(u.batch) > chunkSize {
			u.flush()
		}
	}
	if err != nil {
		u.fail(fmt.Errorf("a packet cannot be written: %w", err))
	}
	u.flush()
}

// keepSeen puts one of tcpdump's records aside, if it is wanted.
func (u *pump) keepSeen(at time.Time, record []byte) {
	if u.filter == nil { // the stream's header came in the same piece
		u.filter = newFilter(&u.owner.ports, u.split.link())
	}
	if !u.owner.ownOnly.Load() || u.filter.keeps(at, record[recordHeader:]) {
		u.keep(at, record)
	}
}

// keep puts a record aside for flush, unless it is from before Open.
func (u *pump) keep(at time.Time, record []byte) {
	if u.want != nil && !at.Before(u.want.since.Truncate(time.Microsecond)) {
		u.batch = append(u.batch, record...)
	}
}

// open makes the file once it is known what it begins with.
func (u *pump) open() {
	if u.want == nil || u.mode == Undecided || u.file != nil || u.over {
		return
	}
	header, err := u.split.header, error(nil)
	if u.mode == Own {
		header, err = u.frames.header()
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(u.want.path), 0o755)
	}
	if err == nil {
		u.file, err = os.OpenFile(u.want.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	}
	if err == nil {
		u.result.Path = u.want.path
		err = u.write(header)
	}
	if err != nil {
		u.fail(fmt.Errorf("the capture cannot be written: %w", err))
		return
	}
	u.reports.Opened(u.mode, u.why)
}

// flush writes what was kept, in one piece.
func (u *pump) flush() {
	if len(u.batch) == 0 || u.file == nil || u.over {
		return
	}
	err := u.write(u.batch)
	u.batch = u.batch[:0]
	if err != nil {
		u.fail(fmt.Errorf("the capture %q ends early: %w", u.result.Path, err))
	}
}

// write writes whole records. After a failure in the middle of one the file
// is cut to those that are whole.
func (u *pump) write(data []byte) error {
	_, err := u.file.Write(data)
	if err != nil {
		return errors.Join(err, u.file.Truncate(u.result.Bytes))
	}
	u.result.Bytes += int64(len(data))
	return nil
}

// end finishes what has been seen: with tcpdump, when that has ended.
func (u *pump) end() {
	if u.ending {
		return
	}
	u.ending = true
	u.takeOrder()
	if u.dump == nil {
		u.drain()
		u.over = true
		return
	}
	u.dump.end()
	u.kill = time.After(killAfter)
}

func (u *pump) fail(err error) {
	if !u.failed {
		u.failed, u.over = true, true
		u.reports.Failed(err)
	}
}

func (u *pump) close() {
	u.owner.taps.detach(u.feed)
	if u.dump != nil {
		u.dump.discard()
	}
	u.result.Mode = u.mode
	if u.mode == Own {
		u.result.Dropped = u.feed.dropped.Load()
	}
	if u.file != nil {
		if err := u.file.Close(); err != nil {
			u.fail(fmt.Errorf("the capture %q was not closed well: %w", u.result.Path, err))
		}
	}
	u.reports.Closed(u.result)
}
