package floors

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the map into README.md")

const root = "../.."

// list asks the go command for every package of the module.
func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-tags=interop", "-json=ImportPath,Dir,Doc,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports", "./...")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(out); ; {
		var l listed
		if err := d.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		all = append(all, l)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("go list: %v", err)
	}
	return all
}

func TestEveryPackageKeepsToItsFloor(t *testing.T) {
	all := list(t)
	if len(all) < 5 {
		t.Fatalf("go list names only %d packages", len(all))
	}
	for _, fault := range faults(all) {
		t.Error(fault)
	}
}

func TestReadmeHasTheMap(t *testing.T) {
	const path = root + "/README.md"
	readme, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := withMap(string(readme), houseMap(list(t)))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(readme) {
		t.Error("the map in README.md is not current: run `make generate`")
	}
}

func TestEveryFloorHasATitle(t *testing.T) {
	for pkg, f := range floor {
		if f >= len(floorTitle) || floorTitle[f] == "" {
			t.Errorf("%s stands on floor %d, which has no title", pkg, f)
		}
	}
}

// The rules find what they are for.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name string
		l    listed
		want string // part of the only fault; "" for none
	}{
		{"lower floor", listed{ImportPath: "ringmaster/worker/call", Imports: []string{"ringmaster/worker/dialog", "net", "time"}}, ""},
		{"same floor", listed{ImportPath: "ringmaster/worker/dialog", Imports: []string{"ringmaster/worker/dtmf"}}, "only lower floors"},
		{"higher floor", listed{ImportPath: "ringmaster/worker/wav", Imports: []string{"ringmaster/worker/recorder"}}, "only lower floors"},
		{"worker to supervisor", listed{ImportPath: "ringmaster/worker/call", Imports: []string{"ringmaster/supervisor/hub"}}, "of the supervisor"},
		{"supervisor to worker", listed{ImportPath: "ringmaster/supervisor/tool", Imports: []string{"ringmaster/worker/codec"}}, "of the worker"},
		{"program of the other side", listed{ImportPath: "ringmaster/cmd/supervisor", Imports: []string{"ringmaster/worker"}}, "of the worker"},
		{"scenario to supervisor", listed{ImportPath: "ringmaster/scenario/engine", Imports: []string{"ringmaster/supervisor/hub"}}, "of the supervisor"},
		{"supervisor to scenario", listed{ImportPath: "ringmaster/supervisor/tool", Imports: []string{"ringmaster/scenario"}}, ""},
		{"worker to scenario", listed{ImportPath: "ringmaster/worker/handset", Imports: []string{"ringmaster/scenario"}}, "of the scenario"},
		{"shared to worker", listed{ImportPath: "ringmaster/proto/phonewire", Imports: []string{"ringmaster/worker/codec"}}, "is shared"},
		{"product to test", listed{ImportPath: "ringmaster/worker/call", Imports: []string{"ringmaster/tests/phones"}}, "only tests may"},
		{"test over the border", listed{ImportPath: "ringmaster/supervisor/hub", TestImports: []string{"ringmaster/worker/codec"}}, "of the worker"},
		{"test outside the house", listed{ImportPath: "ringmaster/tests/contract", Imports: []string{"ringmaster/worker", "ringmaster/supervisor"}}, ""},
		{"unknown package", listed{ImportPath: "ringmaster/worker/util"}, "has no floor"},
		{"library in its place", listed{ImportPath: "ringmaster/worker/rtpsession", Imports: []string{"github.com/pion/rtcp"}}, ""},
		{"library elsewhere", listed{ImportPath: "ringmaster/worker/call", Imports: []string{"github.com/pion/rtcp"}}, "stays behind worker/rtpsession"},
		{"another part of a library", listed{ImportPath: "ringmaster/proto/siptx", Imports: []string{"github.com/emiago/sipgo"}}, "no package may import"},
		{"unknown library", listed{ImportPath: "ringmaster/worker/call", Imports: []string{"example.org/x"}}, "no package may import"},
	} {
		c.l.Doc = "Package x is here."
		got := strings.Join(faults([]listed{c.l}), "\n")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: want %q, found %q", c.name, c.want, got)
		}
	}
	if got := faults([]listed{{ImportPath: "ringmaster/loop"}}); len(got) != 1 || !strings.Contains(got[0], "no package comment") {
		t.Errorf("a package without a comment: %q", got)
	}
}
