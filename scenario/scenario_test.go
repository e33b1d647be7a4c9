package scenario

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"ringmaster/scenario/pattern"
	"ringmaster/scenario/spec"
)

func library(t testing.TB) *pattern.Library {
	t.Helper()
	l, issues, err := Patterns()
	if err != nil || len(issues) > 0 {
		t.Fatal(err, issues)
	}
	return l
}

func TestExamplesAreValid(t *testing.T) {
	files, err := filepath.Glob("examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	l, scenarios := library(t), 0
	for _, file := range files {
		if filepath.Base(file) == "phones.yaml" {
			continue // the profile that the examples share
		}
		scenarios++
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, issues := Load(file, text, l)
		if len(issues) > 0 {
			t.Errorf("%s", issues.Error())
		}
		if want := strings.TrimSuffix(filepath.Base(file), ".yaml"); s.Name() != want {
			t.Errorf("%s is named %q", file, s.Name())
		}
	}
	if scenarios == 0 {
		t.Error("there are no examples")
	}
}

func TestFaultsOfScenarioAndPatternsTogether(t *testing.T) {
	_, issues := Load("t.yaml", []byte("patterns: [{use: auto-anser}]\nhooks: [{when: dtmf.inn, then: hangup}]\n"), library(t))
	if len(issues) != 2 {
		t.Fatalf("%d issues:\n%s", len(issues), issues.Error())
	}
	s, issues := Load("t.yaml", []byte("hooks: ["), library(t))
	if len(issues) != 1 || s.Name() != "<anonymous>" {
		t.Errorf("%q %v", s.Name(), issues)
	}
	_, issues = Check(map[string]any{"hooks": map[string]any{}}, library(t))
	if len(issues) != 1 || issues[0].Error() != "hooks: hooks takes a list, not a mapping" {
		t.Errorf("%v", issues)
	}
}

// twoHundred is a scenario of 200 hooks, with patterns, variables and
// expectations.
func twoHundred() (string, map[string]any) {
	var b strings.Builder
	hooks := []any{}
	b.WriteString("phones: [a, b]\nhooks:\n")
	for i := range 190 {
		fmt.Fprintf(&b, "  - {when: [call.state.confirmed, dtmf.in], on_phone: a, match: {digit: \"~^%d$\", last_status: 2xx}, then: [{wait: \"${wait}\"}, {send_dtmf: \"${digits}\"}, hangup]}\n", i)
		hooks = append(hooks, map[string]any{
			"when": []any{"call.state.confirmed", "dtmf.in"}, "on_phone": "a",
			"match": map[string]any{"digit": fmt.Sprintf("~^%d$", i), "last_status": "2xx"},
			"then":  []any{map[string]any{"wait": "${wait}"}, map[string]any{"send_dtmf": "${digits}"}, "hangup"},
		})
	}
	b.WriteString("vars: {digits: \"12\", wait: 1.5s}\nexpect:\n")
	facts := []any{}
	for i := range 20 {
		fmt.Fprintf(&b, "  - {event: dtmf.in, phone_id: a, match: {digit: %d}, within_ms: 5s, after: {event: call.state.confirmed}}\n", i%10)
		facts = append(facts, map[string]any{"event": "dtmf.in", "phone_id": "a", "match": map[string]any{"digit": i % 10}, "within_ms": "5s", "after": map[string]any{"event": "call.state.confirmed"}})
	}
	b.WriteString("patterns:\n")
	uses := []any{}
	for range 10 {
		b.WriteString("  - {use: auto-answer, phone_id: b}\n")
		uses = append(uses, map[string]any{"use": "auto-answer", "phone_id": "b"})
	}
	return b.String(), map[string]any{"phones": []any{"a", "b"}, "hooks": hooks, "patterns": uses, "expect": facts, "vars": map[string]any{"digits": "12", "wait": "1.5s"}}
}

func BenchmarkCheck200Hooks(b *testing.B) {
	l := library(b)
	text, object := twoHundred()
	b.Run("object", func(b *testing.B) {
		for b.Loop() {
			if _, issues := Check(object, l); len(issues) > 0 {
				b.Fatal(issues)
			}
		}
	})
	b.Run("yaml", func(b *testing.B) {
		for b.Loop() {
			if _, issues := Load("t.yaml", []byte(text), l); len(issues) > 0 {
				b.Fatal(issues)
			}
		}
	})
}

// The object of a file is the same scenario as the file.
func TestObjectOfAFile(t *testing.T) {
	text, err := os.ReadFile("examples/basic-call-dtmf.yaml")
	if err != nil {
		t.Fatal(err)
	}
	object, issues := Object("basic-call-dtmf.yaml", text)
	if len(issues) > 0 {
		t.Fatal(issues)
	}
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	var sent map[string]any
	if err := json.Unmarshal(raw, &sent); err != nil {
		t.Fatal(err)
	}
	s, issues := Check(sent, library(t))
	if len(issues) > 0 || s.Name() != "basic-call-dtmf" || len(s.Phones()) != 2 {
		t.Errorf("%s of %v, %v", s.Name(), s.Phones(), issues)
	}
	if object, issues := Object("x.yaml", []byte("[")); object != nil || len(issues) != 1 {
		t.Errorf("%v, %v", object, issues)
	}
}

// Every block of the reference is a scenario without faults, or a pattern that
// can be used.
func TestReferenceIsValid(t *testing.T) {
	text, err := os.ReadFile("../docs/SCENARIOS.md")
	if err != nil {
		t.Fatal(err)
	}
	parts, blocks := strings.Split(string(text), "```yaml\n"), 0
	for _, part := range parts[1:] {
		block, _, closed := strings.Cut(part, "\n```")
		if !closed {
			t.Fatalf("a block without an end: %.80s", part)
		}
		blocks++
		if strings.HasPrefix(block, "# pattern\n") {
			for _, issue := range library(t).Add(fstest.MapFS{"block.yaml": {Data: []byte(block)}}) {
				t.Errorf("%s\n%s", issue.Error(), block)
			}
			continue
		}
		if _, issues := Load("block.yaml", []byte(block), library(t)); len(issues) > 0 {
			t.Errorf("%s\n%s", issues.Error(), block)
		}
	}
	if blocks < 6 {
		t.Errorf("%d blocks were found", blocks)
	}
}

// The reference has every word of the language.
func TestReferenceIsComplete(t *testing.T) {
	text, err := os.ReadFile("../docs/SCENARIOS.md")
	if err != nil {
		t.Fatal(err)
	}
	l := spec.Describe()
	words := l.EventTypes
	for _, params := range [][]spec.Param{l.Scenario, l.Hook, l.Stop, l.EventFact, l.SeriesFact, l.CallFact, l.Heard} {
		for _, p := range params {
			words = append(words, p.Name)
		}
	}
	for _, a := range l.Actions {
		words = append(words, a.Word)
		for _, p := range a.Params {
			words = append(append(words, p.Name), p.Aliases...)
		}
	}
	words = append(words, library(t).Names()...)
	for _, w := range words {
		family := w[strings.LastIndexByte(w, '.')+1:]
		if !strings.Contains(string(text), w) && !strings.Contains(string(text), "`."+family+"`") {
			t.Errorf("%s is not in docs/SCENARIOS.md", w)
		}
	}
}
