package chaos

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ringmaster/listen"
	"ringmaster/proto/artifact"
	"ringmaster/tests/mcpclient"
)

// leavings is what can be left behind: processes, what the server has open,
// and files in its temporary folder.
type leavings struct{ processes, open, files int }

// leavings drops every phone and counts what there is then.
func (r *rig) leavings() leavings {
	r.t.Helper()
	for _, p := range r.phones {
		r.c.Must("drop_phone", mcpclient.Args{"phone_id": p.ID})
	}
	l := r.count()
	r.addPhones()
	return l
}

func (r *rig) count() leavings {
	return leavings{len(r.processes()), len(list(filepath.Join("/proc", strconv.Itoa(r.c.PID()), "fd"))), len(r.tempFiles())}
}

// nothingLeft drops every phone and requires that no more is there than
// before.
func (r *rig) nothingLeft(before leavings) {
	r.t.Helper()
	for _, p := range r.phones {
		r.c.Must("drop_phone", mcpclient.Args{"phone_id": p.ID})
	}
	var now leavings
	deadline := time.Now().Add(5 * time.Second) // files that are closed by goroutines of others
	for {
		now = r.count()
		if now.processes <= before.processes && now.open <= before.open && now.files <= before.files {
			return
		}
		if time.Now().After(deadline) {
			r.t.Errorf("left are %+v, before there were %+v: processes %v, files %v", now, before, r.processes(), r.tempFiles())
			return
		}
		r.pass(10 * time.Millisecond)
	}
}

// processes are those of this rig: they have its home in their environment.
func (r *rig) processes() []int {
	var mine []int
	home := []byte("HOME=" + r.c.Home + "\x00")
	for _, name := range list("/proc") {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		environ, err := os.ReadFile(filepath.Join("/proc", name, "environ"))
		if err == nil && bytes.Contains(environ, home) {
			mine = append(mine, pid)
		}
	}
	return mine
}

func (r *rig) tempFiles() []string {
	var files []string
	_ = filepath.WalkDir(r.temp, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && path != r.temp {
			files = append(files, path)
		}
		return nil // what goes while it is looked at is not left
	})
	return files
}

// filesAreWhole requires that every recording can be read and has its sidecar,
// that every capture ends with a whole packet, and that there are some.
func (r *rig) filesAreWhole() {
	r.t.Helper()
	wavs := r.files(r.c.Recordings, artifact.WAV)
	for _, path := range wavs {
		if _, err := listen.Read(path); err != nil {
			r.t.Error(err)
		}
		if _, err := artifact.ReadSidecar(artifact.SidecarPath(path)); err != nil {
			r.t.Errorf("the sidecar of %s: %v", path, err)
		}
	}
	pcaps := r.files(r.c.Captures, artifact.PCAP)
	for _, path := range pcaps {
		if changed, err := artifact.RepairPCAP(path); changed || err != nil {
			r.t.Errorf("%s was not whole (%v)", path, err)
		}
	}
	if parts := r.files(r.c.Recordings, ".part"); len(parts) > 0 {
		r.t.Errorf("half-written are %v", parts)
	}
	r.t.Logf("%d recordings and %d captures are whole", len(wavs), len(pcaps))
	if len(wavs) < r.plan.phones || len(pcaps) == 0 {
		r.t.Error("that is too few to mean anything")
	}
}

func (r *rig) files(root, ending string) []string {
	r.t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ending) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return found
}

// serverDies kills the server itself: its workers have 3 s to leave.
func (r *rig) serverDies() {
	r.t.Helper()
	began := time.Now()
	r.c.Signal(syscall.SIGKILL)
	r.c.WaitEnd(3 * time.Second)
	for left := r.processes(); len(left) > 0; left = r.processes() {
		if time.Since(began) > 3*time.Second {
			r.t.Errorf("3 s after the death of the server there are the processes %v", left)
			return
		}
		r.pass(10 * time.Millisecond)
	}
	if left := r.tempFiles(); len(left) > 0 {
		r.t.Errorf("the death of the server has left %v", left)
	}
	r.t.Logf("kill -9 of the server to no process left: %v", time.Since(began).Round(time.Millisecond))
}

// list gives the names in a folder; none when it has gone.
func list(folder string) []string {
	entries, _ := os.ReadDir(folder)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return slices.Clip(names)
}
