package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/tests/mcpclient"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
)

// resource reads a resource by hand.
func resource(t *testing.T, c *mcpclient.Client, uri string) (mime string, data []byte) {
	t.Helper()
	raw, err := c.Request("resources/read", map[string]any{"uri": uri})
	if err != nil {
		t.Fatalf("reading %s: %v", uri, err)
	}
	var result struct {
		Contents []struct{ URI, MimeType, Text, Blob string }
	}
	if err := json.Unmarshal(raw, &result); err != nil || len(result.Contents) != 1 || result.Contents[0].URI != uri {
		t.Fatalf("reading %s gives %.300s, %v", uri, raw, err)
	}
	one := result.Contents[0]
	if one.Blob == "" {
		return one.MimeType, []byte(one.Text)
	}
	data, err = base64.StdEncoding.DecodeString(one.Blob)
	if err != nil {
		t.Fatal(err)
	}
	return one.MimeType, data
}

func onDisk(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What a call leaves can be read by the names that the answers give, byte for
// byte: by hand, and by another client after the phones are gone.
func TestResources(t *testing.T) {
	t.Parallel()
	c, a, b := capturing(t, withoutTcpdump)
	info := conversation(a, b)
	call, wav := info.Int("call_id"), info.String("recording_file")
	a.Recording(call) // it is closed
	a.Sees(0, "media.capture_stopped", nil)
	for path, answer := range map[string]mcpclient.Answer{
		wav: a.Do("get_call_info", mcpclient.Args{"call_id": call}),
		strings.Replace(strings.TrimSuffix(wav, ".wav")+".pcap", c.Recordings, c.Captures, 1): analysis(t, c, mcpclient.Args{"phone_id": "a", "call_id": call}),
	} {
		uris, _ := answer.Fields["resources"].([]any)
		if len(uris) != 1 {
			t.Fatalf("the answer names %v: %s", uris, answer.Text)
		}
		if mime, data := resource(t, c, uris[0].(string)); !bytes.Equal(data, onDisk(t, path)) || mime == "" {
			t.Errorf("%s gives %d bytes of %s, other than %s has", uris[0], len(data), mime, path)
		}
	}
	row := c.Must("list_recordings", mcpclient.Args{"phone_id": "a"}).List("recordings")[0]
	if mime, data := resource(t, c, row.String("meta_uri")); mime != "application/json" || !bytes.Equal(data, onDisk(t, row.String("meta_path"))) {
		t.Errorf("the sidecar is %s: %s", mime, data)
	}
	log := c.Must("get_sip_log", mcpclient.Args{"call_id": call})
	if _, text := resource(t, c, log.Fields["resources"].([]any)[0].(string)); !strings.Contains(string(text), log.List("entries")[0].String("msg")) {
		t.Errorf("the SIP log is %s", text)
	}
	for _, uri := range []string{"ringmaster://recordings/../stderr.log", "ringmaster://recordings/%2e%2e/stderr.log", "ringmaster://recordings/a/%2e%2e/%2e%2e/captures/a.wav", "file://" + wav, "ringmaster://recordings" + wav} {
		if raw, err := c.Request("resources/read", map[string]any{"uri": uri}); err == nil {
			t.Errorf("%s gives %.200s", uri, raw)
		}
	}
	byMcpGo(t, c, row.String("uri"), onDisk(t, wav))
}

// byMcpGo reads a recording through mcp-go's client from a server of its own,
// in the other form of tools.
func byMcpGo(t *testing.T, c *mcpclient.Client, uri string, want []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	other, err := client.NewStdioMCPClient(filepath.Join(programs.Dir, "supervisor"),
		[]string{"RINGMASTER_RECORDINGS_DIR=" + c.Recordings, "RINGMASTER_CAPTURES_DIR=" + c.Captures, "GORACE=atexit_sleep_ms=0"}, "--tools", "shared")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	hello := mcp.InitializeRequest{}
	hello.Params.ProtocolVersion, hello.Params.ClientInfo = mcp.LATEST_PROTOCOL_VERSION, mcp.Implementation{Name: "tests", Version: "1"}
	if _, err := other.Initialize(ctx, hello); err != nil {
		t.Fatal(err)
	}
	list, err := other.ListResources(ctx, mcp.ListResourcesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var uris []string
	for _, r := range list.Resources {
		uris = append(uris, r.URI)
	}
	if !slices.Contains(uris, uri) || len(uris) < 4 {
		t.Errorf("mcp-go is shown %q, without %s", uris, uri)
	}
	request := mcp.ReadResourceRequest{}
	request.Params.URI = uri
	read, err := other.ReadResource(ctx, request)
	if err != nil || len(read.Contents) != 1 {
		t.Fatalf("mcp-go reads %+v, %v", read, err)
	}
	blob, _ := read.Contents[0].(mcp.BlobResourceContents)
	if data, err := base64.StdEncoding.DecodeString(blob.Blob); err != nil || !bytes.Equal(data, want) || blob.MIMEType != "audio/wav" {
		t.Errorf("mcp-go reads %d bytes of %s, %v", len(data), blob.MIMEType, err)
	}
}
