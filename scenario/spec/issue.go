package spec

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// The kinds of issue, for a program that reads them.
const (
	Syntax           = "syntax"
	UnknownKey       = "unknown_key"
	DuplicateKey     = "duplicate_key"
	Missing          = "missing"
	WrongType        = "wrong_type"
	BadValue         = "bad_value"
	UnknownAction    = "unknown_action"
	UnknownEvent     = "unknown_event"
	UnknownPattern   = "unknown_pattern"
	UnknownParameter = "unknown_parameter"
	UnknownVariable  = "unknown_variable"
	MalformedHook    = "malformed_hook"
	MalformedAction  = "malformed_action"
)

// Issue is one fault of a scenario.
type Issue struct {
	Kind string
	// File, Line and Column say where in a text; "" and 0 for an object.
	File         string
	Line, Column int
	// Path says where in the structure: "hooks[2].when". "" is the whole.
	Path string
	// Msg is one sentence without the place.
	Msg string
	// Nearest is the known word closest to an unknown one, or "".
	Nearest string
}

// Error gives the place and the sentence.
func (i Issue) Error() string {
	switch {
	case i.Line > 0:
		return fmt.Sprintf("%s:%d:%d: %s", i.File, i.Line, i.Column, i.Msg)
	case i.Path != "":
		return i.Path + ": " + i.Msg
	case i.File != "":
		return i.File + ": " + i.Msg
	default:
		return i.Msg
	}
}

// MarshalJSON gives kind, file, line, column, path, nearest and msg, each
// always present and null when not known. msg holds the place too, so that it
// says everything alone.
func (i Issue) MarshalJSON() ([]byte, error) {
	orNull := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	positive := func(n int) any {
		if n == 0 {
			return nil
		}
		return n
	}
	return json.Marshal(map[string]any{
		"kind": i.Kind, "file": orNull(i.File), "line": positive(i.Line), "column": positive(i.Column),
		"path": i.Path, "nearest": orNull(i.Nearest), "msg": i.Error(),
	})
}

// Issues are all faults of one scenario, in the order of the text.
type Issues []Issue

// maxIssues bounds an answer: a text that is no scenario at all is wrong on
// every line.
const maxIssues = 100

// Error gives one line for each issue.
func (is Issues) Error() string {
	lines := make([]string, len(is))
	for i, issue := range is {
		lines[i] = issue.Error()
	}
	return strings.Join(lines, "\n")
}

func (is Issues) sorted() Issues {
	sort.SliceStable(is, func(a, b int) bool {
		if is[a].Line != is[b].Line {
			return is[a].Line < is[b].Line
		}
		return is[a].Column < is[b].Column
	})
	if len(is) > maxIssues {
		more := len(is) - maxIssues
		is = append(is[:maxIssues:maxIssues], Issue{Kind: Syntax, File: is[0].File, Msg: fmt.Sprintf("and %d more faults; correct these first", more)})
	}
	return is
}

// reader collects the faults found while nodes become values.
type reader struct {
	file   string
	prefix string // before every sentence: which pattern is being unfolded
	issues Issues

	params    map[string][]Param // of the actions that came, by their words
	expecting bool               // in expect, where no sequence gives facts a phone
}

func (r *reader) fault(at *Node, kind, format string, args ...any) {
	r.add(at, kind, "", fmt.Sprintf(format, args...))
}

// unknown reports a word that is none of the known ones, and the nearest.
func (r *reader) unknown(at *Node, kind, what, word string, known []string) {
	msg := fmt.Sprintf("unknown %s %q", what, clip(word))
	near := Nearest(word, known)
	switch {
	case near != "":
		msg += fmt.Sprintf("; did you mean %q?", near)
	case len(known) > 0 && len(known) <= 12:
		msg += "; there are: " + strings.Join(known, ", ")
	}
	r.add(at, kind, near, msg)
}

func (r *reader) add(at *Node, kind, nearest, msg string) {
	r.issues = append(r.issues, Issue{
		Kind: kind, File: r.file, Line: at.Line, Column: at.Column, Path: at.Path(), Msg: r.prefix + msg, Nearest: nearest,
	})
}

// clip bounds what is quoted back from the author's text.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// NewIssue makes an issue at a node.
func NewIssue(file string, at *Node, kind, format string, args ...any) Issue {
	r := reader{file: file}
	r.fault(at, kind, format, args...)
	return r.issues[0]
}

// UnknownWord makes the issue of a word that is none of the known ones, with
// the nearest of them.
func UnknownWord(file string, at *Node, kind, what, word string, known []string) Issue {
	r := reader{file: file}
	r.unknown(at, kind, what, word, known)
	return r.issues[0]
}
