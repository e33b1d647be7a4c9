package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"ringmaster/proto/phone"
)

// printer writes answers and entries, a Write each, so that lines of different
// goroutines never mix.
type printer struct {
	out  io.Writer
	json bool
	sip  *atomic.Bool
}

func newPrinter(out io.Writer, asJSON, sip bool) printer {
	p := printer{out: out, json: asJSON, sip: &atomic.Bool{}}
	p.sip.Store(sip)
	return p
}

func (p printer) showSIP(on bool) { p.sip.Store(on) }

func (p printer) answer(name string, a answer) {
	if p.json {
		object := map[string]any{"kind": "answer", "command": name, "status": "ok"}
		put(object, a.fields)
		if a.listed != "" {
			items := []map[string]any{}
			for _, item := range a.items {
				items = append(items, put(map[string]any{}, item))
			}
			object[a.listed] = items
		}
		p.object(object)
		return
	}
	var b strings.Builder
	if a.listed != "commands" {
		b.WriteString("ok")
		write(&b, a.fields)
		b.WriteString("\n")
	}
	for _, item := range a.items {
		if a.listed == "commands" {
			fmt.Fprintf(&b, "  %s\n      %s\n", item[0].value, item[1].value)
			continue
		}
		b.WriteString("  ")
		write(&b, item)
		b.WriteString("\n")
	}
	p.text(b.String())
}

func (p printer) failure(name string, err error) {
	if p.json {
		p.object(map[string]any{"kind": "answer", "command": name, "status": "error", "error": err.Error()})
		return
	}
	p.text("error: " + harmless(err.Error()) + "\n")
}

// entry prints what a person at a phone wants to see of its journal. Ended
// calls and texts that came in are events as well.
func (p printer) entry(e phone.Entry) {
	switch {
	case e.Event != nil:
		if !strings.HasPrefix(e.Event.Type, "sip.") || p.sip.Load() {
			p.event(e.Event)
		}
	case e.SIP != nil:
		if p.sip.Load() {
			p.message(e.SIP)
		}
	case e.Gap != nil:
		p.gap(e.Gap)
	}
}

func (p printer) event(e *phone.Event) {
	if p.json {
		object := map[string]any{"kind": "event", "type": e.Type, "phone_id": e.PhoneID, "ts": seconds(e.Time), "data": e.Data}
		if e.CallID != nil {
			object["call_id"] = *e.CallID
		}
		p.object(object)
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", clock(e.Time), e.Type)
	write(&b, happened(e))
	b.WriteString("\n")
	p.text(b.String())
}

func (p printer) message(m *phone.SIPMessage) {
	direction := "RX"
	if m.Sent {
		direction = "TX"
	}
	if p.json {
		p.object(map[string]any{
			"kind": "sip", "direction": direction, "ts": seconds(m.Time), "transport": m.Transport, "remote": m.Remote,
			"message": string(bytes.ToValidUTF8(m.Raw, []byte("?"))),
		})
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %d bytes %s %s\n", clock(m.Time), direction, len(m.Raw), strings.ToUpper(string(m.Transport)), m.Remote)
	for line := range strings.Lines(strings.TrimRight(string(m.Raw), "\r\n")) {
		b.WriteString("    " + harmless(strings.TrimRight(line, "\r\n")) + "\n")
	}
	p.text(b.String())
}

func (p printer) gap(g *phone.Gap) {
	if p.json {
		p.object(map[string]any{"kind": "gap", "from": g.From, "to": g.To})
		return
	}
	p.text(fmt.Sprintf("entries %d to %d are lost: they were not read in time\n", g.From, g.To))
}

func (p printer) object(o map[string]any) {
	line, err := json.Marshal(o)
	if err != nil {
		line = []byte(`{"kind":"fault","error":"a value cannot be written as JSON"}`)
	}
	_, _ = p.out.Write(append(line, '\n')) // nobody is left to be told
}

func (p printer) text(s string) {
	_, _ = io.WriteString(p.out, s) // as above
}

func put(object map[string]any, fields []field) map[string]any {
	for _, f := range fields {
		object[f.name] = f.value
	}
	return object
}

// write adds " name=value" for each field that has something to say.
func write(b *strings.Builder, fields []field) {
	for _, f := range fields {
		if f.value == "" || f.value == nil {
			continue
		}
		value, isText := f.value.(string)
		if !isText {
			value = fmt.Sprint(f.value)
		}
		if value == "" || strings.ContainsAny(value, " \"=") || harmless(value) != value {
			value = strconv.Quote(value)
		}
		fmt.Fprintf(b, " %s=%s", f.name, value)
	}
}

// harmless is a text that came from the network without what would move the
// cursor or worse.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return '�'
		}
		return r
	}, s)
}

func clock(t time.Time) string { return t.Local().Format("15:04:05.000") }

// seconds is Unix time with microseconds.
func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
