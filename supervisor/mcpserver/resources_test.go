package mcpserver

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type resourcePageAnswer struct {
	Result struct {
		Resources []struct {
			URI, Name, MimeType string
			Size                int64
		}
		NextCursor string
		Contents   []struct{ URI, MimeType, Text, Blob string }
	}
	Error *struct {
		Code    int
		Message string
	}
}

func (c *client) resources(method, params string) resourcePageAnswer {
	c.t.Helper()
	lines := c.ask(fmt.Sprintf(`{"jsonrpc":"2.0","id":9,"method":%q,"params":%s}`, method, params))
	var a resourcePageAnswer
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &a); err != nil {
		c.t.Fatal(err)
	}
	return a
}

// guides is how many resources there always are.
const guides = 3

func TestResourcesByARawClient(t *testing.T) {
	for _, shared := range []bool{false, true} {
		root := t.TempDir()
		s, _ := newServerAt(root, shared, nil)
		for i := range resourcePage + 20 {
			if err := os.WriteFile(filepath.Join(root, fmt.Sprintf("call_%d.wav", i)), []byte("RIFF\xff"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c := connect(t, s)
		c.ask(initialize)
		c.send(initialized)

		first := c.resources("resources/list", `{}`)
		if len(first.Result.Resources) != resourcePage || first.Result.NextCursor == "" {
			t.Fatalf("the first page has %d resources, cursor %q", len(first.Result.Resources), first.Result.NextCursor)
		}
		second := c.resources("resources/list", fmt.Sprintf(`{"cursor":%q}`, first.Result.NextCursor))
		if len(second.Result.Resources) != 20+guides || second.Result.NextCursor != "" {
			t.Errorf("the second page has %d resources, cursor %q", len(second.Result.Resources), second.Result.NextCursor)
		}
		if bad := c.resources("resources/list", `{"cursor":"!"}`); bad.Error == nil || bad.Error.Code != -32602 {
			t.Errorf("a cursor that is none: %+v", bad)
		}

		for _, guide := range second.Result.Resources[20:] {
			read := c.resources("resources/read", fmt.Sprintf(`{"uri":%q}`, guide.URI))
			if read.Error != nil || len(read.Result.Contents) != 1 || read.Result.Contents[0].MimeType != guide.MimeType || len(read.Result.Contents[0].Text) < 1000 {
				t.Errorf("%s of the list cannot be read: %+v", guide.URI, read.Error)
			}
		}

		one := first.Result.Resources[0]
		read := c.resources("resources/read", fmt.Sprintf(`{"uri":%q}`, one.URI))
		if n := len(read.Result.Contents); n != 1 || one.MimeType != "audio/wav" || one.Size != 5 {
			t.Fatalf("%+v gives %d contents, %+v", one, n, read.Error)
		}
		got := read.Result.Contents[0]
		if blob, err := base64.StdEncoding.DecodeString(got.Blob); err != nil || string(blob) != "RIFF\xff" || got.URI != one.URI || got.MimeType != "audio/wav" {
			t.Errorf("read %+v", got)
		}
		piece := c.resources("resources/read", fmt.Sprintf(`{"uri":%q}`, one.URI+"?offset=1&length=2"))
		if len(piece.Result.Contents) != 1 || piece.Result.Contents[0].Blob != base64.StdEncoding.EncodeToString([]byte("IF")) {
			t.Errorf("a piece: %+v", piece)
		}
		for _, uri := range []string{"ringmaster://recordings/../x.wav", "ringmaster://recordings/%2e%2e/x.wav", "ringmaster://recordings/none.wav", "ringmaster://sip-log/a", "file:///etc/passwd", "ringmaster://other/x.wav", "ringmaster://recordings/a%00.wav", ""} {
			if a := c.resources("resources/read", fmt.Sprintf(`{"uri":%q}`, uri)); a.Error == nil || len(a.Result.Contents) > 0 {
				t.Errorf("%q gives %+v", uri, a.Result)
			}
		}
		c.send(`{"jsonrpc":"2.0","id":10,"method":"resources/templates/list"}`)
		if line := c.receive(); !strings.Contains(line, `"uriTemplate":"ringmaster://recordings/{+file}{?offset,length}"`) || !strings.Contains(line, "sip-log/{phone_id}/{call_id}") {
			t.Errorf("the templates: %s", line)
		}
	}
}
