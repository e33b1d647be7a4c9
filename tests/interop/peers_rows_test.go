package interop

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// TableVariable names the environment variable with the path of a file that
// takes the table of what was exercised, beside what is printed.
const TableVariable = "RINGMASTER_INTEROP_TABLE"

// row is a feature of the phone that a peer has exercised.
type row struct{ feature, peer, result string }

// untried are features that no peer of these tests can exercise, and why.
var untried = [...]row{
	{"attended transfer by our phone, baresip as transferee", "none", "baresip 1.0 dials the target without its Replaces; linphone and Asterisk do it"},
	{"digits sent by INFO, heard by a soft phone", "none", "baresip and linphone offer telephone-event, which our phone then uses; Asterisk and SIPp do it"},
	{"PRACK used (RFC 3262)", "none", "our phone does not support 100rel and says so: 420, which SIPp checks"},
	{"opus", "none", "not built in"},
}

// exercised is filled by the tests.
var exercised struct {
	mu   sync.Mutex
	rows []row
}

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

// tableOf writes rows under each other, by peer, then feature.
func tableOf(rows []row) string {
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.peer, b.peer), cmp.Compare(a.feature, b.feature)) })
	all := append([]row{{"feature", "peer", "result"}}, append(rows, untried[:]...)...)
	wide := func(field func(row) string) (width int) {
		for _, r := range all {
			width = max(width, utf8.RuneCountInString(field(r)))
		}
		return width
	}
	feature, peer := wide(func(r row) string { return r.feature }), wide(func(r row) string { return r.peer })
	var b strings.Builder
	for _, r := range all {
		fmt.Fprintf(&b, "| %-*s | %-*s | %s\n", feature, r.feature, peer, r.peer, r.result)
	}
	return b.String()
}
