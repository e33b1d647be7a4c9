package phonewire

import (
	"encoding/json"
	"net"
	"strings"
	"testing"

	"github.com/hashicorp/go-plugin"
)

func TestReattachRoundTrip(t *testing.T) {
	want := &plugin.ReattachConfig{
		Protocol: plugin.ProtocolGRPC, ProtocolVersion: ProtocolVersion, Pid: 7, Test: true,
		Addr: &net.UnixAddr{Net: "unix", Name: "/tmp/x"},
	}
	line, err := json.Marshal(ReattachFromPlugin(want))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseReattach(string(line))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Reattach{Protocol: "grpc", ProtocolVersion: 1, Pid: 7, Test: true, Addr: Addr{"unix", "/tmp/x"}}); r != want {
		t.Errorf("%s: %+v", line, r)
	}
}

func TestParseReattachRefuses(t *testing.T) {
	const good = `{"Protocol":"grpc","ProtocolVersion":1,"Pid":7,"Test":true,"Addr":{"Network":"unix","String":"/x"}}`
	if _, err := ParseReattach(good); err != nil {
		t.Fatal(err)
	}
	for line, part := range map[string]string{
		"":          "not a worker's JSON",
		"{":         "not a worker's JSON",
		good + "{}": "not a worker's JSON",
		"{}":        "not a worker that waits",
		strings.Replace(good, "grpc", "netrpc", 1):           "not a worker that waits",
		strings.Replace(good, `"unix"`, `"tcp"`, 1):          "not a worker that waits",
		strings.Replace(good, `:7`, `:0`, 1):                 "not a worker that waits",
		strings.Replace(good, `true`, `false`, 1):            "not a worker that waits",
		strings.Replace(good, `Version":1`, `Version":2`, 1): "version 2 of the protocol",
		strings.Replace(good, `"Pid"`, `"Pit"`, 1):           "not a worker's JSON",
	} {
		if _, err := ParseReattach(line); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want %q", line, err, part)
		}
	}
}
