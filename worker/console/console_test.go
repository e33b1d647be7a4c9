package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringmaster/proto/phone"
	"ringmaster/tests/fakeworker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// obeyed runs the lines on a fake phone and returns what was printed.
func obeyed(t *testing.T, lines string, asJSON bool) (failed int, printed string) {
	t.Helper()
	p := fakeworker.New(fakeworker.Knobs{Registrar: "accepts"})
	if _, err := p.Configure(t.Context(), phone.Configuration{
		Settings: phone.Settings{PhoneID: "a", Domain: "h", Username: "a", Register: true}, CallIDs: phone.Block{Count: 10},
	}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	screen, err := OpenScreen(strings.NewReader(lines), &out, "a> ", asJSON)
	if err != nil {
		t.Fatal(err)
	}
	failed, err = Run(t.Context(), Options{Phone: p, ID: "a", Screen: screen, JSON: asJSON, LeaveWithin: time.Second})
	if err != nil {
		t.Error(err)
	}
	if err := screen.Close(); err != nil {
		t.Error(err)
	}
	return failed, out.String()
}

func TestLinesAreObeyedInOrder(t *testing.T) {
	failed, printed := obeyed(t, `
# a comment
make_call sip:b@h
wait call.state.confirmed
nonsense
dtmf 12
hangup 0
wait call.state.disconnected
wait call.state.disconnected 1
calls
`, false)
	at := 0
	for _, part := range []string{
		"ok call_id=0 state=CALLING\n", "ok type=call.state.confirmed call_id=0\n",
		`error: there is no command "nonsense": help lists them`,
		"ok call_id=0 state=CONFIRMED\n", "ok call_id=0 state=DISCONNECTED\n", "ok type=call.state.disconnected call_id=0\n",
		"error: no call.state.disconnected came within 1ms\n",
		"   call_id=0 state=DISCONNECTED direction=outbound remote_uri=sip:b@h",
	} {
		i := strings.Index(printed[at:], part)
		if i < 0 {
			t.Fatalf("no %q after %q in\n%s", part, printed[:at], printed)
		}
		at += i + len(part)
	}
	for _, event := range []string{" reg.success", " call.state.confirmed call_id=0 direction=outbound remote_uri=sip:b@h last_status=200", " reg.unregistered"} {
		if !strings.Contains(printed, event) {
			t.Errorf("no event %q in\n%s", event, printed)
		}
	}
	if failed != 2 {
		t.Errorf("%d commands failed, want 2", failed)
	}
}

func TestJSONIsAnObjectALine(t *testing.T) {
	_, printed := obeyed(t, "call sip:b@h\nnonsense\ncalls\nhelp quit\nquit\ncalls", true)
	kinds := map[string]int{}
	var calls []any
	for line := range strings.Lines(printed) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		kind, _ := o["kind"].(string)
		kinds[kind]++
		if o["command"] == "list_calls" {
			calls, _ = o["calls"].([]any)
		}
	}
	if kinds["answer"] != 5 || kinds["event"] < 4 || len(calls) != 1 {
		t.Errorf("%v, calls %v; nothing after quit should be obeyed:\n%s", kinds, calls, printed)
	}
}

// The end of ctx ends the command under way, and the phone still leaves.
func TestTheEndInterruptsACommand(t *testing.T) {
	p := fakeworker.New(fakeworker.Knobs{})
	if _, err := p.Configure(t.Context(), phone.Configuration{Settings: phone.Settings{PhoneID: "a"}}); err != nil {
		t.Fatal(err)
	}
	in, lines := io.Pipe()
	var out buffer
	screen, _ := OpenScreen(in, &out, "", true)
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := Run(ctx, Options{Phone: p, ID: "a", Screen: screen, LeaveWithin: time.Second})
		ended <- err
	}()
	if _, err := io.WriteString(lines, "wait never 3600000\n"); err != nil {
		t.Fatal(err)
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	_ = lines.Close()
	if _, err := p.Do(t.Context(), phone.ListCalls{}); err == nil {
		t.Error("the phone was not shut down")
	}
}

func TestTextFromTheNetworkIsHarmless(t *testing.T) {
	var out bytes.Buffer
	p := newPrinter(&out, false, true)
	id := phone.CallID(1)
	p.entry(phone.Entry{Event: &phone.Event{Type: "im.received", CallID: &id, Data: map[string]any{"body": "a\x1b[2Jb\nc"}}})
	p.entry(phone.Entry{SIP: &phone.SIPMessage{Transport: phone.UDP, Remote: "h:1", Raw: []byte("OPTIONS\x1b]0;x\a\r\nX: y\u009b\r\n\r\n")}})
	p.failure("x", errors.New("refused: 486 \x1b[31m"))
	if strings.ContainsAny(out.String(), "\x1b\a\u009b\r") || strings.Count(out.String(), "\n") != 5 {
		t.Errorf("%q", out.String())
	}
}

// buffer is a bytes.Buffer that two goroutines may use.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
