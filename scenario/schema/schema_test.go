package schema

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"ringmaster/scenario/pattern"
	"ringmaster/scenario/spec"
)

var update = flag.Bool("update", false, "write the shipped schema anew")

// shipped is where editors find the schema.
const shipped = "../../docs/scenario.schema.json"

func schemaText(t *testing.T) []byte {
	t.Helper()
	library, err := pattern.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	text, err := JSON(library)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTheShippedSchemaIsCurrent(t *testing.T) {
	text := schemaText(t)
	if *update {
		if err := os.WriteFile(shipped, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(shipped); err != nil || !bytes.Equal(want, text) {
		t.Errorf("%s is not what the language is (%v): go test ./scenario/schema -update", shipped, err)
	}
}

// compiled is the schema in the hands of a library that is not ours.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText(t)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("scenario.json", parsed); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("scenario.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// objectOf is a YAML text as JSON has it.
func objectOf(t *testing.T, name string, text []byte) any {
	t.Helper()
	root, issues := spec.ParseYAML(name, text)
	if len(issues) > 0 {
		t.Fatal(issues)
	}
	raw, err := json.Marshal(root.Plain())
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestExamplesHoldTheSchema(t *testing.T) {
	s := compiled(t)
	files, err := filepath.Glob("../examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(file) == "phones.yaml" {
			continue
		}
		held++
		if err := s.Validate(objectOf(t, file, text)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	if held < 10 {
		t.Errorf("only %d examples", held)
	}
}

// The parts of scenarios that the documentation shows hold it too.
func TestDocumentationHoldsTheSchema(t *testing.T) {
	s := compiled(t)
	blocks := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	for _, file := range []string{"../../docs/WRITING-SCENARIOS.md", "../../docs/SCENARIOS.md", "../../skill/ringmaster-scenarios/SKILL.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range blocks.FindAllSubmatch(text, -1) {
			if bytes.Contains(b[1], []byte("\nparameters:")) {
				continue // a pattern's file
			}
			if err := s.Validate(objectOf(t, file, b[1])); err != nil {
				t.Errorf("%s, block %d: %v", file, i+1, err)
			}
		}
	}
}

// What is written in every form that the language has is taken by both; what
// is wrong is taken by neither.
func TestTheSchemaAgreesWithTheReader(t *testing.T) {
	s := compiled(t)
	library, err := pattern.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	reads := func(text string) bool {
		root, issues := spec.ParseYAML("t.yaml", []byte(text))
		if len(issues) > 0 {
			t.Fatal(issues)
		}
		sc, issues := spec.Read("t.yaml", root)
		_, more := library.Unfold("t.yaml", sc)
		if len(issues)+len(more) > 0 {
			t.Logf("%v %v", issues, more)
		}
		return len(issues)+len(more) == 0
	}
	for _, c := range []struct {
		text  string
		valid bool
	}{
		{"name: 5\ndescription: null\ntimeout_ms: \"1.5s\"\ntimeline: full\nphones: a\nsettle_ms: 0", true},
		{"phones: [a, b]\nvars: {to: \"sip:b@h\", n: 3}\ninitial_actions: [{make_call: \"${to}\", phone_id: a}, {wait: 5}, {wait: {ms: 2s}}]", true},
		{"hooks: [{when: [call.state.*, user.x, sip.request.invite, sip.response.180, \"*\"], on_phone: [a], once: false, then: hangup}]", true},
		{"hooks: [{when: dtmf.in, match: {digit: [1, \"~x\"]}, capture: {d: digit}, then: [{action: send_dtmf, digits: 1}, {log: \"${d}\"}]}]", true},
		{"initial_actions: [{repeat: {count: 2, actions: [{emit: x}]}}, {parallel: [[{wait: 1}], {wait: 2}]}]", true},
		{"stop_on: [{event: dtmf.in, phone_id: b, call_id: 0, match: {digit: 1}}]", true},
		{"expect:\n  - {event: dtmf.in, phone_id: b, count: {min: 2}, within_ms: 2s}\n  - {in_order: [{event: dtmf.in, phone_id: a}, {event: dtmf.in, phone_id: b}]}\n  - {call: a, codec: PCMA, heard: {tone_hz: 440, from: b}, mos: {min: 4}, duration: {min: 1s}}", true},
		{"expect: {event: dtmf.in, never: true}", true},
		{"patterns: [{use: auto-answer, phone_id: b, delay_ms: 200}]", true},
		{"phonse: [a]", false},
		{"timeout_ms: soon", false},
		{"timeline: half", false},
		{"phones: [A]", false},
		{"hooks: [{when: dtmf.in}]", false},
		{"hooks: [{when: dtmf.inn, then: hangup}]", false},
		{"hooks: [{when: dtmf.in, then: hangupp}]", false},
		{"hooks: [{when: dtmf.in, then: {reject: {cod: 486}}}]", false},
		{"hooks: [{when: dtmf.in, then: {reject: 200}}]", false},
		{"stop_on: [{phone_id: a}]", false},
		{"patterns: [{use: auto-answer}]", false},
		{"patterns: [{use: auto-answer, phone_id: b, delay: 1}]", false},
		{"expect: {evnt: dtmf.in}", false},
		{"expect: {call: a, heard: {tone: 440}}", false},
	} {
		if got := reads(c.text); got != c.valid {
			t.Errorf("%q: the reader takes it: %v", c.text, got)
		}
		err := s.Validate(objectOf(t, "t.yaml", []byte(c.text)))
		if (err == nil) != c.valid {
			t.Errorf("%q: the schema says %v", c.text, err)
		}
	}
}

func TestEveryWordIsExplained(t *testing.T) {
	l := spec.Describe()
	names := func(params []spec.Param) []string {
		var list []string
		for _, p := range params {
			list = append(list, p.Name)
		}
		return list
	}
	var words []string
	for _, a := range l.Actions {
		words = append(words, a.Word)
	}
	for what, c := range map[string]struct {
		docs map[string]string
		is   []string
		all  bool
	}{
		"scenario": {scenarioDocs, names(l.Scenario), true},
		"hook":     {hookDocs, names(l.Hook), true},
		"action":   {actionDocs, words, true},
		"fact":     {factDocs, slices.Concat(names(l.EventFact), names(l.SeriesFact), names(l.CallFact)), false},
		"audio":    {audioDocs, names(l.Heard), false},
	} {
		for _, word := range sorted(c.docs) {
			if !slices.Contains(c.is, word) {
				t.Errorf("%s: %s is explained and does not exist", what, word)
			}
		}
		for _, word := range c.is {
			if c.all && c.docs[word] == "" {
				t.Errorf("%s: %s is not explained", what, word)
			}
		}
	}
}

// A tool's schema stays small: every client reads it with every list.
func TestTheBriefSchemaIsBrief(t *testing.T) {
	text, err := json.Marshal(Brief())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the whole has %d bytes, the brief one %d", len(schemaText(t)), len(text))
	if len(text) > 4000 {
		t.Errorf("%d bytes", len(text))
	}
}
