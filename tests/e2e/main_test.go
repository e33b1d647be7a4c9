// Package e2e runs the programs and lets phones call each other directly, over
// MCP, without a PBX.
package e2e

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"ringmaster/tests/mcpclient"
)

var programs mcpclient.Programs

func TestMain(m *testing.M) {
	var err error
	if programs, err = mcpclient.FindPrograms(); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		if err := programs.Remove(); err != nil {
			panic(err)
		}
		os.Exit(status) //nolint:forbidigo // TestMain ends the tests
	}))
}
