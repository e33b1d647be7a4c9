package phoneproc_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ringmaster/proto/phone"
	"ringmaster/proto/phonewire"
	"ringmaster/supervisor/phoneproc"
	"ringmaster/tests/fakeworker"
)

// waiting is a fake phone in this process that waits to be adopted.
func waiting(t *testing.T, k fakeworker.Knobs) (p *fakeworker.Phone, r phonewire.Reattach, gone <-chan struct{}) {
	t.Helper()
	p = fakeworker.New(k)
	ctx, end := context.WithCancel(context.Background())
	told, ended := make(chan phonewire.Reattach, 1), make(chan error, 1)
	left := make(chan struct{})
	go func() {
		ended <- fakeworker.Await(ctx, p, "another",
			func(r phonewire.Reattach) { told <- r }, sync.OnceFunc(func() { close(left) }))
	}()
	t.Cleanup(func() {
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = p.Release()
	})
	select {
	case r = <-told:
	case err := <-ended:
		t.Fatal(err)
	}
	return p, r, left
}

// adopter is a starter whose own workers are fake ones.
func adopter(t *testing.T, r phonewire.Reattach) (*phoneproc.Starter, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	s, err := phoneproc.New(phoneproc.Options{
		Path: os.Args[0], Args: fakeworker.Args("-version", "7"), Version: "7", Environ: fakeworker.Environ(),
		Adopt: map[phone.ID]phonewire.Reattach{"a": r}, Log: hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Info, Mutex: new(sync.Mutex)}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, &log
}

func adoptA(t *testing.T, s *phoneproc.Starter) phoneproc.Worker {
	t.Helper()
	w, err := s.Start(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Configure(t.Context(), configuration()); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestAWorkerThatSomebodyStartedIsAdoptedOnce(t *testing.T) {
	_, r, left := waiting(t, fakeworker.Knobs{})
	s, log := adopter(t, r)
	w := adoptA(t, s)
	if !w.Adopted() || w.PID() != os.Getpid() {
		t.Errorf("adopted %v, pid %d", w.Adopted(), w.PID())
	}
	watched := make(chan error, 1)
	go func() { watched <- w.Watch(t.Context(), 0, func(phone.Entry) error { return nil }) }()
	if err := w.Shutdown(t.Context(), phone.Shutdown{HangupCalls: true}); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-watched; err != nil {
		t.Errorf("Watch: %v", err)
	}
	waitGone(t, w)
	<-left
	if got := w.Exit().Status; got != "adopted, and let go of" {
		t.Errorf("exit %q", got)
	}
	if !strings.Contains(log.String(), "of another build") {
		t.Errorf("no word of the other version:\n%s", log)
	}
	next := adoptA(t, s)
	if next.Adopted() || next.PID() == os.Getpid() {
		t.Error("the next worker of the phone is not the server's own")
	}
	other, err := s.Start(t.Context(), "b")
	if err != nil || other.Adopted() {
		t.Errorf("another phone: %v", err)
	}
}

// Kill, and the server's end, let go of the worker: it runs in this process,
// which is still there.
func TestAnAdoptedWorkerIsNotKilled(t *testing.T) {
	for name, end := range map[string]func(*phoneproc.Starter, phoneproc.Worker) error{
		"Kill":  func(_ *phoneproc.Starter, w phoneproc.Worker) error { w.Kill(); return nil },
		"Close": func(s *phoneproc.Starter, _ phoneproc.Worker) error { return s.Close() },
		"Shutdown of one that stands still": func(_ *phoneproc.Starter, w phoneproc.Worker) error {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			if err := w.Shutdown(ctx, phone.Shutdown{}); !errors.Is(err, context.DeadlineExceeded) {
				return errors.Join(errors.New("want the deadline"), err)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, r, left := waiting(t, fakeworker.Knobs{IgnoreShutdown: true})
			s, _ := adopter(t, r)
			w := adoptA(t, s)
			if err := end(s, w); err != nil {
				t.Error(err)
			}
			waitGone(t, w)
			<-left // the phone is told
			if _, err := w.Health(t.Context()); !errors.Is(err, phoneproc.ErrWorkerGone) {
				t.Errorf("Health: %v", err)
			}
		})
	}
}

func TestAnAdoptedWorkerThatEndsIsNoticed(t *testing.T) {
	p := fakeworker.New(fakeworker.Knobs{})
	ctx, end := context.WithCancel(t.Context())
	told, ended := make(chan phonewire.Reattach, 1), make(chan error, 1)
	go func() {
		ended <- fakeworker.Await(ctx, p, "7", func(r phonewire.Reattach) { told <- r }, func() {})
	}()
	s, _ := adopter(t, <-told)
	w := adoptA(t, s)
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := w.Watch(t.Context(), 0, func(phone.Entry) error { return nil }); !errors.Is(err, phoneproc.ErrWorkerGone) {
		t.Errorf("Watch: %v", err)
	}
	waitGone(t, w)
	_ = p.Release()
}

func TestAWorkerThatIsNotThereCannotBeAdopted(t *testing.T) {
	dir := t.TempDir()
	mute := filepath.Join(dir, "mute")
	l, err := net.Listen("unix", mute) // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for name, c := range map[string]struct{ socket, want string }{
		"nobody":  {filepath.Join(dir, "none"), "nobody is there"},
		"silence": {mute, "context deadline exceeded"},
	} {
		s, _ := adopter(t, phonewire.Reattach{
			Protocol: "grpc", ProtocolVersion: phonewire.ProtocolVersion, Pid: os.Getpid(), Test: true,
			Addr: phonewire.Addr{Network: "unix", String: c.socket},
		})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := s.Start(ctx, "a")
		cancel()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "start it again, and the supervisor with the line") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
