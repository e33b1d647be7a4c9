package console

import (
	"reflect"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for line, want := range map[string][]string{
		"hangup":                           {"hangup"},
		"  dtmf\t12#  ":                    {"dtmf", "12#"},
		`message sip:b@h "two  words" 'x'`: {"message", "sip:b@h", "two  words", "x"},
		`play a\ b.wav`:                    {"play", "a b.wav"},
		`play 'a\b'`:                       {"play", `a\b`},
		`play ""`:                          {"play", ""},
		`x a"b c"d`:                        {"x", "ab cd"},
	} {
		if got, err := split(line); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, %v; want %q", line, got, err, want)
		}
	}
	for _, line := range []string{`play "a`, `play 'a`, `play a\`, "", " "} {
		if got, err := split(line); err == nil {
			t.Errorf("%q: %q, want an error", line, got)
		}
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		line    string
		values  map[string]string
		lists   map[string][]string
		headers map[string]string
	}{
		{line: "hangup"},
		{line: "hangup 0", values: map[string]string{"call_id": "0"}},
		{line: "bye call_id=7", values: map[string]string{"call_id": "7"}},
		{line: "answer 183 7", values: map[string]string{"status_code": "183", "call_id": "7"}},
		{line: "answer call_id=7 183", values: map[string]string{"status_code": "183", "call_id": "7"}},
		{line: "call sip:b@h;transport=tcp X-A=1", values: map[string]string{"dest_uri": "sip:b@h;transport=tcp"}, headers: map[string]string{"X-A": "1"}},
		{line: "message sip:b@h a=b is c", values: map[string]string{"dest_uri": "sip:b@h", "body": "a=b is c"}},
		{line: "conference 0 1 2", lists: map[string][]string{"call_ids": {"0", "1", "2"}}},
		{line: "set_codecs codecs=PCMU,G722 3", values: map[string]string{"call_id": "3"}, lists: map[string][]string{"codecs": {"PCMU", "G722"}}},
		{line: "play x.wav true", values: map[string]string{"file_path": "x.wav", "loop": "true"}},
	} {
		words, err := split(c.line)
		if err != nil {
			t.Fatal(err)
		}
		cmd, err := find(commands(), words[0])
		if err != nil {
			t.Fatal(err)
		}
		got, err := cmd.fit(words[1:])
		if err != nil {
			t.Errorf("%q: %v", c.line, err)
			continue
		}
		want := args{values: c.values, lists: c.lists, headers: c.headers}
		if len(got.values) != len(want.values) || len(got.lists) != len(want.lists) || len(got.headers) != len(want.headers) {
			t.Errorf("%q: %v", c.line, got)
		}
		for name, v := range want.values {
			if got.values[name] != v {
				t.Errorf("%q: %s is %q, want %q", c.line, name, got.values[name], v)
			}
		}
		for name, v := range want.lists {
			if !reflect.DeepEqual(got.lists[name], v) {
				t.Errorf("%q: %s is %q, want %q", c.line, name, got.lists[name], v)
			}
		}
		for name, v := range want.headers {
			if got.headers[name] != v {
				t.Errorf("%q: header %s is %q, want %q", c.line, name, got.headers[name], v)
			}
		}
	}
}

func TestFitRefuses(t *testing.T) {
	for line, part := range map[string]string{
		"call":                "needs dest_uri: it is used as make_call dest_uri [Header=value…]",
		"hangup x":            `call_id takes a number, not "x"`,
		"hangup 1 2":          `does not take "2"`,
		"hangup colour=red":   `call_id takes a number, not "colour=red"`,
		"play a.wav loop=yes": `loop takes true or false, not "yes"`,
		"conference":          "needs call_ids",
	} {
		words, _ := split(line)
		cmd, err := find(commands(), words[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cmd.fit(words[1:]); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %v, want %q", line, err, part)
		}
	}
}

func TestWordsOfCommandsAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range commandWords(commands()) {
		if seen[w] {
			t.Errorf("%q stands for two commands", w)
		}
		seen[w] = true
	}
}

func TestComplete(t *testing.T) {
	files := func(prefix string) []string {
		if strings.HasPrefix(prefix, "snd/") {
			return []string{"snd/one.wav", "snd/only.wav"}
		}
		return []string{"snd/", "x.wav"}
	}
	for _, c := range []struct {
		line, want string
		cands      int
	}{
		{"mak", "make_call ", 0},
		{"un", "un", 2},
		{"unh", "unhold ", 0},
		{"zzz", "zzz", 0},
		{"hangup ", "hangup call_id=", 0},
		{"play s", "play snd/", 0},
		{"play snd/", "play snd/on", 2},
		{"play snd/onl", "play snd/only.wav ", 0},
		{"play mus", "play music-on-hold ", 0},
		{"wait call.state.conf", "wait call.state.confirmed ", 0},
		{"help hangu", "help hangup ", 0},
		{"nonsense x", "nonsense x", 0},
	} {
		got := completeLine(commands(), c.line, files)
		if got.line != c.want || len(got.cands) != c.cands {
			t.Errorf("%q: %q %q, want %q and %d to choose from", c.line, got.line, got.cands, c.want, c.cands)
		}
	}
}
