package asterisk

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
)

// program is an Asterisk that runs from a Debian tree somewhere in the file
// system, by that tree's own loader and libraries.
type program struct {
	loader    string
	libraries string
	binary    string
	modules   string
	data      string
}

// find looks for the program's pieces below root.
func find(root string) (program, error) {
	one := func(patterns ...string) (string, error) {
		for _, p := range patterns {
			if found, _ := filepath.Glob(filepath.Join(root, p)); len(found) > 0 {
				return found[0], nil
			}
		}
		return "", fmt.Errorf("%s=%s holds no %s: let scripts/install-asterisk make it anew", RootVariable, root, patterns[0])
	}
	var p program
	var err error
	for _, piece := range []struct {
		to       *string
		patterns []string
	}{
		{&p.loader, []string{"lib64/ld-linux-*.so.*", "lib/ld-linux-*.so.*"}},
		{&p.libraries, []string{"usr/lib/*-linux-gnu"}},
		{&p.binary, []string{"usr/sbin/asterisk"}},
		{&p.modules, []string{"usr/lib/*-linux-gnu/asterisk/modules"}},
		{&p.data, []string{"usr/share/asterisk"}},
	} {
		if *piece.to, err = one(piece.patterns...); err != nil {
			return program{}, err
		}
	}
	return p, nil
}

// command is the program with arguments, yet to be started; it is killed when
// ctx ends.
func (p program) command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, p.loader, append([]string{"--library-path", p.libraries, p.binary}, args...)...)
}

// ownGroup keeps a terminal's Ctrl-C from the server, which the test ends
// itself, and ends the server with a test that is killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
