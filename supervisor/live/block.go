package live

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/timeline"
)

// block is what a run's block says.
type block struct {
	title  string
	began  time.Time
	phones []*phoneLine
	last   string // checkpoint
	failed int    // actions so far
}

// phoneLine is one phone of the block.
type phoneLine struct {
	id    phone.ID
	what  string // "call 0", "registration", …
	state string
	at    time.Duration // since the run began
	known bool
}

func newBlock(title string, phones []phone.ID, now time.Time) block {
	b := block{title: oneLine(title), began: now}
	for _, id := range phones {
		b.phones = append(b.phones, &phoneLine{id: id})
	}
	return b
}

// follow takes in what an entry says of where a phone is.
func (b *block) follow(e timeline.Entry) {
	switch {
	case e.Type == "checkpoint":
		label, _ := e.Data["label"].(string)
		b.last = oneLine(label)
	case e.Type == "action.failed":
		b.failed++
	case e.Kind == timeline.Event && e.PhoneID != nil:
		b.phone(*e.PhoneID).follow(e)
	}
}

func (b *block) phone(id phone.ID) *phoneLine {
	if i := slices.IndexFunc(b.phones, func(p *phoneLine) bool { return p.id == id }); i >= 0 {
		return b.phones[i]
	}
	p := &phoneLine{id: id}
	b.phones = append(b.phones, p)
	return p
}

func (p *phoneLine) follow(e timeline.Entry) {
	family, state, _ := strings.Cut(e.Type, ".")
	switch family {
	case "call":
		p.what = "call"
		if e.CallID != nil {
			p.what += " " + strconv.FormatInt(int64(*e.CallID), 10)
		}
		p.state = strings.ToUpper(strings.TrimPrefix(state, "state."))
	case "reg":
		if strings.HasPrefix(p.what, "call") {
			return // a refresh beside a call is not where the phone is
		}
		p.what, p.state = "registration", state
	case "phone", "transfer":
		p.what, p.state = family, state
	default:
		return
	}
	p.at, p.known = time.Duration(e.OffsetMS*float64(time.Millisecond)), true
}

// lines is the block for a terminal of some size: no line is as wide as the
// terminal, so that none wraps, and it is not as high.
func (b *block) lines(now time.Time, size Size) []string {
	head := fmt.Sprintf("running %s   %.1f s", b.title, now.Sub(b.began).Seconds())
	if b.failed > 0 {
		head += fmt.Sprintf("   %d failed actions", b.failed)
	}
	if b.last != "" {
		head += "   last: " + b.last
	}
	lines := []string{head}
	ids, whats := 0, 0
	for _, p := range b.phones {
		ids, whats = max(ids, len(p.id)), max(whats, len(p.what))
	}
	room := max(1, size.Rows-3)
	for i, p := range b.phones {
		if i == room-1 && len(b.phones) > room {
			lines = append(lines, fmt.Sprintf("  … and %d more phones", len(b.phones)-i))
			break
		}
		line := fmt.Sprintf("  %-*s  %-*s  %s", ids, p.id, whats, p.what, p.state)
		if p.known {
			line = fmt.Sprintf("  %-*s  %-*s  %-12s  %+.3fs", ids, p.id, whats, p.what, p.state, p.at.Seconds())
		}
		lines = append(lines, strings.TrimRight(line, " "))
	}
	for i := range lines {
		lines[i] = narrow(lines[i], size.Columns-1)
	}
	return lines
}

// narrow cuts a line to some columns. What is not ASCII counts as two, which
// is the most that a character takes.
func narrow(line string, columns int) string {
	width := 0
	for i, r := range line {
		w := 1
		if r > 0x7e {
			w = 2
		}
		if width+w > columns {
			return line[:i]
		}
		width += w
	}
	return line
}

// oneLine makes an author's text safe for a line of a terminal.
func oneLine(text string) string {
	quoted := strconv.Quote(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
