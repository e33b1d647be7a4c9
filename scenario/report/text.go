// Package report shows what a run came to: as text for people, as JSON and as
// JUnit XML for programs.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"

	"ringmaster/proto/phone"
	"ringmaster/scenario/timeline"
)

// Style says how text is dressed.
type Style struct{ Colour bool }

const (
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
	grey   = "90"
)

func (s Style) paint(colour, text string) string {
	if !s.Colour || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// Line is one entry of a timeline as one line without its end:
//
//	+1.204s  a     call.state.confirmed   call 0  200 OK  codec=PCMA
//	+1.305s  a   ► send_dtmf              call 0  digits=1234#
//
// Of a call's state it shows what is new: JSON has everything.
func (s Style) Line(e timeline.Entry) string {
	sign, colour := " ", ""
	switch e.Kind {
	case timeline.Action:
		sign, colour = "►", cyan
	case timeline.Meta:
		sign, colour = "·", grey
	}
	if strings.HasSuffix(e.Type, ".failed") || e.Type == "events.lost" {
		colour = red
	}
	id, call := "", ""
	if e.PhoneID != nil {
		id = string(*e.PhoneID)
	}
	if e.CallID != nil {
		call = fmt.Sprintf("call %d", *e.CallID)
	}
	what := fmt.Sprintf("%-25s", e.Type)
	if colour != "" {
		what = s.paint(colour, what)
	}
	line := fmt.Sprintf("%s  %-6s %s %s %-9s %s", s.paint(grey, fmt.Sprintf("%+9.3fs", e.OffsetMS/1000)), id, sign, what, call, details(e))
	return strings.TrimRight(line, " ")
}

// Details is what Line says of an entry's data.
func Details(e timeline.Entry) string { return details(e) }

// details shows data as key=value, by key; nothing that is empty. A SIP status
// comes first, without its keys.
func details(e timeline.Entry) string {
	said := []string{"last_status", "last_status_text"}
	if strings.HasPrefix(e.Type, "call.state.") {
		said = append(said, "state", "direction", "sip_call_id", "local_contact", "remote_contact", "recording_file", "capture_file",
			"local_rtp_port", "remote_rtp_port", "local_tag", "heard", "sent", "quality")
		if e.Type != "call.state.calling" && e.Type != "call.state.incoming" {
			said = append(said, "remote_uri")
		}
	}
	var words, keys []string
	if status, ok := e.Data["last_status"]; ok && show(status) != "0" {
		text, _ := e.Data["last_status_text"].(string)
		words = append(words, strings.TrimRight(show(status)+" "+show1(clip(text)), " "))
	}
	for k, v := range e.Data {
		if v != nil && v != "" && !slices.Contains(said, k) {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	for _, k := range keys {
		words = append(words, k+"="+show(e.Data[k]))
	}
	return strings.Join(words, " ")
}

// maxShown bounds one value on a line.
const maxShown = 120

// show makes a value safe for a terminal: what came from the network is
// escaped and bounded.
func show(v any) string {
	text, ok := v.(string)
	if !ok {
		raw, err := json.Marshal(v)
		if err != nil {
			return "?"
		}
		text = string(raw)
	}
	text = clip(text)
	if quoted := strconv.Quote(text); quoted != `"`+text+`"` || (ok && strings.ContainsAny(text, " =")) {
		if ok {
			return quoted
		}
		return quoted[1 : len(quoted)-1]
	}
	return text
}

func clip(text string) string {
	if len(text) <= maxShown {
		return text
	}
	return strings.ToValidUTF8(text[:maxShown], "") + "…"
}

// Verdict is the run in one line.
func (s Style) Verdict(r timeline.Result) string {
	colour := map[timeline.Status]string{timeline.OK: green, timeline.Timeout: yellow}[r.Status]
	if colour == "" {
		colour = red
	}
	return fmt.Sprintf("%s  %s  %.3fs  %s", s.paint(colour, strings.ToUpper(string(r.Status))), r.ScenarioName, float64(r.ElapsedMS)/1000, show1(r.Reason))
}

// show1 keeps a sentence on its line.
func show1(sentence string) string {
	quoted := strconv.Quote(sentence)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// Text writes the timeline and the outcome.
func (s Style) Text(w io.Writer, r timeline.Result) error {
	var b strings.Builder
	for _, e := range r.Timeline {
		b.WriteString(s.Line(e) + "\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	return s.Outcome(w, r)
}

// Outcome writes what Text does without the timeline: how each expectation
// stood, errors, files and verdict.
func (s Style) Outcome(w io.Writer, r timeline.Result) error {
	var b strings.Builder
	for _, e := range r.Expectations {
		line := s.paint(green, "✓ "+e.Path) + " " + show1(e.Fact+": "+e.Msg)
		if !e.Held {
			line = s.paint(red, "✗ "+e.Path) + " " + show1(e.Msg)
		}
		b.WriteString(line + "\n")
	}
	for _, f := range r.Errors {
		if f.Kind == timeline.Unmet || f.Kind == timeline.Unjudged {
			continue // it stands among the expectations
		}
		word := "error: "
		if f.Tolerated {
			word = "tolerated: "
		}
		b.WriteString(s.paint(red, word+show1(f.Msg)) + "\n")
	}
	for _, id := range phonesOf(r) {
		if a := r.Artifacts[id]; a != nil {
			for _, file := range []*string{a.Recording, a.RecordingMeta, a.Pcap} {
				if file != nil {
					fmt.Fprintf(&b, "file: %s %s\n", id, *file)
				}
			}
		}
	}
	b.WriteString(s.Verdict(r) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func phonesOf(r timeline.Result) []phone.ID {
	ids := make([]phone.ID, 0, len(r.Artifacts))
	for id := range r.Artifacts {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(a, b int) bool { return ids[a] < ids[b] })
	return ids
}

// JSON writes the whole result, indented, as the tool run_scenario gives it.
func JSON(w io.Writer, r timeline.Result) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
