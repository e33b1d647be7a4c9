// Package interop lets phones register and call through Asterisk, over MCP.
package interop

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"ringmaster/tests/asterisk"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/peers"
)

// publish prints the table, and writes it where the environment says.
func publish(table string) error {
	if _, err := fmt.Fprint(os.Stderr, table); err != nil {
		return err
	}
	path := os.Getenv(TableVariable)
	if path == "" {
		return nil
	}
	return os.WriteFile(path, []byte(table), 0o644)
}

var programs mcpclient.Programs

func TestMain(m *testing.M) {
	if os.Getenv(asterisk.RootVariable) == "" && !peers.Wanted() {
		goleak.VerifyTestMain(m) // every test skips, and needs no programs
	}
	var err error
	if programs, err = mcpclient.FindPrograms(); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		if err := programs.Remove(); err != nil {
			panic(err)
		}
		if len(exercised.rows) > 0 {
			if err := publish(tableOf(exercised.rows)); err != nil {
				panic(err)
			}
		}
		os.Exit(status) //nolint:forbidigo // TestMain ends the tests
	}))
}
