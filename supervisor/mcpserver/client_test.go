package mcpserver

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/pattern"
	"ringmaster/supervisor/fleet"
	"ringmaster/supervisor/hub"
	"ringmaster/supervisor/runs"
	"ringmaster/supervisor/tool"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeFleet is phones without processes that tell the server when they come
// and go.
type fakeFleet struct {
	tool.Phones
	order   []phone.ID
	changed func(added, removed []phone.ID)
	do      func(ctx context.Context, id phone.ID, c phone.Command) (phone.Outcome, error)
}

func (f *fakeFleet) status(id phone.ID) fleet.Status {
	return fleet.Status{
		Settings:  phone.Settings{PhoneID: id, Domain: "h", Username: "u", Transport: phone.UDP},
		LocalPort: 5060, TransportID: 1, Worker: fleet.WorkerStatus{State: "running"},
	}
}

func (f *fakeFleet) List() []fleet.Status {
	var list []fleet.Status
	for _, id := range f.order {
		list = append(list, f.status(id))
	}
	return list
}

func (f *fakeFleet) Status(id phone.ID) (fleet.Status, error) {
	if !slices.Contains(f.order, id) {
		return fleet.Status{}, phone.Errorf(phone.NotFound, "phone_id %q not found", string(id))
	}
	return f.status(id), nil
}

func (f *fakeFleet) Add(_ context.Context, s phone.Settings) (fleet.Status, error) {
	f.order = append(f.order, s.PhoneID)
	f.changed([]phone.ID{s.PhoneID}, nil)
	return f.status(s.PhoneID), nil
}

func (f *fakeFleet) Drop(_ context.Context, id phone.ID, _ bool) error {
	f.order = slices.DeleteFunc(f.order, func(o phone.ID) bool { return o == id })
	f.changed(nil, []phone.ID{id})
	return nil
}

func (f *fakeFleet) Load(_ context.Context, s []phone.Settings, _ bool) fleet.LoadResult {
	l := fleet.LoadResult{Dropped: f.order}
	f.order = nil
	var ids []phone.ID
	for _, settings := range s {
		ids = append(ids, settings.PhoneID)
		f.order = append(f.order, settings.PhoneID)
		l.Added = append(l.Added, f.status(settings.PhoneID))
	}
	f.changed(ids, l.Dropped)
	return l
}

func (f *fakeFleet) Do(ctx context.Context, id phone.ID, c phone.Command) (phone.Outcome, error) {
	if f.do != nil {
		return f.do(ctx, id, c)
	}
	return phone.Outcome{Registration: &phone.Registration{}}, nil
}

// newServer makes a server on fake phones.
func newServer(shared bool, ready <-chan struct{}) (*Server, *fakeFleet) {
	return newServerAt("", shared, ready)
}

// newServerAt makes one whose recordings are in a folder.
func newServerAt(recordings string, shared bool, ready <-chan struct{}) (*Server, *fakeFleet) {
	f := &fakeFleet{}
	journal := hub.New()
	set := tool.New(tool.Options{
		Phones: f, Hub: journal, Runs: runs.NewStore(&runs.Runner{Hub: journal}), Patterns: &pattern.Library{}, Now: time.Now, Profile: "testdata/phones.yaml", Shared: shared,
		Getenv: func(string) (string, bool) { return "", false }, Codecs: func(context.Context) []string { return nil }, Recordings: recordings,
	})
	s := New(Options{Tools: set, Shared: shared, Version: "test", Log: hclog.NewNullLogger(), Ready: ready})
	f.changed = s.PhonesChanged
	return s, f
}

// client is the other end of a served connection.
type client struct {
	t     *testing.T
	in    *io.PipeWriter
	out   *io.PipeReader
	lines *bufio.Reader
	ended chan error
	stop  context.CancelFunc
}

func connect(t *testing.T, s *Server) *client {
	ctx, stop := context.WithCancel(context.Background())
	serverIn, in := io.Pipe()
	out, serverOut := io.Pipe()
	c := &client{t: t, in: in, out: out, lines: bufio.NewReader(out), ended: make(chan error, 1), stop: stop}
	go func() { c.ended <- s.ServeStdio(ctx, serverIn, serverOut) }()
	t.Cleanup(func() { c.stop(); _ = in.Close(); _ = out.Close() })
	return c
}

func (c *client) send(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) receive() string {
	c.t.Helper()
	line, err := c.lines.ReadString('\n')
	if err != nil {
		c.t.Fatalf("no more lines: %v", err)
	}
	return strings.TrimSuffix(line, "\n")
}

// ask sends a request and returns the lines up to its answer, included.
func (c *client) ask(request string) []string {
	c.t.Helper()
	c.send(request)
	id := idOf(request)
	var lines []string
	for {
		line := c.receive()
		lines = append(lines, line)
		if idOf(line) == id {
			return lines
		}
	}
}

func idOf(line string) string {
	var m struct {
		ID any `json:"id"`
	}
	if json.Unmarshal([]byte(line), &m) != nil {
		return "none"
	}
	return fmt.Sprint(m.ID)
}

// call calls a tool with id 7.
func (c *client) call(name, arguments string) []string {
	c.t.Helper()
	return c.ask(fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, name, arguments))
}

const (
	initialize  = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	initialized = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
	addA        = `{"phone_id":"a","domain":"h","username":"u","password":"p"}`
	listChanged = `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`
)
