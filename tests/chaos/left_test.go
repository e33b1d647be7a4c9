package chaos

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	return leavings{len(processes(r.c)), len(list(filepath.Join("/proc", strconv.Itoa(r.c.PID()), "fd"))), len(tempFiles(r.temp))}
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
			r.t.Errorf("left are %+v, before there were %+v: processes %v, files %v", now, before, processes(r.c), tempFiles(r.temp))
			return
		}
		r.pass(10 * time.Millisecond)
	}
}

// processes are those of a server: they have its home in their environment.
func processes(c *mcpclient.Client) []int {
	var mine []int
	home := []byte("HOME=" + c.Home + "\x00")
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

func tempFiles(temp string) []string {
	var files []string
	_ = filepath.WalkDir(temp, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && path != temp {
			files = append(files, path)
		}
		return nil // what goes while it is looked at is not left
	})
	return files
}

// filesAreWhole requires that every recording can be read and has its sidecar,
// that every capture ends with a whole packet, and that there are some: at
// least so many recordings.
func (r *rig) filesAreWhole(c *mcpclient.Client, least int) {
	r.t.Helper()
	wavs := r.files(c.Recordings, artifact.WAV)
	for _, path := range wavs {
		if _, err := listen.Read(path); err != nil {
			r.t.Error(err)
		}
		if _, err := artifact.ReadSidecar(artifact.SidecarPath(path)); err != nil {
			r.t.Errorf("the sidecar of %s: %v", path, err)
		}
	}
	pcaps := r.files(c.Captures, artifact.PCAP)
	for _, path := range pcaps {
		if changed, err := artifact.RepairPCAP(path); changed || err != nil {
			r.t.Errorf("%s was not whole (%v)", path, err)
		}
	}
	if parts := r.files(c.Recordings, ".part"); len(parts) > 0 {
		r.t.Errorf("half-written are %v", parts)
	}
	r.t.Logf("%d recordings and %d captures were looked at", len(wavs), len(pcaps))
	if len(wavs) < least || len(pcaps) == 0 {
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

// list gives the names in a folder; none when it has gone.
func list(folder string) []string {
	entries, _ := os.ReadDir(folder)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return slices.Clip(names)
}
