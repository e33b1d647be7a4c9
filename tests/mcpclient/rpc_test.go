package mcpclient

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestResponsesFindTheirRequests(t *testing.T) {
	c := newConnection(io.Discard)
	first, err := c.request("a", nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.request("b", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.read(strings.NewReader(`{"jsonrpc":"2.0","id":2,"result":"two"}
{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}
{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool"}}
`))
	if r := <-second; string(r.Result) != `"two"` || r.Error != nil {
		t.Errorf("request 2 got %s, %v", r.Result, r.Error)
	}
	var rpc *RPCError
	if r := <-first; !errors.As(r.Error, &rpc) || rpc.Code != -32602 {
		t.Errorf("request 1 got %v", r.Error)
	}
	all, _, fault := c.since(0)
	if len(all) != 1 || all[0].Method != "notifications/tools/list_changed" {
		t.Errorf("notifications: %v", all)
	}
	if !errors.Is(fault, errEnded) {
		t.Errorf("an ended stream is the fault %v", fault)
	}
}

func TestWaitingRequestsEndWithTheStream(t *testing.T) {
	c := newConnection(io.Discard)
	answer, err := c.request("a", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.read(strings.NewReader(""))
	if r := <-answer; !errors.Is(r.Error, errEnded) {
		t.Errorf("got %v", r.Error)
	}
	if _, err := c.request("b", nil); !errors.Is(err, errEnded) {
		t.Errorf("a request after the end: %v", err)
	}
}

func TestOtherOutputOnStdoutIsAFault(t *testing.T) {
	for _, line := range []string{"starting up\n", "{\"level\":\"info\"}\n", "{\"jsonrpc\":\"2.0\""} {
		c := newConnection(io.Discard)
		c.read(strings.NewReader(line))
		if _, _, fault := c.since(0); fault == nil || errors.Is(fault, errEnded) {
			t.Errorf("%q on stdout is the fault %v", line, fault)
		}
	}
}

func TestRequestsOfTheServerAreRefused(t *testing.T) {
	var out bytes.Buffer
	newConnection(&out).read(strings.NewReader(`{"jsonrpc":"2.0","id":7,"method":"roots/list"}` + "\n"))
	if got := out.String(); !strings.Contains(got, `"id":7`) || !strings.Contains(got, "-32601") {
		t.Errorf("answered %q", got)
	}
}
