package mcpclient

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// ProgramsVariable names the environment variable that holds the folder of the
// programs under test. Without it they are built for the test.
const ProgramsVariable = "RINGMASTER_BIN"

// Programs is the folder with the programs under test, and how to remove it.
type Programs struct {
	Dir    string
	remove bool
}

// FindPrograms returns the folder that ProgramsVariable names; without it, it
// builds the programs into a new folder, with the race detector when the test
// itself has it. It is called once, by TestMain.
func FindPrograms() (Programs, error) {
	if dir := os.Getenv(ProgramsVariable); dir != "" {
		dir, err := filepath.Abs(dir)
		return Programs{Dir: dir}, err
	}
	root, err := moduleRoot()
	if err != nil {
		return Programs{}, err
	}
	dir, err := os.MkdirTemp("", "programs")
	if err != nil {
		return Programs{}, err
	}
	p := Programs{Dir: dir, remove: true}
	args := []string{"build", "-trimpath", "-o", dir}
	if raceDetector {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "./cmd/supervisor", "./cmd/phoneworker")...)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return Programs{}, errors.Join(fmt.Errorf("building the programs under test: %w\n%s", err, out), p.Remove())
	}
	return p, nil
}

// Remove deletes what FindPrograms built.
func (p Programs) Remove() error {
	if !p.remove {
		return nil
	}
	return os.RemoveAll(p.Dir)
}

// moduleRoot is the folder of go.mod, from the working directory upwards.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod here or above")
		}
		dir = parent
	}
}
