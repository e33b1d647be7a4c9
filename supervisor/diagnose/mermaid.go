package diagnose

import (
	"fmt"
	"strings"
)

// Mermaid writes a flow as a sequence diagram for mermaid.js. Requests are solid
// arrows, responses dashed ones, retransmissions end in a cross.
//
// Nothing that came from the network can end a line, begin another statement or
// become markup: of it, only letters, digits and a few harmless marks stand as
// they are.
func (f Flow) Mermaid() string {
	if len(f.Steps) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("sequenceDiagram\n")
	for i, name := range f.Parties {
		fmt.Fprintf(&b, "  participant p%d as %s\n", i, mermaidText(name))
	}
	for i, s := range f.Steps {
		began, before := f.since(i)
		if before != "" {
			before = " (" + before + ")"
		}
		fmt.Fprintf(&b, "  p%d%sp%d: %s%s %s\n", s.From, s.mermaidArrow(), s.To, began, before, mermaidText(s.words()))
	}
	return b.String()
}

func (s Step) mermaidArrow() string {
	switch {
	case s.Again && s.Status != 0:
		return "--x"
	case s.Again:
		return "-x"
	case s.Status != 0:
		return "-->>"
	}
	return "->>"
}

// mermaidText writes everything that might mean something to mermaid, or to the
// HTML that it makes, as an entity: # and the character's number.
func mermaidText(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" ,.()/_-", r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
