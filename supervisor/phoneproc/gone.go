package phoneproc

import (
	"errors"
	"fmt"
	"strings"

	"ringmaster/proto/phone"
)

// ErrWorkerGone says that the phone's process cannot be reached any more and
// never will be: it exited, crashed, was killed, or closed its connection (and
// was killed for that). What the command in question did before is not known.
// Every such error is also a *phone.Error of kind Gone, whose sentence has the
// exit status and the last line of standard error. It is made only here.
var ErrWorkerGone = errors.New("the worker process is gone")

// Exit says how a worker ended.
type Exit struct {
	Status string   // "exit status 2", "signal: killed"
	Stderr []string // the last lines of its standard error, oldest first; from a panic on, the first ones
}

func (e Exit) String() string {
	if len(e.Stderr) == 0 {
		return e.Status
	}
	return fmt.Sprintf("%s; its last words: %s", e.Status, lastWords(e.Stderr))
}

// lastWords picks the one line that says most: a panic's first, else the last.
func lastWords(lines []string) string {
	if isPanic(lines[0]) {
		return lines[0]
	}
	return lines[len(lines)-1]
}

func isPanic(line string) bool {
	return strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")
}

type goneError struct{ err *phone.Error }

func (e goneError) Error() string { return e.err.Sentence }

func (goneError) Is(target error) bool { return target == ErrWorkerGone }

func (e goneError) Unwrap() error { return e.err }

func gone(id phone.ID, e Exit) error {
	return goneError{phone.Errorf(phone.Gone, "the worker process of phone %q is gone (%s)", id, e)}
}
