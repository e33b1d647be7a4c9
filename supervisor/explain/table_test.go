package explain

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of rules into docs/DIAGNOSIS.md")

// verb is a place of a sentence where a call's own words go.
var verb = regexp.MustCompile(`%(?:\.1f|[vsd])`)

func table() string {
	var b strings.Builder
	b.WriteString("| rule | severity | looks at | says | advice |\n|---|---|---|---|---|\n")
	for _, r := range Rules() {
		says := strings.ReplaceAll(verb.ReplaceAllString(r.Says, "…"), "%%", "%")
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", r.ID, r.Severity, r.LooksAt, says, r.Advice)
	}
	return b.String()
}

// The table of docs/DIAGNOSIS.md is that of the rules.
func TestDocsHaveTheRules(t *testing.T) {
	const path = "../../docs/DIAGNOSIS.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "-->\n", "<!-- end of rules -->"
	head, rest, ok := strings.Cut(string(text), "<!-- rules:")
	comment, rest, there := strings.Cut(rest, begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !there || !closed {
		t.Fatal("docs/DIAGNOSIS.md has no place for the table of rules")
	}
	want := head + "<!-- rules:" + comment + begin + table() + end + tail
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Error("the table of rules in docs/DIAGNOSIS.md is not current: run go test ./supervisor/explain -update")
	}
}

func TestRulesAreWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rules() {
		if seen[r.ID] || r.LooksAt == "" || r.Advice == "" || !strings.HasSuffix(r.Says, ".") || strings.Contains(strings.TrimSuffix(r.Says, "."), ". ") {
			t.Errorf("rule %+v is twice there, or its sentence is not one", r.ID)
		}
		seen[r.ID] = true
	}
}
