// Package e2e runs the programs and lets phones call each other directly, over
// MCP, without a PBX.
package e2e

import (
	"testing"

	"ringmaster/tests/mcpclient"
)

var programs mcpclient.Programs

func TestMain(m *testing.M) {
	var err error
	if programs, err = mcpclient.FindPrograms(); err != nil {
		panic(err)
	}
	m.Run()
	if err := programs.Remove(); err != nil {
		panic(err)
	}
}
