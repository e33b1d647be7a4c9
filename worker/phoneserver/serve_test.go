package phoneserver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-plugin"

	"ringmaster/proto/phonewire"
)

// The last worker to leave takes the folder along. While the folder of another
// one is there, which may have been killed, the lock stays: without it no
// supervisor would ever know the folder for left behind.
func TestTheLastOneRemovesTheFolder(t *testing.T) {
	above := filepath.Join(t.TempDir(), "rm-1")
	mine, others := filepath.Join(above, "mine"), filepath.Join(above, "others")
	for _, dir := range []string{above, mine, others} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{filepath.Join(above, phonewire.LockName), filepath.Join(mine, "socket"), filepath.Join(others, "socket")} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(plugin.EnvUnixSocketDir, mine)
	RemoveFolder()
	if left, err := filepath.Glob(filepath.Join(above, "*")); err != nil || len(left) != 2 || left[0] != others || filepath.Base(left[1]) != phonewire.LockName {
		t.Errorf("the first leaves %v, %v", left, err)
	}
	t.Setenv(plugin.EnvUnixSocketDir, others)
	RemoveFolder()
	if _, err := os.Stat(above); !os.IsNotExist(err) {
		t.Errorf("the last leaves the folder: %v", err)
	}
}
