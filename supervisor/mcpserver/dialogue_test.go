package mcpserver

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the dialogues' answers anew")

// Each file of testdata/dialogues is what a client says (lines "-> …") and
// what it is answered ("<- …"), word for word; of a list of tools, the names.
// The first line says how the server was started.
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/dialogues/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dialogues: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, _ := newServer(bytes.HasPrefix(want, []byte("# shared")), nil)
			c := connect(t, s)
			var got bytes.Buffer
			for line := range strings.Lines(string(want)) {
				said, ours := strings.CutPrefix(line, "-> ")
				if !ours {
					if !strings.HasPrefix(line, "<- ") {
						got.WriteString(line)
					}
					continue
				}
				got.WriteString(line)
				said = strings.TrimSpace(said)
				if id := idOf(said); id == "<nil>" { // a notification
					c.send(said)
					continue
				}
				for _, answer := range c.ask(said) {
					fmt.Fprintf(&got, "<- %s\n", shorten(t, answer))
				}
			}
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("the dialogue has changed: is this meant? (-update)\n%s", got.Bytes())
			}
		})
	}
}

// shorten replaces the tools of a list by their names.
func shorten(t *testing.T, line string) string {
	var m struct {
		Result struct {
			Tools []struct{ Name string } `json:"tools"`
		} `json:"result"`
	}
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	if m.Result.Tools == nil {
		return line
	}
	names := make([]string, len(m.Result.Tools))
	for i, tool := range m.Result.Tools {
		names[i] = tool.Name
	}
	return "tools: " + strings.Join(names, " ")
}
