package shelf

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ringmaster/proto/phone"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// put makes files, each written a second after the one before.
func put(t *testing.T, root string, names ...string) {
	t.Helper()
	for i, name := range names {
		file := filepath.Join(root, name)
		at := noon.Add(time.Duration(i) * time.Second)
		err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, make([]byte, i), 0o644), os.Chtimes(file, at, at))
		if err != nil {
			t.Fatal(err)
		}
	}
}

func describe(root string, list []Recording) []string {
	var out []string
	for _, r := range list {
		name, err := filepath.Rel(root, r.Path)
		if err != nil {
			name = err.Error()
		}
		call := "-"
		if r.CallID != nil {
			call = fmt.Sprint(*r.CallID)
		}
		line := fmt.Sprintf("%s %q %s", name, r.PhoneID, call)
		if r.MetaPath != "" {
			line += " " + filepath.Base(r.MetaPath)
		}
		out = append(out, line)
	}
	return out
}

func find(t *testing.T, root string, f Filter) []string {
	t.Helper()
	list, err := Recordings(t.Context(), root, f)
	if err != nil {
		t.Fatal(err)
	}
	return describe(root, list)
}

func TestRecordings(t *testing.T) {
	root := t.TempDir()
	put(t, root,
		"a/call_0_20261122_120000_000001.wav", "a/call_0_20261122_120000_000001.meta.json",
		"a/call_12_whatever.wav", "a/notes.wav", "a/call_12x.wav", "a/call_3.wav.part", "a/call_3.pcap", "Not a phone/call_3.wav", "a/deep/call_4_x.wav",
		"call_a_1_5_20261122_120000.wav", "call_6_20261122_120000_000001.wav", "empty/x.txt")
	want := []string{
		`call_6_20261122_120000_000001.wav "" 6`,
		`call_a_1_5_20261122_120000.wav "a_1" 5`,
		`a/deep/call_4_x.wav "deep" 4`,
		`Not a phone/call_3.wav "Not a phone" 3`,
		`a/call_12x.wav "a" 12`,
		`a/notes.wav "a" -`,
		`a/call_12_whatever.wav "a" 12`,
		`a/call_0_20261122_120000_000001.wav "a" 0 call_0_20261122_120000_000001.meta.json`,
	}
	if got := find(t, root, Filter{}); !slices.Equal(got, want) {
		t.Errorf("found %q\nwant  %q", got, want)
	}
	if got := find(t, root, Filter{PhoneID: "a"}); !slices.Equal(got, want[4:]) {
		t.Errorf("of a: %q", got)
	}
	zero, twelve := phone.CallID(0), phone.CallID(12)
	if got := find(t, root, Filter{CallID: &zero}); !slices.Equal(got, want[7:]) {
		t.Errorf("of call 0: %q", got)
	}
	if got := find(t, root, Filter{PhoneID: "a_1", CallID: &twelve}); len(got) != 0 {
		t.Errorf("call 12 of a_1: %q", got)
	}
	list, err := Recordings(t.Context(), root, Filter{PhoneID: "a_1"})
	if err != nil || len(list) != 1 || list[0].Size != 9 || !list[0].Changed.Equal(noon.Add(9*time.Second)) {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestSameTimeTheLaterStampFirst(t *testing.T) {
	root := t.TempDir()
	put(t, root, "b/call_1000_20261122_120000_000001.wav")
	put(t, root, "a/call_0_20261122_120000_000000.wav")
	put(t, root, "a/call_1_20261122_120000_000002.wav")
	want := []string{`a/call_1_20261122_120000_000002.wav "a" 1`, `b/call_1000_20261122_120000_000001.wav "b" 1000`, `a/call_0_20261122_120000_000000.wav "a" 0`}
	if got := find(t, root, Filter{}); !slices.Equal(got, want) {
		t.Errorf("found %q", got)
	}
}

func TestLinksAndRootsThatAreNotThere(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "real/a/call_1_x.wav", "secret.wav", "secret.meta.json")
	root := filepath.Join(dir, "root")
	for _, err := range []error{
		os.Symlink(filepath.Join(dir, "real"), root),
		os.Symlink("call_1_x.wav", filepath.Join(root, "a", "call_2_x.wav")),
		os.Symlink(filepath.Join(dir, "secret.wav"), filepath.Join(root, "a", "call_5_x.wav")),
		os.Symlink("../../secret.wav", filepath.Join(root, "a", "call_6_x.wav")),
		os.Symlink("../../secret.meta.json", filepath.Join(root, "a", "call_1_x.meta.json")),
		os.Symlink("nothing", filepath.Join(root, "a", "call_3_x.wav")),
		os.Symlink("a", filepath.Join(root, "again")),
		os.Mkdir(filepath.Join(root, "call_4.wav"), 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, want := find(t, root, Filter{}), []string{`a/call_1_x.wav "a" 1`, `a/call_2_x.wav "a" 2`}; !slices.Equal(got, want) {
		t.Errorf("through links: %q", got)
	}
	if got := find(t, filepath.Join(dir, "none"), Filter{}); len(got) != 0 {
		t.Errorf("without a root: %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Recordings(ctx, root, Filter{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestFlatNames(t *testing.T) {
	for name, want := range map[string]string{
		"call_a_5_20261122_120000_000001":      `"a" 5`,
		"call_a_5_20261122_120000":             `"a" 5`,
		"call_6001_0_20261122_120000":          `"6001" 0`,
		"call_desk_1_2_7_20261122_120000_0001": `"desk_1_2" 7`,
		"call_a_5_1795348800":                  `"a" 5`,
		"call_a_5":                             `"a" 5`,
		"call_5":                               `"" 5`,
		"call_5_20261122_120000":               `"" 5`,
		"call_5_20261122_120000_000001":        `"" 5`,
		"call_A_5_x":                           `"" -`,
		"notes":                                `"" -`,
	} {
		id, call := flat(name)
		got := fmt.Sprintf("%q -", id)
		if call != nil {
			got = fmt.Sprintf("%q %d", id, *call)
		}
		if got != want {
			t.Errorf("flat(%q) = %s, want %s", name, got, want)
		}
	}
}
