package contract_test

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/fleet"
	"ringmaster/supervisor/phoneproc"
	"ringmaster/tests/fakeworker"
)

// shortTemp is a temporary folder whose path is short enough for sockets.
func shortTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "st") //nolint:usetesting // t.TempDir is too long
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

// children are the processes that this one has started and that are there.
func children(t *testing.T) []string {
	t.Helper()
	threads, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil || len(threads) == 0 {
		t.Fatal("this kernel does not list children: ", err)
	}
	var all []string
	for _, path := range threads {
		if raw, err := os.ReadFile(path); err == nil { // threads go
			all = append(all, strings.Fields(string(raw))...)
		}
	}
	return all
}

// openFiles counts the descriptors of this process.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// onlyTheLock reports that there is nothing below a supervisor's temporary
// folder but its lock.
func onlyTheLock(temp string) bool {
	made, _ := filepath.Glob(filepath.Join(temp, "*", "*"))
	return len(made) == 1 && filepath.Base(made[0]) == "supervisor.lock"
}

// A phone whose worker does not start is one clear error, and nothing is left:
// no phone, no process, no file, no socket, no open descriptor; and the port
// that it was to have is free.
func TestAPhoneThatDoesNotStartLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	notExecutable := filepath.Join(dir, "phoneworker")
	if err := os.WriteFile(notExecutable, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	takenPort := taken.LocalAddr().(*net.UDPAddr).Port

	for _, c := range []struct {
		name   string
		change func(*phoneproc.Options)
		flags  []string
		port   int
		want   []string
	}{
		{"binary missing", func(o *phoneproc.Options) { o.Path = filepath.Join(dir, "none") }, nil, 0,
			[]string{filepath.Join(dir, "none"), "cannot be run (no such file or directory)", "install phoneworker beside the supervisor"}},
		{"binary not executable", func(o *phoneproc.Options) { o.Path = notExecutable }, nil, 0,
			[]string{notExecutable, "cannot be run (permission denied)", "make it executable (chmod +x)"}},
		{"binary is a folder", func(o *phoneproc.Options) { o.Path = dir }, nil, 0, []string{dir, "cannot be run (is a directory)"}},
		{"another version", func(o *phoneproc.Options) { o.Version = "2" }, []string{"-version=1"}, 0,
			[]string{`is version "1" and the supervisor is "2"`, "install both from the same build"}},
		{"handshake stalled", func(o *phoneproc.Options) { o.StartTimeout = 300 * time.Millisecond }, []string{"-stall-handshake", "-ignore-sigterm", "-ignore-stdin"}, 0,
			[]string{"gave no sign of life within 300ms"}},
		{"ends before the handshake", nil, []string{"-exit-early"}, 0, []string{"ended before it was ready (exit status 4"}},
		{"dies in Configure", nil, []string{"-die-in-configure"}, 0, []string{"could not be made", "exit status 3; its last words: dying as told"}},
		{"port taken", nil, nil, takenPort, []string{"port " + strconv.Itoa(takenPort) + " is in use"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			temp := shortTemp(t)
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			o := phoneproc.Options{
				Path: self, Args: fakeworker.Args(c.flags...), Environ: fakeworker.Environ(), StartTimeout: 20 * time.Second, TempDir: temp,
			}
			if c.change != nil {
				c.change(&o)
			}
			starter, err := phoneproc.New(o)
			if err != nil {
				t.Fatal(err)
			}
			var told []phone.ID
			f := fleet.New(starter, &events{more: make(chan struct{})}, fleet.Options{OnChange: func(added, _ []phone.ID) { told = append(told, added...) }})
			before, files := children(t), openFiles(t)

			_, err = f.Add(t.Context(), phone.Settings{PhoneID: "a", Domain: "127.0.0.1", Username: "a", Transport: phone.UDP, LocalPort: c.port})
			if err == nil {
				t.Fatal("it started")
			}
			for _, words := range c.want {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("the error does not say %q: %v", words, err)
				}
			}
			if len(f.List()) > 0 || len(told) > 0 {
				t.Errorf("there is a phone: %+v, tools of %v", f.List(), told)
			}
			left := slices.DeleteFunc(children(t), func(pid string) bool { return slices.Contains(before, pid) })
			if len(left) > 0 {
				t.Errorf("there are the processes %v", left)
			}
			deadline := time.Now().Add(5 * time.Second) // a reader of a pipe closes it a moment later
			for openFiles(t) > files {
				if time.Now().After(deadline) {
					t.Fatalf("%d files are open, %d were before", openFiles(t), files)
				}
				<-time.After(time.Millisecond)
			}
			for !onlyTheLock(temp) { // the folder of a socket goes a moment after its process
				if time.Now().After(deadline) {
					t.Fatal("a folder of sockets is left")
				}
				<-time.After(time.Millisecond)
			}
			if err := f.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if err := starter.Close(); err != nil {
				t.Error(err)
			}
			if made, _ := filepath.Glob(filepath.Join(temp, "*")); len(made) > 0 {
				t.Errorf("after the end there are the files %v", made)
			}
		})
	}
}

// A worker that answers slowly is slow, and no more: it is not killed for it,
// and no other phone waits for it.
func TestASlowWorkerHoldsUpNobodyElse(t *testing.T) {
	const late = time.Second
	slow := fleet.New(newStarter(t, "-answer-after="+late.String()), &events{more: make(chan struct{})}, fleet.Options{})
	s := phone.Settings{Domain: "127.0.0.1", Transport: phone.UDP, Register: true}
	for _, id := range []phone.ID{"a", "b"} {
		s.PhoneID, s.Username = id, string(id)
		if _, err := slow.Add(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	done := make(chan error, 2)
	for _, id := range []phone.ID{"a", "b"} {
		go func() {
			_, err := slow.Do(t.Context(), id, phone.MakeCall{DestURI: "sip:x@127.0.0.1"})
			done <- err
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(began); took < late || took > 2*late-late/10 {
		t.Errorf("two slow commands to two phones took %v, want little more than %v", took, late)
	}
	for _, status := range slow.List() {
		if status.Worker.State != fleet.Running || status.Worker.Restarts != 0 {
			t.Errorf("%+v", status)
		}
	}
	if err := slow.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A phone may die with as many dialogs as it has calls at most, whose messages
// are as long as messages may be: its successor takes them all.
func TestASuccessorTakesWhatABusyWorkerLeaves(t *testing.T) {
	const calls, longest = 512, 65535
	w, err := newStarter(t).Start(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Kill()
	c := phone.Configuration{
		Settings: phone.Settings{PhoneID: "a", Domain: "127.0.0.1", Username: "a", Transport: phone.UDP},
		CallIDs:  phone.Block{First: 0, Count: 1000},
	}
	for i := range calls {
		c.Orphans = append(c.Orphans, phone.Dialog{
			SIPCallID: strconv.Itoa(i), Target: strings.Repeat("t", longest),
			Invite: &phone.Invite{Head: slices.Repeat([]byte("h"), longest), Transport: phone.UDP},
		})
	}
	if _, err := w.Configure(t.Context(), c); err != nil {
		t.Error(err)
	}
}
