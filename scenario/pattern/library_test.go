package pattern

import (
	"strings"
	"testing"
	"testing/fstest"

	"ringmaster/scenario/spec"
)

// Every pattern of CONTRACT §8 with its least use, the parameters in the
// table's order with their defaults, and how many hooks and initial actions
// it becomes.
func TestBuiltinPatterns(t *testing.T) {
	l, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, use, params string
		initial, hooks    int
	}{
		{"wait-for-registration", "phone_id: a", "phone_id timeout_ms=5000", 1, 1},
		{"auto-answer", "phone_id: a", "phone_id delay_ms=0 status_code=200", 0, 1},
		{"make-call-and-wait-confirmed", "phone_id: a, dest_uri: 'sip:b@c'", "phone_id dest_uri timeout_ms=10000", 2, 0},
		{"send-dtmf-on-confirmed", "phone_id: a, digits: 12#", "phone_id digits initial_delay_ms=100", 0, 1},
		{"hangup-after-duration", "phone_id: a, duration_ms: 2s", "phone_id duration_ms", 0, 1},
		{"reject-on-incoming", "phone_id: a", "phone_id status_code=486", 0, 1},
		{"blind-transfer", "phone_id: a, transfer_to: 'sip:b@c'", "phone_id transfer_to after_ms=2000", 0, 1},
		{"hold-and-resume", "phone_id: a, hold_duration_ms: 500", "phone_id hold_duration_ms hold_start_delay_ms=1000", 0, 1},
		{"wait-for-callback", "phone_id: a", "phone_id timeout_ms=30000 auto_answer=true", 0, 2},
		{"wait-for-callback", "phone_id: a, auto_answer: false", "phone_id timeout_ms=30000 auto_answer=true", 0, 1},
		{"respond-to-dtmf", "phone_id: a, digit: 5", "phone_id digit response_action=answer", 0, 1},
		{"fail-fast-on-error", "phone_ids: [a, b]", "phone_ids fail_codes=", 0, 1},
		{"play-audio-on-confirmed", "phone_id: a, audio_path: x.wav", "phone_id audio_path loop=false", 0, 1},
		{"reinvite-codec-change", "phone_id: a, new_codec: PCMA", "phone_id new_codec trigger_at_ms=3000", 0, 1},
		{"collect-recordings", "phone_ids: a", "phone_ids", 0, 1},
	} {
		p, ok := l.Pattern(c.name)
		if !ok {
			t.Errorf("there is no %s", c.name)
			continue
		}
		if got := signature(p); got != c.params {
			t.Errorf("%s takes %q, want %q", c.name, got, c.params)
		}
		s, issues := unfold(t, l, "patterns: [{use: "+c.name+", "+c.use+"}]")
		if len(issues) > 0 || len(s.Initial) != c.initial || len(s.Hooks) != c.hooks {
			t.Errorf("%s: %d initial actions, %d hooks, issues %v", c.name, len(s.Initial), len(s.Hooks), issues)
		}
		for _, h := range s.Hooks {
			if h.Pattern != c.name || !strings.HasPrefix(h.ID, "patterns[0].") {
				t.Errorf("%s: hook %q of pattern %q", c.name, h.ID, h.Pattern)
			}
		}
	}
	if n := len(l.Names()); n != 14 {
		t.Errorf("%d patterns, want 14", n)
	}
}

