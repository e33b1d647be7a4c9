package phoneserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"ringmaster/proto/phone"
	pb "ringmaster/proto/phonev1"
	"ringmaster/proto/phonewire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stub answers with what it was given.
type stub struct {
	got     any
	err     error
	refused error // of Begin
	entries []phone.Entry
}

func (s *stub) Configure(_ context.Context, c phone.Configuration) (phone.Configured, error) {
	s.got = c
	return phone.Configured{LocalPort: 5062}, s.err
}

func (s *stub) Do(_ context.Context, c phone.Command) (phone.Outcome, error) {
	s.got = c
	return phone.Outcome{Cursor: 7}, s.err
}

func (s *stub) Begin(_ context.Context, c phone.Command) (phone.Pending, error) {
	s.got = c
	return func() (phone.Outcome, error) { return phone.Outcome{Cursor: 8}, s.err }, s.refused
}

func (s *stub) Watch(_ context.Context, after uint64, each func(phone.Entry) error) error {
	s.got = after
	for _, e := range s.entries {
		if err := each(e); err != nil {
			return err
		}
	}
	return s.err
}

func (s *stub) Health(context.Context) (phone.Health, error) {
	return phone.Health{LastSeq: 9, ActiveCalls: 2}, s.err
}

func (s *stub) Shutdown(_ context.Context, how phone.Shutdown) error {
	s.got = how
	return s.err
}

func serve(t *testing.T, p phone.Phone) pb.PhoneServiceClient {
	listener := bufconn.Listen(1 << 16)
	server := grpc.NewServer()
	Register(server, p, Options{Version: "1.2"})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); err != nil {
			t.Error(err)
		}
	}()
	dial := func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }
	conn, err := grpc.NewClient("passthrough:x", grpc.WithContextDialer(dial), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		server.Stop()
		<-done
	})
	return pb.NewPhoneServiceClient(conn)
}

func TestCallsReachThePhone(t *testing.T) {
	p := &stub{}
	c := serve(t, p)
	ctx := t.Context()

	if hello, err := c.Hello(ctx, &pb.HelloRequest{}); err != nil || hello.ProgramVersion != "1.2" {
		t.Errorf("Hello: %v, %v", hello, err)
	}

	conf := phone.Configuration{Settings: phone.Settings{PhoneID: "a", Password: phone.NewSecret("x")}, CallIDs: phone.Block{First: 1000, Count: 1000}}
	configured, err := c.Configure(ctx, phonewire.ConfigurationToWire(conf))
	if err != nil || configured.LocalPort != 5062 || !reflect.DeepEqual(p.got, conf) {
		t.Errorf("Configure: %v, %v, phone got %+v", configured, err, p.got)
	}

	id := phone.CallID(0)
	cmd, err := phonewire.CommandToWire(phone.Hangup{CallID: &id})
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := c.Do(ctx, cmd)
	if err != nil || outcome.Cursor != 7 || !reflect.DeepEqual(p.got, phone.Hangup{CallID: &id}) {
		t.Errorf("Do: %v, %v, phone got %+v", outcome, err, p.got)
	}

	stream, err := c.Begin(ctx, cmd)
	if err != nil {
		t.Fatal(err)
	}
	if taken, err := stream.Recv(); err != nil || taken.Outcome != nil {
		t.Errorf("Begin: %v, %v, want a word without an outcome first", taken, err)
	}
	if decided, err := stream.Recv(); err != nil || decided.Outcome.GetCursor() != 8 {
		t.Errorf("Begin: %v, %v", decided, err)
	}

	if h, err := c.Health(ctx, &pb.HealthRequest{}); err != nil || h.LastSeq != 9 || h.ActiveCalls != 2 {
		t.Errorf("Health: %v, %v", h, err)
	}

	if _, err := c.Shutdown(ctx, &pb.ShutdownRequest{HangupCalls: true}); err != nil || !p.got.(phone.Shutdown).HangupCalls {
		t.Errorf("Shutdown: %v, phone got %+v", err, p.got)
	}
}

func TestThePhonesErrorsReachTheCaller(t *testing.T) {
	want := &phone.Error{Kind: phone.Refused, Sentence: "b refused: 486 Busy Here", Status: 486}
	c := serve(t, &stub{err: want})
	ctx := t.Context()
	hangup, err := phonewire.CommandToWire(phone.HangupAll{})
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"Configure": func() error { _, err := c.Configure(ctx, &pb.ConfigureRequest{}); return err },
		"Do":        func() error { _, err := c.Do(ctx, hangup); return err },
		"Begin": func() error {
			stream, err := c.Begin(ctx, hangup)
			if err != nil {
				return err
			}
			if _, err := stream.Recv(); err != nil {
				return fmt.Errorf("the command was not taken: %w", err)
			}
			_, err = stream.Recv()
			return err
		},
		"Health":   func() error { _, err := c.Health(ctx, &pb.HealthRequest{}); return err },
		"Shutdown": func() error { _, err := c.Shutdown(ctx, &pb.ShutdownRequest{}); return err },
		"Watch": func() error {
			stream, err := c.Watch(ctx, &pb.WatchRequest{})
			if err != nil {
				return err
			}
			_, err = stream.Recv()
			return err
		},
	} {
		lost, got := phonewire.ErrorFromWire(call())
		if !reflect.DeepEqual(got, error(want)) || lost {
			t.Errorf("%s: got %v, lost %v", name, got, lost)
		}
	}
	if _, err := c.Do(ctx, &pb.DoRequest{}); err == nil {
		t.Error("an unknown command must be an error")
	}
}

func TestARefusedBeginIsNotTaken(t *testing.T) {
	want := &phone.Error{Kind: phone.Exhausted, Sentence: "too much"}
	cmd, err := phonewire.CommandToWire(phone.HangupAll{})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := serve(t, &stub{refused: want}).Begin(t.Context(), cmd)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := stream.Recv()
	if _, got := phonewire.ErrorFromWire(err); !reflect.DeepEqual(got, error(want)) {
		t.Errorf("got %v, %v", taken, err)
	}
}

func TestWatchSendsEveryEntryAndEnds(t *testing.T) {
	p := &stub{entries: []phone.Entry{
		{Seq: 4, Inbox: &phone.Message{Body: "hi"}},
		{Seq: 5, Event: &phone.Event{Data: map[string]any{"bad": make(chan int)}}},
		{Seq: 6, Ended: &phone.CallInfo{}},
	}}
	stream, err := serve(t, p).Watch(t.Context(), &pb.WatchRequest{After: 3})
	if err != nil {
		t.Fatal(err)
	}
	var got []phone.Entry
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		e, err := phonewire.EntryFromWire(m)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	want := []phone.Entry{p.entries[0], {Seq: 5, Gap: &phone.Gap{From: 5, To: 5}}, p.entries[2]}
	if !reflect.DeepEqual(got, want) || p.got != uint64(3) {
		t.Errorf("got %+v after %v", got, p.got)
	}
}

func TestServeOutsideASupervisor(t *testing.T) {
	t.Setenv(phonewire.CookieKey, "")
	if err := Serve(t.Context(), &stub{}, Options{}); !errors.Is(err, ErrNotAWorker) {
		t.Errorf("got %v, want ErrNotAWorker", err)
	}
}
