package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringmaster/proto/phone"
)

func TestServesUntilStdinEnds(t *testing.T) {
	s, _ := newServer(false, nil)
	c := connect(t, s)
	c.ask(initialize)
	_ = c.in.Close()
	if err := <-c.ended; err != nil {
		t.Errorf("ServeStdio = %v", err)
	}
	if rest, err := io.ReadAll(c.lines); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v after the end", rest, err)
	}
}

func TestServesUntilStdoutIsClosed(t *testing.T) {
	s, _ := newServer(false, nil)
	c := connect(t, s)
	c.ask(initialize)
	_ = c.out.Close()
	c.send(`{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	if err := <-c.ended; err != nil {
		t.Errorf("ServeStdio = %v", err)
	}
}

func TestServesUntilItIsStopped(t *testing.T) {
	s, _ := newServer(false, nil)
	c := connect(t, s)
	c.ask(initialize)
	c.stop()
	if err := <-c.ended; err != nil {
		t.Errorf("ServeStdio = %v", err)
	}
	if _, err := io.WriteString(c.in, initialize); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("stdin is not closed: %v", err)
	}
}

// What a script has asked for is answered, though it closes its end at once.
func TestCallsBeforeTheEndAreAnswered(t *testing.T) {
	s, _ := newServer(false, nil)
	var out strings.Builder
	in := strings.NewReader(initialize + "\n" + initialized + "\n" +
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add_phone","arguments":` + addA + `}}` + "\n" +
		`{"jsonrpc":"2.0","id":2,"method":"tools/list"}`) // without a line end
	if err := s.ServeStdio(context.Background(), in, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"id":0`, `"id":1`, `"id":2`, `list_changed`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing in %.2000s", want, out.String())
		}
	}
}

func TestABlockedCallIsCancelledAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newServer(false, nil)
		f.do = func(ctx context.Context, _ phone.ID, _ phone.Command) (phone.Outcome, error) {
			<-ctx.Done()
			return phone.Outcome{}, ctx.Err()
		}
		c := connect(t, s)
		c.ask(initialize)
		c.call("add_phone", addA)
		c.send(`{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"a_register"}}`)
		begin := time.Now()
		_ = c.in.Close()
		if got := c.receive(); !strings.Contains(got, "cancelled") {
			t.Errorf("the call was answered %s", got)
		}
		if err := <-c.ended; err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("the end took %v", took)
		}
	})
}

func TestTheEndDoesNotWaitForAClientThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newServer(false, nil)
		c := connect(t, s)
		for range 10 {
			c.send(initialize) // no answer is read
		}
		begin := time.Now()
		_ = c.in.Close()
		if err := <-c.ended; err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("the end took %v", took)
		}
	})
}

func TestACancelledCallIsNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newServer(false, nil)
		cancelled := make(chan struct{})
		f.do = func(ctx context.Context, _ phone.ID, _ phone.Command) (phone.Outcome, error) {
			<-ctx.Done()
			close(cancelled)
			return phone.Outcome{}, ctx.Err()
		}
		c := connect(t, s)
		c.ask(initialize)
		c.call("add_phone", addA)
		c.send(`{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"a_register"}}`)
		c.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"x"}}`)
		<-cancelled
		synctest.Wait()
		if lines := c.ask(`{"jsonrpc":"2.0","id":9,"method":"ping"}`); len(lines) != 1 {
			t.Errorf("got %q, want the ping's answer alone", lines)
		}
	})
}

func TestSlowCallsDelayNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newServer(false, nil)
		f.do = func(ctx context.Context, _ phone.ID, _ phone.Command) (phone.Outcome, error) {
			<-ctx.Done()
			return phone.Outcome{}, ctx.Err()
		}
		c := connect(t, s)
		c.ask(initialize)
		c.call("add_phone", addA)
		for i := range 500 {
			c.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"a_register"}}`, 100+i))
		}
		begin := time.Now()
		c.call("list_phones", "{}")
		if took := time.Since(begin); took != 0 {
			t.Errorf("list_phones took %v beside 500 slow calls", took)
		}
		_ = c.in.Close()
		for range 500 {
			c.receive()
		}
		if err := <-c.ended; err != nil {
			t.Error(err)
		}
	})
}

func TestTooManyRequestsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newServer(false, nil)
		f.do = func(ctx context.Context, _ phone.ID, _ phone.Command) (phone.Outcome, error) {
			<-ctx.Done()
			return phone.Outcome{}, ctx.Err()
		}
		c := connect(t, s)
		c.ask(initialize)
		c.call("add_phone", addA)
		for i := range requestBound {
			c.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"a_register"}}`, 100+i))
		}
		synctest.Wait()
		if got := c.ask(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`); !strings.Contains(got[0], "1024 requests are at work") {
			t.Errorf("one more was answered %s", got)
		}
		_ = c.in.Close()
		for range requestBound {
			c.receive()
		}
		if err := <-c.ended; err != nil {
			t.Error(err)
		}
	})
}

func TestToolsWaitForTheProfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ready := make(chan struct{})
		s, _ := newServer(false, ready)
		c := connect(t, s)
		c.ask(initialize) // is answered at once
		c.send(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
		synctest.Wait()
		s.PhonesChanged([]phone.ID{"a"}, nil)
		close(ready)
		if got := c.receive(); got != listChanged {
			t.Errorf("first came %s", got)
		}
		if got := c.receive(); !strings.Contains(got, `"a_make_call"`) {
			t.Errorf("the list has no tools of a: %.300s", got)
		}
		_ = c.in.Close()
		if err := <-c.ended; err != nil {
			t.Error(err)
		}
	})
}

func TestLongLinesAreRefusedAndPassed(t *testing.T) {
	s, _ := newServer(false, nil)
	c := connect(t, s)
	go func() {
		_, _ = c.in.Write(append(make([]byte, lineBound+1), '\n'))
		_, _ = io.WriteString(c.in, initialize+"\n")
	}()
	if got := c.receive(); !strings.Contains(got, "longer than 16 MiB") {
		t.Errorf("got %.200s", got)
	}
	if got := c.receive(); !strings.Contains(got, "serverInfo") {
		t.Errorf("got %.200s", got)
	}
}

func TestOutboxNeverWaits(t *testing.T) {
	o := newOutbox()
	r, w := io.Pipe()
	go func() { _ = o.write(w) }()
	line := make([]byte, 1<<20)
	var err error
	for range outboxBound>>20 + 1 {
		err = errors.Join(err, o.put(line))
	}
	if !errors.Is(err, ErrStalled) {
		t.Errorf("more than the bound: %v", err)
	}
	_ = r.Close()
	<-o.written
}

// One list_changed for each batch, whatever is in it, and before the answer.
func TestOneNotificationForEachBatch(t *testing.T) {
	s, _ := newServer(false, nil)
	c := connect(t, s)
	c.ask(initialize)
	c.send(initialized)
	for _, step := range []struct {
		tool, arguments string
		changes         int
		names           string
	}{
		{"add_phone", addA, 1, "a_make_call"},
		{"add_phone", addA, 0, "a_make_call"}, // replaced: the list is the same
		{"load_phones", `{}`, 1, "b_make_call"},
		{"load_phones", `{}`, 0, "c_make_call"},
		{"drop_phone", `{"phone_id":"b"}`, 1, "c_make_call"},
	} {
		lines := c.call(step.tool, step.arguments)
		changes := 0
		for _, line := range lines[:len(lines)-1] {
			if line == listChanged {
				changes++
			}
		}
		if changes != step.changes {
			t.Errorf("%s: %d notifications, want %d: %q", step.tool, changes, step.changes, lines)
		}
		list := c.ask(`{"jsonrpc":"2.0","id":3,"method":"tools/list"}`)
		if !strings.Contains(list[0], `"`+step.names+`"`) {
			t.Errorf("after %s, %s is not in the list", step.tool, step.names)
		}
	}
}

func TestChangesAtOnceLoseNothing(t *testing.T) {
	s, _ := newServer(false, nil)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			id := phone.ID(fmt.Sprintf("p%d", i))
			s.PhonesChanged([]phone.ID{id}, nil)
			if i%2 == 0 {
				s.PhonesChanged(nil, []phone.ID{id})
			} else {
				s.PhonesChanged([]phone.ID{id + "x"}, []phone.ID{id})
			}
		})
	}
	all.Wait()
	tools := s.mcp.ListTools()
	if want := len(s.static) + len(s.shared) + 20*s.o.Tools.Actions(); len(tools) != want {
		t.Errorf("%d tools, want %d", len(tools), want)
	}
}

func TestTextIsTheStructuredContent(t *testing.T) {
	s, _ := newServer(false, nil)
	c := connect(t, s)
	c.ask(initialize)
	got := c.call("drop_phone", `{"phone_id":"<x>"}`)
	want := `{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"{\"status\":\"error\",\"error\":\"phone_id \\\"\u003cx\u003e\\\" is invalid: use 1 to 32 characters of a-z, 0-9 and _\",\"phone_id\":\"\u003cx\u003e\"}"}],` +
		`"isError":true,"structuredContent":{"status":"error","error":"phone_id \"\u003cx\u003e\" is invalid: use 1 to 32 characters of a-z, 0-9 and _","phone_id":"\u003cx\u003e"}}}`
	if got[0] != want {
		t.Errorf("got  %s\nwant %s", got[0], want)
	}
}

// A real pipe, as a client's stdout is one: serving ends when it is closed.
func TestARealPipe(t *testing.T) {
	s, _ := newServer(false, nil)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.ServeStdio(ctx, r, io.Discard) }()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	w.Close()
}
