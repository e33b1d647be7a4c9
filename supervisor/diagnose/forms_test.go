package diagnose

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
)

// hostile is what a far end may put where its words are shown.
var hostile = []string{
	"x; participant evil", "x\nend\nNote over p0: y", "%%{init: {}}%%", "#35;&lt;#", "wrap: x", "</text><script>alert(1)</script>",
	"]]>'\"><!--", "->>p1: forged", "\u202eevil\u2066", "\x00\x1b[31m", "<img src=http://x/>", strings.Repeat("W", 5000), "end", "ﬂ°°35¶ß", "\xff\xfe",
}

// flows are flows with hostile words at every place, and two ways and again.
func flows() []Flow {
	var all []Flow
	for _, words := range hostile {
		m := said("a", 0, true, "192.0.2.1:5060", "INVITE sip:b@x SIP/2.0", "1 INVITE", withSDP)
		m.Method = words
		back := said("a", 7, false, "192.0.2.1:5060", "SIP/2.0 486 Busy", "1 INVITE", "\n")
		back.Reason = words
		all = append(all, ReadFlow([]Message{m, back, back, m}, map[string]string{"192.0.2.1:5060": "PBX"}))
	}
	return all
}

// What mermaid's grammar of sequence diagrams makes of these lines leaves
// nothing open: an entity is # with a number and a semicolon, and there is no
// other semicolon, #, colon, line break or markup in a text.
var (
	mermaidWords = `(?:[A-Za-z0-9 ,.()/_-]|#[0-9]{1,7};)+`
	mermaidLines = []*regexp.Regexp{
		regexp.MustCompile(`^  participant p\d+ as ` + mermaidWords + `$`),
		regexp.MustCompile(`^  p\d+(->>|-->>|-x|--x)p\d+: \d+\.\d{3}s(?: \(\+\d+\.\d{3}\))? ` + mermaidWords + `$`),
	}
)

func TestMermaidCannotBeBroken(t *testing.T) {
	for _, f := range flows() {
		lines := strings.Split(strings.TrimSuffix(f.Mermaid(), "\n"), "\n")
		if lines[0] != "sequenceDiagram" || len(lines) != 1+len(f.Parties)+len(f.Steps) {
			t.Errorf("the lines are\n%s", strings.Join(lines, "\n"))
		}
		for _, line := range lines[1:] {
			if !mermaidLines[0].MatchString(line) && !mermaidLines[1].MatchString(line) {
				t.Errorf("no line of mermaid's: %q", line)
			}
		}
	}
}

func TestMermaid(t *testing.T) {
	log := []Message{
		said("a", 0, true, pbxAt, "INVITE sip:b@127.0.0.1 SIP/2.0", "1 INVITE", withSDP),
		said("a", 500, true, pbxAt, "INVITE sip:b@127.0.0.1 SIP/2.0", "1 INVITE", withSDP),
		said("a", 501, false, pbxAt, "SIP/2.0 486 Busy; #1", "1 INVITE", "\n"),
	}
	want := `sequenceDiagram
  participant p0 as a
  participant p1 as PBX
  p0->>p1: 0.000s INVITE, SDP
  p0-xp1: 0.500s (+0.500) INVITE, SDP (again)
  p1-->>p0: 0.501s (+0.001) 486 Busy#59; #35;1
`
	if got := ReadFlow(log, map[string]string{pbxAt: "PBX"}).Mermaid(); got != want {
		t.Errorf("got\n%s", got)
	}
}

// An image is well-formed XML of known elements, without anything that runs or
// is fetched, and as large as it says.
func TestSVGIsSafeAndBounded(t *testing.T) {
	for _, f := range flows() {
		d := xml.NewDecoder(strings.NewReader(f.SVG()))
		d.Strict = true
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v in\n%s", err, f.SVG())
			}
			e, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			if !strings.Contains(" svg style title rect g text line path ", " "+e.Name.Local+" ") {
				t.Errorf("an element %s", e.Name.Local)
			}
			for _, a := range e.Attr {
				if strings.Contains(a.Name.Local, "href") || strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Value, "http") && a.Name.Local != "xmlns" {
					t.Errorf("an attribute %s=%s", a.Name.Local, a.Value)
				}
			}
		}
		if n := len(f.SVG()); n > 6000 {
			t.Errorf("%d bytes for four messages", n)
		}
	}
}

func TestManyPartiesAreFolded(t *testing.T) {
	var log []Message
	for i := range 40 {
		log = append(log, said("a", i, true, fmt.Sprintf("192.0.2.%d:5060", i), "OPTIONS sip:x SIP/2.0", fmt.Sprint(i+1, " OPTIONS"), "\n"))
	}
	f := ReadFlow(log, nil)
	if len(f.Parties) != mostParties || f.Parties[mostParties-1] != "30 others" {
		t.Errorf("the parties are %q", f.Parties)
	}
	if last := f.Newest(2); len(last.Parties) != 2 || len(last.Steps) != 2 || last.Began != f.Steps[0].At {
		t.Errorf("the newest two are %+v", last)
	}
	if at := f.Newest(1).Steps[0].At.Sub(f.Began); at != 39*time.Millisecond {
		t.Errorf("it is shown at %v", at)
	}
}
