package interop

import (
	"sync"
	"testing"
)

// TableVariable names the environment variable with the path of a file that
// takes the table of what was exercised.
const TableVariable = "RINGMASTER_INTEROP_TABLE"

// row is a feature of the phone that a peer has exercised.
type row struct {
	feature, peer, result string
}

// table is filled by the tests and printed when all of them have ended.
type table struct {
	mu   sync.Mutex
	rows []row
}

var exercised table

// covers says that the test exercises a feature against a peer; its result is
// the test's.
func covers(t *testing.T, feature, peer string) {
	t.Helper()
	t.Cleanup(func() {
		result := "ok"
		switch {
		case t.Failed():
			result = "FAILED"
		case t.Skipped():
			result = "skipped"
		}
		exercised.mu.Lock()
		defer exercised.mu.Unlock()
		exercised.rows = append(exercised.rows, row{feature, peer, result})
	})
}
