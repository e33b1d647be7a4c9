package examples

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	shipped "ringmaster/scenario/examples"
	"ringmaster/tests/asterisk"
)

// notThroughAsterisk are the examples that ask for what this Asterisk does not
// do, and why.
var notThroughAsterisk = map[string]string{
	"call-forking.yaml": "its users have one contact each (max_contacts = 1), so that nothing forks",
}

// asteriskPhones is the profile of the examples with the users of Asterisk.
const asteriskPhones = `
defaults: {domain: "%s", password: "%s", recording_enabled: true}
phones:
  - {phone_id: a, username: "6001"}
  - {phone_id: b, username: "6002"}
  - {phone_id: c, username: "6003"}
`

// Every example passes through Asterisk too, which is a B2BUA and does things
// its own way.
func TestExamplesThroughAsterisk(t *testing.T) {
	x := asterisk.Start(t)
	dir := home(t)
	var words []string
	for user, number := range map[string]string{"a": "6001", "b": "6002", "c": "6003"} {
		words = append(words, "sip:"+user+"@"+shipped.Registrar, "sip:"+number+"@"+x.Addr, "~sip:"+user+"@", "~sip:"+number+"@")
	}
	copyExamples(t, dir, strings.NewReplacer(words...))
	if err := os.WriteFile(filepath.Join(dir, "asterisk.yaml"), fmt.Appendf(nil, asteriskPhones, x.Addr, x.Password), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--profile", "asterisk.yaml"}
	for _, e := range examples(t) {
		if why, not := notThroughAsterisk[e.file]; not {
			t.Logf("%s does not run: %s", e.name(), why)
			continue
		}
		args = append(args, e.file)
	}
	results, _ := supervise(t, dir, args...)
	if len(results) != len(args)-2 {
		t.Errorf("%d examples ran, want %d", len(results), len(args)-2)
	}
	for _, r := range results {
		t.Logf("%-20s %s, %d ms", r.Name, r.Status, r.ElapsedMS)
		if r.Status != "ok" {
			t.Errorf("%s: %s\n%s", r.Name, r.faults(), r.story())
		}
	}
}