func signature(p Pattern) string {
	var words []string
	for _, param := range p.Parameters {
		word := param.Name
		if param.Default != nil {
			word += "=" + param.Default.Text
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func unfold(t *testing.T, l *Library, text string) (spec.Scenario, spec.Issues) {
	t.Helper()
	root, issues := spec.ParseYAML("t.yaml", []byte(text))
	if len(issues) > 0 {
		t.Fatal(issues)
	}
	s, issues := spec.Read("t.yaml", root)
	if len(issues) > 0 {
		t.Fatal(issues)
	}
	return l.Unfold("t.yaml", s)
}

func TestPatternsComeFirst(t *testing.T) {
	l, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	s, issues := unfold(t, l, `
patterns: [{use: wait-for-registration, phone_id: a}, {use: auto-answer, phone_id: b}]
initial_actions: [{log: mine}]
hooks: [{when: dtmf.in, then: hangup}]
`)
	if len(issues) > 0 {
		t.Fatal(issues)
	}
	var order []string
	for _, a := range s.Initial {
		order = append(order, a.Name+"/"+a.Pattern)
	}
	for _, h := range s.Hooks {
		order = append(order, h.ID)
	}
	want := "wait_until/wait-for-registration log/ patterns[0].refused patterns[1].answer hooks[0]"
	if got := strings.Join(order, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUseIssues(t *testing.T) {
	l, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ use, want string }{
		{"{use: auto-answr, phone_id: a}", `t.yaml:1:18: unknown pattern "auto-answr"; did you mean "auto-answer"?`},
		{"{use: auto-answer}", "t.yaml:1:12: pattern auto-answer needs phone_id"},
		{"{use: auto-answer, phone_id: a, dely_ms: 1}", `unknown parameter of auto-answer "dely_ms"; did you mean "delay_ms"?`},
		{"{use: auto-answer, phone_id: a, delay_ms: soon}", "delay_ms takes a duration"},
		{"{use: auto-answer, phone_id: a, status_code: 404}", "status_code is \"404\"; it takes one of: 180, 183, 200"},
		{"{use: reject-on-incoming, phone_id: a, status_code: 200}", "pattern reject-on-incoming: code is 200; it takes 300 to 699"},
		{"{use: respond-to-dtmf, phone_id: a, digit: 5, response_action: hold_up}", "response_action is \"hold_up\""},
		{"{use: hangup-after-duration, phone_id: a, duration_ms: null}", "needs duration_ms"},
	} {
		_, issues := unfold(t, l, "patterns: ["+c.use+"]")
		if len(issues) != 1 || !strings.Contains(issues[0].Error(), c.want) {
			t.Errorf("%s\n got %v\nwant %s", c.use, issues, c.want)
		}
	}
}

func TestUserPatterns(t *testing.T) {
	const good = "name: twice\ndescription: d\nparameters: [{name: who, type: phone}]\nhooks: [{when: dtmf.in, on_phone: \"${who}\", then: [{log: \"$${raw} ${who}!\"}]}]\n"
	l, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	issues := l.Add(fstest.MapFS{
		"good.yaml":    {Data: []byte(good)},
		"again.yaml":   {Data: []byte(strings.Replace(good, "twice", "auto-answer", 1))},
		"param.yaml":   {Data: []byte(strings.Replace(good, "${who}!", "${whom}", 1))},
		"type.yaml":    {Data: []byte(strings.Replace(good, "type: phone", "type: phon", 1))},
		"action.yaml":  {Data: []byte(strings.Replace(good, "log:", "lgo:", 1))},
		"default.yaml": {Data: []byte(strings.Replace(good, "type: phone", "type: integer, default: x", 1))},
	})
	var all []string
	for _, i := range issues {
		all = append(all, i.Error())
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{
		`again.yaml:1:1: there is already a pattern named "auto-answer"`, `unknown parameter "whom"; did you mean "who"?`,
		`unknown type "phon"; did you mean "phone"?`, `action.yaml:4:`, `unknown action "lgo"; did you mean "log"?`, `who takes a whole number, not "x"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no issue %s in\n%s", want, text)
		}
	}
	s, issues := unfold(t, l, "patterns: [{use: twice, who: b}]")
	if len(issues) > 0 || s.Hooks[0].Then[0].Step != (spec.Log{Message: "${raw} b!"}) || s.Hooks[0].Phones[0] != "b" {
		t.Errorf("%+v %v", s.Hooks, issues)
	}
}
