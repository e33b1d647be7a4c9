package phone

import "fmt"

// ErrorKind says whose fault a failed command is, so that a caller can decide
// without reading the sentence.
type ErrorKind int

// The kinds of error.
const (
	Internal     ErrorKind = iota // a defect, or the machine failed us
	Invalid                       // the command itself is wrong; nothing was changed
	NotFound                      // no such call
	Precondition                  // the call or phone is not in a state for this
	Refused                       // the far end said no; Status holds its answer
	Unreachable                   // nobody answered, or no way to send
	Exhausted                     // a bound was reached
	Gone                          // the worker is gone; see phoneproc.ErrWorkerGone
)

var kindNames = [...]string{"internal", "invalid", "not found", "precondition", "refused", "unreachable", "exhausted", "gone"}

func (k ErrorKind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("ErrorKind(%d)", int(k))
	}
	return kindNames[k]
}

// Error is a command's failure as one clear sentence that names the phone,
// the call, what was asked, and what the far end answered.
type Error struct {
	Kind     ErrorKind
	Sentence string
	Status   int // SIP status of a refusal; 0 otherwise
}

func (e *Error) Error() string { return e.Sentence }

// Errorf makes an Error of the given kind.
func Errorf(kind ErrorKind, format string, args ...any) *Error {
	return &Error{Kind: kind, Sentence: fmt.Sprintf(format, args...)}
}
