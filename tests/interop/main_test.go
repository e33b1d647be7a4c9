// Package interop lets phones register and call through Asterisk, over MCP.
package interop

import (
	"os"
	"testing"

	"ringmaster/tests/asterisk"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/peers"
)

var programs mcpclient.Programs

func TestMain(m *testing.M) {
	if os.Getenv(asterisk.RootVariable) == "" && !peers.Wanted() {
		m.Run() // every test skips, and needs no programs
		return
	}
	var err error
	if programs, err = mcpclient.FindPrograms(); err != nil {
		panic(err)
	}
	m.Run()
	if err := programs.Remove(); err != nil {
		panic(err)
	}
}
