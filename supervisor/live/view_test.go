package live

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"ringmaster/proto/phone"
	"ringmaster/scenario/timeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// screen is a terminal that knows what the view uses: line feeds, CUU, CR, ED
// and SGR.
type screen struct {
	t     *testing.T
	lines []string
	row   int
}

func (s *screen) Write(p []byte) (int, error) {
	for rest := string(p); rest != ""; {
		var up int
		switch {
		case strings.HasPrefix(rest, "\x1b[J"):
			s.lines = s.lines[:s.row]
			rest = rest[3:]
		case strings.HasPrefix(rest, "\x1b["):
			end := strings.IndexAny(rest, "Am")
			if rest[end] == 'A' {
				if _, err := fmt.Sscanf(rest[2:end], "%d", &up); err != nil {
					s.t.Fatal(err)
				}
				s.row -= up
			}
			rest = rest[end+1:]
		case rest[0] == '\r':
			rest = rest[1:]
		default:
			line, after, whole := strings.Cut(rest, "\n")
			if !whole {
				s.t.Fatalf("half a line: %q", line)
			}
			plain := strings.NewReplacer("\x1b[1m", "", "\x1b[0m", "").Replace(line)
			s.lines = append(s.lines[:s.row], plain)
			s.row++
			rest = after
		}
	}
	return len(p), nil
}

func entry(kind timeline.Kind, typ string, id phone.ID, call int64, data map[string]any) timeline.Entry {
	e := timeline.Entry{Kind: kind, Type: typ, OffsetMS: 1200, Data: data}
	if id != "" {
		e.PhoneID = &id
	}
	if call >= 0 {
		e.CallID = (*phone.CallID)(&call)
	}
	return e
}

func TestTheBlockStaysUnderTheLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &screen{t: t}
		v := New(Options{Out: s, Now: time.Now, Size: func() Size { return Size{Columns: 60} }})
		v.Begin("two\x1b[2J phones   1 of 2", []phone.ID{"a", "long_name"})
		v.Entry(entry(timeline.Event, "reg.success", "a", -1, nil))
		v.Entry(entry(timeline.Event, "call.state.confirmed", "long_name", 1000, nil))
		v.Entry(entry(timeline.Meta, "checkpoint", "", -1, map[string]any{"label": "half\nway"}))
		v.Entry(entry(timeline.Event, "action.failed", "a", -1, nil))
		v.Entry(entry(timeline.Event, "dtmf.in", "a", 0, nil))
		<-time.After(time.Second + time.Millisecond)
		synctest.Wait()
		v.mu.Lock()
		got := append([]string(nil), s.lines...)
		v.mu.Unlock()
		want := []string{
			`running two\x1b[2J phones   1 of 2   1.0 s   1 failed actio`,
			`  a          registration  success       +1.200s`,
			`  long_name  call 1000     CONFIRMED     +1.200s`,
		}
		if len(got) != 8 || strings.Join(got[5:], "\n") != strings.Join(want, "\n") {
			t.Errorf("on the screen:\n%s", strings.Join(got, "\n"))
		}
		if err := v.End(); err != nil {
			t.Fatal(err)
		}
		if len(s.lines) != 5 || strings.Contains(strings.Join(s.lines, " "), "running") {
			t.Errorf("after the end:\n%s", strings.Join(s.lines, "\n"))
		}
	})
}

func TestTheBlockFitsTheTerminal(t *testing.T) {
	var ids []phone.ID
	for i := range 40 {
		ids = append(ids, phone.ID(fmt.Sprintf("phone_%d", i)))
	}
	for _, size := range []Size{{Columns: 80, Rows: 24}, {Columns: 20, Rows: 5}, {Columns: 1, Rows: 1}, {Columns: 300, Rows: 100}} {
		b := newBlock("名前 of a long scenario with a long name", ids, time.Time{})
		lines := b.lines(time.Time{}.Add(time.Hour), size)
		if len(lines) >= max(size.Rows, 3) || size.Rows > 50 && len(lines) != 41 {
			t.Errorf("%d lines on %d rows", len(lines), size.Rows)
		}
		for _, line := range lines {
			if width := len([]rune(line)); width >= size.Columns {
				t.Errorf("%d columns of %d: %q", width, size.Columns, line)
			}
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestAScreenThatIsGone(t *testing.T) {
	v := New(Options{Out: broken{}, Now: time.Now, Size: func() Size { return Size{} }})
	v.Begin("x", nil)
	if err := v.End(); err == nil {
		t.Error("nobody is told")
	}
	var out bytes.Buffer
	v = New(Options{Out: &out, Now: time.Now, Size: func() Size { return Size{} }})
	v.Begin("x", nil)
	if err := v.End(); err != nil || !strings.Contains(out.String(), "running x") {
		t.Errorf("%v: %q", err, out.String())
	}
}
