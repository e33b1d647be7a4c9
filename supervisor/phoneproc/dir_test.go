package phoneproc_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ringmaster/supervisor/phoneproc"
)

func TestTheSocketFolderIsOursAlone(t *testing.T) {
	temp := shortTempDir(t)
	s := newStarter(t, func(o *phoneproc.Options) { o.TempDir = temp })
	if _, err := s.Start(context20(t), "a"); err != nil {
		t.Fatal(err)
	}
	sockets, err := filepath.Glob(filepath.Join(temp, "*", "*", "*"))
	if err != nil || len(sockets) != 1 {
		t.Fatalf("sockets: %v, %v", sockets, err)
	}
	info, err := os.Stat(filepath.Dir(filepath.Dir(sockets[0])))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info, err)
	}
}

func TestFoldersOfTheDeadAreRemovedAndOthersStay(t *testing.T) {
	temp := shortTempDir(t)
	for _, dir := range []string{"rm-notours", "rm-link", "other", "rm-dead"} {
		if err := os.Mkdir(filepath.Join(temp, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"rm-notours/lock", "other/supervisor.lock", "rm-dead/supervisor.lock"} {
		if err := os.WriteFile(filepath.Join(temp, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(temp, "other", "supervisor.lock"), filepath.Join(temp, "rm-link", "supervisor.lock")); err != nil {
		t.Fatal(err)
	}
	folders := func() (names []string, running int) {
		entries, err := os.ReadDir(temp)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.Trim(strings.TrimPrefix(e.Name(), "rm-"), "0123456789") == "" {
				running++
			} else {
				names = append(names, e.Name())
			}
		}
		return names, running
	}
	inTemp := func(o *phoneproc.Options) { o.TempDir = temp }
	newStarter(t, inTemp)
	second := newStarter(t, inTemp)
	if names, running := folders(); !slices.Equal(names, []string{"other", "rm-link", "rm-notours"}) || running != 2 {
		t.Errorf("left: %v, and %d of running starters", names, running)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if _, running := folders(); running != 1 {
		t.Errorf("%d folders of running starters after the end of one of two", running)
	}
}

func TestALongTempDirIsRefused(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := phoneproc.New(phoneproc.Options{TempDir: long})
	if err == nil || !strings.Contains(err.Error(), "set TMPDIR to a path of at most 55 bytes") {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(long); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
