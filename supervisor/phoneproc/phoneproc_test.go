package phoneproc_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/phoneproc"
	"ringmaster/tests/fakeworker"
)

func TestMain(m *testing.M) {
	fakeworker.Main()
	if len(os.Args) > 1 && os.Args[1] == "supervisor" {
		fmt.Fprintln(os.Stderr, supervise(os.Args[2:]))
		os.Exit(1) //nolint:forbidigo // this process is the supervisor of a test
	}
	goleak.VerifyTestMain(m)
}

// limit is how long anything in these tests may take.
const limit = 20 * time.Second

func context20(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

func newStarter(t *testing.T, change func(*phoneproc.Options), flags ...string) *phoneproc.Starter {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := phoneproc.Options{Path: self, Args: fakeworker.Args(flags...), Environ: fakeworker.Environ()}
	if change != nil {
		change(&o)
	}
	s, err := phoneproc.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// start gives a worker whose phone is configured.
func start(t *testing.T, flags ...string) phoneproc.Worker {
	t.Helper()
	ctx := context20(t)
	w, err := newStarter(t, nil, flags...).Start(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Configure(ctx, configuration()); err != nil {
		t.Fatal(err)
	}
	return w
}

func configuration() phone.Configuration {
	return phone.Configuration{
		Settings: phone.Settings{PhoneID: "a", Domain: "127.0.0.1", Username: "a", Transport: phone.UDP},
		CallIDs:  phone.Block{First: 0, Count: 1000},
	}
}

func shortTempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pp") //nolint:usetesting // t.TempDir is too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func waitGone(t *testing.T, w phoneproc.Worker) {
	t.Helper()
	select {
	case <-w.Gone():
	case <-time.After(limit):
		t.Fatal("the worker is not gone")
	}
}

func TestAWorkerStartsAnswersAndShutsDown(t *testing.T) {
	w := start(t)
	ctx := context20(t)
	if w.PID() <= 0 || w.Exit().Status != "" {
		t.Errorf("pid %d, exit %v", w.PID(), w.Exit())
	}
	if _, err := w.Do(ctx, phone.MakeCall{DestURI: "sip:b@127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	types := make(chan []string, 1)
	watching := make(chan struct{}, 100)
	go func() {
		var got []string
		err := w.Watch(ctx, 0, func(e phone.Entry) error {
			if e.Event != nil {
				got = append(got, e.Event.Type)
			}
			watching <- struct{}{}
			return nil
		})
		if err != nil {
			t.Errorf("Watch after Shutdown: %v", err)
		}
		types <- got
	}()
	<-watching
	if err := w.Shutdown(ctx, phone.Shutdown{HangupCalls: true}); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	waitGone(t, w)
	if w.Exit().Status != "exit status 0" {
		t.Errorf("exit: %v", w.Exit())
	}
	want := []string{"call.state.calling", "call.state.confirmed", "call.state.disconnected"}
	if got := <-types; !slices.Equal(got, want) {
		t.Errorf("watched %v, want %v: what happens during Shutdown is part of the journal", got, want)
	}
	if _, err := w.Health(ctx); !errors.Is(err, phoneproc.ErrWorkerGone) {
		t.Errorf("Health after the end: %v", err)
	}
}

// atOnce requires that deaths are noticed within 100 ms. One that is not may be
// a busy machine's doing, and so is not the last word; five are.
func atOnce(t *testing.T, die func() (noticed time.Duration)) {
	t.Helper()
	var all []time.Duration
	for range 5 {
		took := die()
		if took <= 100*time.Millisecond {
			return
		}
		all = append(all, took)
	}
	t.Errorf("deaths were noticed after %v", all)
}

func TestDeathIsNoticedAtOnceAndExplained(t *testing.T) {
	atOnce(t, func() time.Duration { return killWatched(t) })
}

// killWatched kills a worker that is watched and gives the time until that is
// known.
func killWatched(t *testing.T) time.Duration {
	t.Helper()
	w := start(t)
	ctx := context20(t)
	stream := make(chan error, 1)
	go func() { stream <- w.Watch(ctx, 0, func(phone.Entry) error { return nil }) }()
	killed := time.Now()
	if err := syscall.Kill(w.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	waitGone(t, w)
	took := time.Since(killed)
	err := <-stream
	var e *phone.Error
	if !errors.Is(err, phoneproc.ErrWorkerGone) || !errors.As(err, &e) || e.Kind != phone.Gone {
		t.Errorf("Watch: %v", err)
	}
	if want := `the worker process of phone "a" is gone (signal: killed)`; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	return took
}

func TestLastWordsOfAPanic(t *testing.T) {
	w := start(t)
	_, err := w.Do(context20(t), phone.SendDTMF{Digits: "1"})
	if err == nil || errors.Is(err, phoneproc.ErrWorkerGone) {
		t.Fatalf("without the knob: %v", err)
	}
	w = start(t, "-panic-on-dtmf")
	_, err = w.Do(context20(t), phone.SendDTMF{Digits: "1"})
	if !errors.Is(err, phoneproc.ErrWorkerGone) || !strings.Contains(err.Error(), "exit status 2; its last words: panic: the knob says so") {
		t.Errorf("got %v", err)
	}
	if lines := w.Exit().Stderr; len(lines) < 3 || len(lines) > 20 {
		t.Errorf("%d lines of stderr kept: %q", len(lines), lines)
	}
}

// A child that holds the worker's standard error does not delay the noticing.
func TestChildrenGoWithTheWorker(t *testing.T) {
	atOnce(t, func() time.Duration { return killWithChild(t) })
}

// killWithChild kills a worker that has a child and gives the time until that
// is known.
func killWithChild(t *testing.T) time.Duration {
	t.Helper()
	w := start(t, "-child")
	ctx, stop := context.WithCancel(context20(t))
	var child int
	err := w.Watch(ctx, 0, func(e phone.Entry) error {
		child = int(e.Event.Data["pid"].(int64))
		stop()
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) || !alive(child) {
		t.Fatalf("Watch: %v, child %d alive: %v", err, child, alive(child))
	}
	childEnd, err := unix.PidfdOpen(child, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(childEnd) }()
	killed := time.Now()
	if err := syscall.Kill(w.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	waitGone(t, w)
	took := time.Since(killed)
	poll := []unix.PollFd{{Fd: int32(childEnd), Events: unix.POLLIN}}
	if n, err := unix.Poll(poll, int(limit.Milliseconds())); err != nil || n != 1 {
		t.Errorf("the child lives on: %d, %v", n, err)
	}
	return took
}

func TestShutdownThatIsIgnoredEndsInAKill(t *testing.T) {
	w := start(t, "-ignore-shutdown")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.Shutdown(ctx, phone.Shutdown{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	select {
	case <-w.Gone():
	default:
		t.Error("Shutdown returned before the process was gone")
	}
}

// supervise starts a worker, tells its pid, and waits to be killed.
func supervise(flags []string) error {
	s, err := phoneproc.New(phoneproc.Options{Path: os.Args[0], Args: fakeworker.Args(flags...), Environ: fakeworker.Environ()})
	if err != nil {
		return err
	}
	w, err := s.Start(context.Background(), "a")
	if err != nil {
		return err
	}
	if _, err := w.Configure(context.Background(), configuration()); err != nil {
		return err
	}
	fmt.Println(w.PID()) //nolint:forbidigo // this process is the supervisor of a test
	select {}
}

func TestWorkersEndWithTheSupervisor(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, flags := range [][]string{nil, {"-ignore-stdin"}, {"-ignore-sigterm"}} {
		temp := shortTempDir(t) // its socket is left behind, for the next supervisor to remove
		supervisor := exec.Command(self, append([]string{"supervisor"}, flags...)...)
		supervisor.Env = append(os.Environ(), "TMPDIR="+temp)
		out, err := supervisor.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := supervisor.Start(); err != nil {
			t.Fatal(err)
		}
		var pid int
		if _, err := fmt.Fscan(out, &pid); err != nil {
			t.Fatal(err)
		}
		workerEnd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := supervisor.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = supervisor.Wait() // "signal: killed"
		poll := []unix.PollFd{{Fd: int32(workerEnd), Events: unix.POLLIN}}
		if n, err := unix.Poll(poll, 3000); err != nil || n != 1 {
			t.Errorf("%v: the worker outlived its supervisor: %d, %v", flags, n, err)
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err := unix.Close(workerEnd); err != nil {
			t.Error(err)
		}
		newStarter(t, func(o *phoneproc.Options) { o.TempDir = temp })
		if left, err := os.ReadDir(temp); err != nil || len(left) != 1 {
			t.Errorf("%v: with the folder of the next supervisor there are %v, %v", flags, left, err)
		}
	}
}

func TestAStoppedProcessIsKilled(t *testing.T) {
	w := start(t)
	if err := syscall.Kill(w.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := unix.Waitid(unix.P_PID, w.PID(), nil, unix.WSTOPPED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := w.Health(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Health of a stopped process: %v", err)
	}
	w.Kill()
	if got := w.Exit().Status; got != "signal: killed" {
		t.Errorf("exit %q", got)
	}
}

func TestFailedStartsSayWhyAndLeaveNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*phoneproc.Options)
		flags  []string
		want   string
	}{
		"no such program": {change: func(o *phoneproc.Options) { o.Path = "/nowhere/phoneworker" },
			want: `the worker of phone "a" did not start: the worker program /nowhere/phoneworker cannot be run (no such file or directory): install phoneworker beside`},
		"ends early":       {flags: []string{"-exit-early"}, want: "it ended before it was ready (exit status 4; its last words: ending before the handshake, as told)"},
		"not a worker":     {change: func(o *phoneproc.Options) { o.Path, o.Args = "/bin/echo", []string{"hello"} }, want: "did not start"},
		"says nonsense":    {change: func(o *phoneproc.Options) { o.Path, o.Args = "/bin/sh", []string{"-c", "echo hello; exec sleep 60"} }, want: "is no phoneworker"},
		"killed at once":   {change: func(o *phoneproc.Options) { o.Path, o.Args = "/bin/sh", []string{"-c", "kill -9 $$"} }, want: "it ended before it was ready (signal: killed)"},
		"stalls":           {change: func(o *phoneproc.Options) { o.StartTimeout = 300 * time.Millisecond }, flags: []string{"-stall-handshake"}, want: "it gave no sign of life within 300ms"},
		"another version":  {change: func(o *phoneproc.Options) { o.Version = "2" }, flags: []string{"-version=1"}, want: `the worker program is version "1" and the supervisor is "2": install both from the same build`},
		"unknown argument": {flags: []string{"-nonsense"}, want: "exit status 2"},
	} {
		t.Run(name, func(t *testing.T) {
			temp := shortTempDir(t)
			s := newStarter(t, func(o *phoneproc.Options) {
				o.TempDir = temp
				if tc.change != nil {
					tc.change(o)
				}
			}, tc.flags...)
			w, err := s.Start(context20(t), "a")
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, %v, want %q", w, err, tc.want)
			}
			if left, _ := filepath.Glob(filepath.Join(temp, "*", "*")); len(left) != 1 || filepath.Base(left[0]) != "supervisor.lock" {
				t.Errorf("left behind: %v", left)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if left, _ := filepath.Glob(filepath.Join(temp, "*")); len(left) > 0 {
				t.Errorf("left behind after Close: %v", left)
			}
		})
	}
}

// stuckWriter is a log that nobody reads until it is released.
type stuckWriter struct{ released chan struct{} }

func (w stuckWriter) Write(p []byte) (int, error) {
	<-w.released
	return len(p), nil
}

func TestALogThatNobodyReadsHidesNoDeath(t *testing.T) {
	stuck := stuckWriter{make(chan struct{})}
	s := newStarter(t, func(o *phoneproc.Options) {
		o.Log = hclog.New(&hclog.LoggerOptions{Output: stuck, Level: hclog.Warn})
	}, "-panic-on-dtmf")
	defer close(stuck.released) // before the starter's Close, which waits for the log
	w, err := s.Start(context20(t), "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Configure(context20(t), configuration()); err != nil {
		t.Fatal(err)
	}
	// The panic's words go to the log.
	if _, err = w.Do(context20(t), phone.SendDTMF{Digits: "1"}); !errors.Is(err, phoneproc.ErrWorkerGone) {
		t.Errorf("got %v", err)
	}
	waitGone(t, w)
}

func TestStartEndsWithItsContext(t *testing.T) {
	s := newStarter(t, nil, "-stall-handshake")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := s.Start(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestCloseTakesEveryWorkerAlong(t *testing.T) {
	s := newStarter(t, nil)
	ctx := context20(t)
	var workers []phoneproc.Worker
	for _, id := range []phone.ID{"a", "b", "c"} {
		w, err := s.Start(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		workers = append(workers, w)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, w := range workers {
		select {
		case <-w.Gone():
		default:
			t.Errorf("pid %d is not gone", w.PID())
		}
	}
	if _, err := s.Start(ctx, "d"); err == nil {
		t.Error("a closed starter must not start")
	}
}

func TestAWorkerSeesOnlyTheAllowedEnvironment(t *testing.T) {
	s := newStarter(t, func(o *phoneproc.Options) {
		o.Environ = []string{"PATH=/bin", "SIP_PASSWORD=secret", "TZ=UTC"}
	})
	w, err := s.Start(context20(t), "a")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(w.PID()), "environ"))
	if err != nil {
		t.Fatal(err)
	}
	env := string(raw)
	if strings.Contains(env, "secret") || !strings.Contains(env, "PATH=/bin") || !strings.Contains(env, "TZ=UTC") {
		t.Errorf("environment: %q", env)
	}
	command, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(w.PID()), "cmdline"))
	if err != nil || strings.Contains(string(command), "secret") {
		t.Errorf("command line: %q, %v", command, err)
	}
}

func TestManyEntriesArriveInOrder(t *testing.T) {
	const n = 3000
	w := start(t, "-flood=3000")
	done := errors.New("that is all")
	var next int64
	err := w.Watch(context20(t), 0, func(e phone.Entry) error {
		if e.Seq != uint64(next+1) || e.Event.Data["n"] != next {
			t.Fatalf("entry %d after %d: %v", e.Seq, next, e.Event)
		}
		if next++; next == n {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) {
		t.Errorf("Watch: %v after %d", err, next)
	}
}
