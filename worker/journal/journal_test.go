package journal

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"ringmaster/proto/phone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func event(typ string) phone.Entry { return phone.Entry{Event: &phone.Event{Type: typ}} }

func trace() phone.Entry { return phone.Entry{SIP: &phone.SIPMessage{}} }

// shape writes entries as "1s" (state), "2t" (trace) and "gap3-5".
func shape(entries []phone.Entry) []string {
	var out []string
	for _, e := range entries {
		switch {
		case e.Gap != nil && e.Seq != e.Gap.To:
			out = append(out, fmt.Sprintf("gap with Seq %d, want %d", e.Seq, e.Gap.To))
		case e.Gap != nil:
			out = append(out, fmt.Sprintf("gap%d-%d", e.Gap.From, e.Gap.To))
		case isTrace(e):
			out = append(out, fmt.Sprintf("%dt", e.Seq))
		default:
			out = append(out, fmt.Sprintf("%ds", e.Seq))
		}
	}
	return out
}

func TestReadMergesRingsAndShowsGaps(t *testing.T) {
	for _, tc := range []struct {
		name    string
		entries string // one letter each: s state, t trace
		after   uint64
		limit   int
		want    []string
	}{
		{"all in order", "stst", 0, 10, []string{"1s", "2t", "3s", "4t"}},
		{"after the cursor", "stst", 2, 10, []string{"3s", "4t"}},
		{"no more than the limit", "stst", 0, 2, []string{"1s", "2t"}},
		{"a limit below one gives one", "stst", 0, 0, []string{"1s"}},
		{"traces overwrite only traces", "stttttts", 0, 10, []string{"1s", "gap2-4", "5t", "6t", "7t", "8s"}},
		{"states overwrite only states", "tssssst", 0, 10, []string{"1t", "gap2-3", "4s", "5s", "6s", "7t"}},
		{"a hole at the beginning", "sssss", 0, 10, []string{"gap1-2", "3s", "4s", "5s"}},
		{"a cursor inside a hole", "ssssss", 2, 10, []string{"gap3-3", "4s", "5s", "6s"}},
		{"a gap counts for the limit", "sssss", 0, 1, []string{"gap1-2"}},
		{"several holes", "ttttsttttt", 0, 10, []string{"gap1-4", "5s", "gap6-7", "8t", "9t", "10t"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			j := New(3, 3, nil)
			for _, c := range tc.entries {
				if c == 's' {
					j.Append(event("call.state.calling"))
				} else {
					j.Append(trace())
				}
			}
			got, err := j.Read(t.Context(), tc.after, tc.limit)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(shape(got), tc.want) {
				t.Errorf("got %v, want %v", shape(got), tc.want)
			}
		})
	}
}

func TestWhatGoesToWhichRing(t *testing.T) {
	for entry, want := range map[*phone.Entry]bool{
		{Event: &phone.Event{Type: "sip.request.invite"}}: true,
		{Event: &phone.Event{Type: "media.silence"}}:      true,
		{SIP: &phone.SIPMessage{}}:                        true,
		{Event: &phone.Event{Type: "reg.success"}}:        false,
		{Event: &phone.Event{Type: "sipper"}}:             false,
		{Ended: &phone.CallInfo{}}:                        false,
		{Inbox: &phone.Message{}}:                         false,
	} {
		if got := isTrace(*entry); got != want {
			t.Errorf("isTrace(%+v) = %v, want %v", *entry, got, want)
		}
	}
}

func TestCursorsCoverEverythingOnce(t *testing.T) {
	j := New(1000, 1000, nil)
	const writers, each = 4, 200
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if (w+i)%2 == 0 {
					j.Append(event("x"))
				} else {
					j.Append(trace())
				}
			}
		})
	}
	var cursor uint64
	for cursor < writers*each {
		batch, err := j.Read(t.Context(), cursor, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range batch {
			if e.Gap != nil || e.Seq != cursor+1 {
				t.Fatalf("after %d came %v", cursor, shape(batch))
			}
			cursor = e.Seq
		}
	}
	wg.Wait()
	if j.Last() != cursor {
		t.Errorf("Last() = %d, want %d", j.Last(), cursor)
	}
}

func TestReadWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := New(3, 3, nil)
		got := make(chan []string, 2)
		for range 2 {
			go func() {
				entries, err := j.Read(t.Context(), 0, 10)
				if err != nil {
					t.Error(err)
				}
				got <- shape(entries)
			}()
		}
		synctest.Wait()
		if len(got) != 0 {
			t.Fatal("Read returned before there was anything")
		}
		j.Append(event("x"))
		for range 2 {
			if s := <-got; !reflect.DeepEqual(s, []string{"1s"}) {
				t.Errorf("got %v", s)
			}
		}
	})
}

func TestReadEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(3, 3, nil).Read(ctx, 0, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestCloseLetsReadersFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := New(3, 3, nil)
		j.Append(event("x"))
		waiting := make(chan error)
		go func() {
			_, err := j.Read(t.Context(), 1, 1)
			waiting <- err
		}()
		synctest.Wait()
		j.Close()
		j.Close()
		if err := <-waiting; !errors.Is(err, ErrClosed) {
			t.Errorf("a waiting reader got %v, want ErrClosed", err)
		}
		if entries, err := j.Read(t.Context(), 0, 1); err != nil || len(entries) != 1 {
			t.Errorf("what was left: %v, %v", entries, err)
		}
	})
}

func TestFullCountsUnreadStateEntries(t *testing.T) {
	j := New(8, 8, nil)
	for range 20 {
		j.Append(trace())
	}
	for i := range 8 {
		if got, want := j.Full(), i >= 6; got != want {
			t.Errorf("with %d unread: Full() = %v, want %v", i, got, want)
		}
		j.Append(event("x"))
	}
	read := func(after uint64) {
		if _, err := j.Read(t.Context(), after, 1); err != nil {
			t.Fatal(err)
		}
	}
	read(22) // 20 traces and 2 states are read: 6 are left
	if !j.Full() {
		t.Error("six unread of eight must be full")
	}
	read(23)
	if j.Full() {
		t.Error("five unread of eight must not be full")
	}
	read(1) // a second reader, far behind, changes nothing
	if j.Full() {
		t.Error("a slower second reader must not make the journal full")
	}
}

func TestAppendStampsWhatHasNoTime(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	own := now.Add(-time.Second)
	j := New(8, 8, func() time.Time { return now })
	j.Append(event("x"))
	j.Append(phone.Entry{Event: &phone.Event{Time: own}})
	j.Append(trace())
	j.Append(phone.Entry{Inbox: &phone.Message{}})
	got, err := j.Read(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []time.Time{now, own, now, now} {
		var at time.Time
		switch e := got[i]; {
		case e.Event != nil:
			at = e.Event.Time
		case e.SIP != nil:
			at = e.SIP.Time
		case e.Inbox != nil:
			at = e.Inbox.Time
		}
		if !at.Equal(want) {
			t.Errorf("entry %d has time %v, want %v", i+1, at, want)
		}
	}
}

func TestTraceCapHoldsFiveThousandMessagesWithTheirEvents(t *testing.T) {
	j := New(StateCap, TraceCap, nil)
	for range 5000 {
		j.Append(trace())
		j.Append(event("sip.request.options"))
	}
	got, err := j.Read(t.Context(), 0, 1)
	if err != nil || got[0].SIP == nil {
		t.Errorf("the oldest of 5,000 messages is gone: %v, %v", shape(got), err)
	}
}
