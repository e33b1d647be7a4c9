// Package console is a phone at a prompt: commands in the words of the phone's
// tools go in, answers and events come out, a line each.
//
//	console.go   from the first line to the last
//	screen.go    where lines come from and go to: a terminal, or pipes
//	words.go     a line cut into words, the words fitted to a command
//	command.go   the commands
//	complete.go  what the tab key adds
//	answer.go    what a command answers
//	print.go     how answers, events and SIP messages look
//	recent.go    events that a script waits for
package console

import (
	"context"
	"fmt"
	"strings"
	"time"

	"ringmaster/proto/phone"
)

// linesAhead is how many commands may wait for the one under way; further ones
// wait in the terminal or pipe.
const linesAhead = 16

// Options say what stands at the prompt.
type Options struct {
	// Phone is a configured phone; Run shuts it down.
	Phone phone.Phone
	ID    phone.ID
	// Screen is where lines come from and go to. Run does not close it.
	Screen *Screen
	// JSON prints an object a line instead of text.
	JSON bool
	// SIP prints every SIP message; the command sip switches it.
	SIP bool
	// LeaveWithin bounds the phone's leave-taking at the end.
	LeaveWithin time.Duration
}

// console is one run.
type console struct {
	phone  phone.Phone
	id     phone.ID
	out    printer
	recent recent
	table  []command
}

// Run obeys the lines of the screen until they end, a line says quit, or ctx
// ends; then the phone leaves in order, its calls ended and its registration
// removed. At a terminal the end of input (Ctrl-D, Ctrl-C) ends the command
// under way as well; from a pipe, every line is obeyed first.
//
// failed is how many commands did not do what they were asked. The error says
// that the phone could not leave in order.
func Run(ctx context.Context, o Options) (failed int, err error) {
	c := &console{phone: o.Phone, id: o.ID, out: newPrinter(o.Screen, o.JSON, o.SIP), table: commands()}
	o.Screen.complete(c.table)
	watched := make(chan error, 1)
	go func() { watched <- c.phone.Watch(context.WithoutCancel(ctx), 0, c.take) }()

	running, stop := context.WithCancel(ctx)
	defer stop()
	lines := make(chan string, linesAhead)
	go func() {
		defer close(lines)
		read(running, o.Screen, lines)
		if o.Screen.Interactive() {
			stop()
		}
	}()
	failed = c.obey(running, lines)
	stop()

	leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.LeaveWithin)
	defer cancel()
	if err := c.phone.Shutdown(leave, phone.Shutdown{HangupCalls: true}); err != nil {
		return failed, fmt.Errorf("phone %q did not leave in order: %w", c.id, err)
	}
	return failed, <-watched
}

// read passes lines on until they end or ctx does. Blocked in reading it ends
// with its input, which may be no sooner than the process.
func read(ctx context.Context, s *Screen, lines chan<- string) {
	for {
		line, err := s.ReadLine()
		if err != nil {
			return
		}
		select {
		case lines <- line:
		case <-ctx.Done():
			return
		}
	}
}

// obey does what the lines say, one after the other.
func (c *console) obey(ctx context.Context, lines <-chan string) (failed int) {
	for {
		var line string
		var more bool
		select {
		case line, more = <-lines:
		case <-ctx.Done():
		}
		if !more || ctx.Err() != nil {
			return failed
		}
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		name, a, err := c.do(ctx, line)
		if err != nil {
			failed++
			c.out.failure(name, err)
			continue
		}
		c.out.answer(name, a)
		if a.last {
			return failed
		}
	}
}

// do obeys one line; name is the command's whole name, or what stood for it.
func (c *console) do(ctx context.Context, line string) (name string, a answer, err error) {
	words, err := split(line)
	if err != nil {
		return line, answer{}, err
	}
	cmd, err := find(c.table, words[0])
	if err != nil {
		return words[0], answer{}, err
	}
	args, err := cmd.fit(words[1:])
	if err != nil {
		return cmd.name, answer{}, err
	}
	a, err = cmd.run(ctx, c, args)
	return cmd.name, a, err
}

// perform sends a command to the phone and answers with its outcome.
func (c *console) perform(ctx context.Context, cmd phone.Command) (answer, error) {
	o, err := c.phone.Do(ctx, cmd)
	if err != nil {
		return answer{}, err
	}
	c.recent.look(o.Cursor)
	return outcome(o), nil
}

// take prints an entry of the phone's journal. It runs on the watching
// goroutine, and an output that is not read holds it up: the phone then refuses
// commands rather than lose an event.
func (c *console) take(e phone.Entry) error {
	c.recent.add(e)
	c.out.entry(e)
	return nil
}
