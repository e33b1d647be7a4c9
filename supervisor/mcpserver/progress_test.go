package mcpserver

import (
	"strings"
	"testing"
)

const runNothing = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"run_scenario","arguments":{"scenario":{"timeout_ms":20}}%s}}`

// Every entry of the timeline is told before the answer comes, in a number
// that rises; to a client that gave no token, nothing is.
func TestProgressOfALongCall(t *testing.T) {
	s, _ := newServer(false, nil)
	c := connect(t, s)
	c.ask(initialize)
	c.send(initialized)
	lines := c.ask(strings.Replace(runNothing, "%s", `,"_meta":{"progressToken":"p-1"}`, 1))
	if len(lines) != 3 {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	for i, want := range []string{
		`{"jsonrpc":"2.0","method":"notifications/progress","params":{"message":"   +0.000s           scenario.started                    name=\u003canonymous\u003e","progress":1,"progressToken":"p-1"}}`,
		`scenario.stopped`,
		`"status":"ok"`,
	} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %s, want %s", i, lines[i], want)
		}
	}
	if lines := c.ask(strings.Replace(runNothing, "%s", "", 1)); len(lines) != 1 {
		t.Errorf("without a token: %q", lines)
	}
}
