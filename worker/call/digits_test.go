package call

import (
	"strings"
	"testing"

	"ringmaster/worker/dtmf"
)

// line is the far end of an infoQueue: it says what was sent, and answers when
// the test wants.
type line struct {
	sent string
	todo []func()
}

func (l *line) queue() *infoQueue {
	return &infoQueue{
		send: func(digit byte, answered func()) {
			l.sent += string(rune(digit))
			l.todo = append(l.todo, answered)
		},
		pause: func(over func()) {
			l.sent += string(dtmf.Pause)
			l.todo = append(l.todo, over)
		},
	}
}

// answer lets what is under way be over.
func (l *line) answer() {
	todo := l.todo
	l.todo = nil
	for _, f := range todo {
		f()
	}
}

func TestInfoGoesOneByOneAndInOrder(t *testing.T) {
	l := &line{}
	q := l.queue()
	for _, digits := range []string{"1,2", "34"} {
		if err := q.push(digits); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{"1", "1,", "1,2", "1,23", "1,234", "1,234"} {
		if l.sent != want || len(l.todo) > 1 {
			t.Errorf("after %d answers %q was sent, want %q; %d under way", i, l.sent, want, len(l.todo))
		}
		l.answer()
	}
	if q.busy {
		t.Error("it is busy with nothing")
	}
	if err := q.push("5"); err != nil || l.sent != "1,2345" {
		t.Errorf("later: %q, %v", l.sent, err)
	}
}

func TestInfoEndsWithTheCall(t *testing.T) {
	l := &line{}
	q := l.queue()
	if err := q.push("123"); err != nil {
		t.Fatal(err)
	}
	q.drop()
	l.answer()
	if l.sent != "1" || q.busy {
		t.Errorf("%q was sent, busy %v", l.sent, q.busy)
	}
}

func TestInfoIsBounded(t *testing.T) {
	l := &line{}
	q := l.queue()
	for range mostWaiting / 100 {
		if err := q.push(strings.Repeat("1", 100)); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.push("22"); err == nil || !strings.Contains(err.Error(), "1599 digits are waiting") {
		t.Error(err)
	}
}
