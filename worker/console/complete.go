package console

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// completion is what the tab key does to a line: it becomes line, or, where
// several words are possible, they are shown.
type completion struct {
	line  string
	cands []string
}

// completeLine completes the word at the end of a line: a command, the name of
// a parameter, an event after wait, a file after play_audio.
func completeLine(table []command, line string, files func(prefix string) []string) completion {
	head, last := "", line
	if i := strings.LastIndexAny(line, " \t"); i >= 0 {
		head, last = line[:i+1], line[i+1:]
	}
	var possible []string
	words := strings.Fields(head)
	if len(words) == 0 {
		possible = commandWords(table)
	} else if cmd, err := find(table, words[0]); err == nil {
		possible = cmd.possible(last, len(words) == 1, table, files)
	}
	var cands []string
	for _, p := range possible {
		if strings.HasPrefix(p, last) {
			cands = append(cands, p)
		}
	}
	if len(cands) == 0 {
		return completion{line: line}
	}
	if len(cands) == 1 {
		whole := cands[0]
		if !strings.HasSuffix(whole, "=") && !strings.HasSuffix(whole, "/") && !strings.HasSuffix(whole, ".") {
			whole += " "
		}
		return completion{line: head + whole}
	}
	return completion{line: head + common(cands), cands: cands}
}

func commandWords(table []command) []string {
	var words []string
	for _, c := range table {
		words = append(words, c.name)
		if c.short != "" {
			words = append(words, c.short)
		}
	}
	slices.Sort(words)
	return words
}

// possible is what may stand as a word after the command.
func (c command) possible(last string, first bool, table []command, files func(string) []string) []string {
	var out []string
	if first {
		switch c.name {
		case "help":
			return commandWords(table)
		case "sip":
			return []string{"on", "off"}
		case "wait":
			out = append(out, eventTypes()...)
		case "play_audio":
			out = append(append(out, "music-on-hold"), files(last)...)
		}
	}
	for _, p := range c.params {
		switch p.kind {
		case flag:
			out = append(out, p.name+"=true", p.name+"=false")
		case headers:
		default:
			out = append(out, p.name+"=")
		}
	}
	return out
}

// eventTypes are those that a script waits for most.
func eventTypes() []string {
	return []string{
		"call.state.*", "call.state.calling", "call.state.incoming", "call.state.early", "call.state.connecting",
		"call.state.confirmed", "call.state.disconnected", "dtmf.in", "dtmf.out", "im.received",
		"reg.failed", "reg.started", "reg.success", "reg.unregistered", "transfer.*",
	}
}

// common is how far all of them are the same.
func common(words []string) string {
	prefix := words[0]
	for _, w := range words[1:] {
		for !strings.HasPrefix(w, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	return prefix
}

// filesOf lists the files and folders that begin so.
func filesOf(prefix string) []string {
	dir, _ := filepath.Split(prefix)
	found, err := os.ReadDir(filepath.Clean("./" + dir))
	if filepath.IsAbs(prefix) {
		found, err = os.ReadDir(dir)
	}
	if err != nil {
		return nil
	}
	var out []string
	for _, f := range found {
		name := dir + f.Name()
		if f.IsDir() {
			name += "/"
		}
		out = append(out, name)
	}
	return out
}
