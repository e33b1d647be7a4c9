package demo

import (
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// allRight is what a call leaves that was all right.
func allRight() findings {
	return findings{status: "ok", digits: digits, heard: []heard{{caller, calleeHz, -20}, {callee, callerHz, -21.7}}}
}

func TestTheVerdictDependsOnWhatWasHeard(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*findings)
		want   string // part of the only fault; "" for none
	}{
		{"all is right", func(*findings) {}, ""},
		{"a digit is missing", func(f *findings) { f.digits = "123#" }, `b heard "123#", not "1234#"`},
		{"a digit came twice", func(f *findings) { f.digits = "12234#" }, `b heard "12234#"`},
		{"no digits", func(f *findings) { f.digits = "" }, `b heard ""`},
		{"the scenario failed", func(f *findings) { f.status, f.reason = "failed", "a refused" }, "the scenario ended failed: a refused"},
		{"b hears nothing of a", func(f *findings) { f.heard[1].level = -80.5 }, "the recording of b holds the other side's 440 Hz at -80.5 dBov only"},
		{"a hears nothing of b", func(f *findings) { f.heard[0].level = -127 }, "the recording of a holds the other side's 880 Hz"},
		{"b has no recording", func(f *findings) { f.heard = f.heard[:1] }, "b has no recording"},
	} {
		f := allRight()
		c.change(&f)
		got := strings.Join(f.faults(), "; ")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) || strings.Contains(got, "; ") {
			t.Errorf("%s: the faults are %q, want %q", c.name, got, c.want)
		}
	}
}

func TestColourIsForTerminals(t *testing.T) {
	show := func(colour bool) string {
		var out strings.Builder
		p := &page{out: &out, colour: colour}
		p.title("title")
		p.step("name", "%d", 1)
		p.section("section", "source")
		p.entry("   +0.1s  a ► send_dtmf")
		p.entry("   +0.1s  a   action.failed " + strings.Repeat("x", 200))
		p.verdict(false, "why")
		return out.String()
	}
	plain, colour := show(false), show(true)
	if strings.Contains(plain, "\x1b") {
		t.Errorf("plain text holds escape sequences: %q", plain)
	}
	for _, want := range []string{"\x1b[1mtitle\x1b[0m", "\x1b[36m   +0.1s  a ► send_dtmf\x1b[0m", "\x1b[31mFAILED\x1b[0m   why"} {
		if !strings.Contains(colour, want) {
			t.Errorf("%q is without %q", colour, want)
		}
	}
	for line := range strings.Lines(plain) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > width {
			t.Errorf("a line has %d columns: %s", n, line)
		}
	}
}

func TestTheServersLastWordsAreBounded(t *testing.T) {
	var l lastWords
	for range 100 {
		if n, err := l.Write([]byte(strings.Repeat("x", 99) + "\n")); n != 100 || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := l.String(); len(got) > lastWordsBound+1 || !strings.HasPrefix(got, "\n") {
		t.Errorf("%d bytes are kept", len(got))
	}
	if got := (&lastWords{}).String(); got != "" {
		t.Errorf("of nothing, %q is kept", got)
	}
}
