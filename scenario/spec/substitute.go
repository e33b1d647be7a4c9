package spec

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

var reference = regexp.MustCompile(`\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// References gives the names in ${…} anywhere in a tree, each once.
func References(n *Node) []string {
	var found []string
	walk(n, func(text string) {
		if !strings.Contains(text, "${") {
			return
		}
		for _, m := range reference.FindAllStringSubmatch(text, -1) {
			if m[1] != "" && !slices.Contains(found, m[1]) {
				found = append(found, m[1])
			}
		}
	})
	return found
}

func walk(n *Node, visit func(string)) {
	if n.Kind == String && !n.plain {
		visit(n.Text)
	}
	for _, item := range n.Items {
		walk(item, visit)
	}
	for _, f := range n.Fields {
		walk(f.Value, visit)
	}
}

// Substitute copies a tree with every ${name} replaced. A string that is
// nothing but one ${name} becomes that value, whatever its kind; inside longer
// strings its text is put. With at given, every node of the copy stands where
// at stands, so that a fault in it is shown to the author of at. $${ and names
// that are not in values stay as they are.
//
// Without at, the copy shares with the tree what it does not change.
func Substitute(n, at *Node, values map[string]*Node) *Node {
	if at == nil {
		return fill(n, values)
	}
	copied := *n
	copied.standAt(at)
	switch n.Kind {
	case String:
		return substituteText(&copied, values)
	case List:
		copied.Items = make([]*Node, len(n.Items))
		for i, item := range n.Items {
			copied.Items[i] = Substitute(item, at, values)
		}
	case Map:
		copied.Fields = make([]Field, len(n.Fields))
		for i, f := range n.Fields {
			key := *f.Key
			key.standAt(at)
			copied.Fields[i] = Field{Name: f.Name, Key: &key, Value: Substitute(f.Value, at, values)}
		}
	}
	return &copied
}

func (n *Node) standAt(at *Node) {
	n.Line, n.Column, n.parent, n.step = at.Line, at.Column, at.parent, at.step
}

// fill copies only what changes.
func fill(n *Node, values map[string]*Node) *Node {
	if n.Kind == String {
		if n.plain || !strings.Contains(n.Text, "${") {
			return n
		}
		copied := *n
		return substituteText(&copied, values)
	}
	var copied *Node
	change := func() {
		if copied == nil {
			whole := *n
			whole.Items, whole.Fields = slices.Clone(n.Items), slices.Clone(n.Fields)
			copied = &whole
		}
	}
	for i, item := range n.Items {
		if filled := fill(item, values); filled != item {
			change()
			copied.Items[i] = filled
		}
	}
	for i, f := range n.Fields {
		if filled := fill(f.Value, values); filled != f.Value {
			change()
			copied.Fields[i].Value = filled
		}
	}
	if copied != nil {
		return copied
	}
	return n
}

func substituteText(n *Node, values map[string]*Node) *Node {
	if n.plain || !strings.Contains(n.Text, "${") {
		return n
	}
	if m := reference.FindStringSubmatch(n.Text); m != nil && m[0] == n.Text && m[1] != "" {
		if v := values[m[1]]; v != nil {
			whole := *v
			whole.standAt(n)
			return &whole
		}
	}
	n.Text = reference.ReplaceAllStringFunc(n.Text, func(found string) string {
		if found == "$${" {
			return found
		}
		if v := values[found[2:len(found)-1]]; v != nil {
			return v.words()
		}
		return found
	})
	n.Value = n.Text
	return n
}

// words is a value as it stands in a longer string; lists and mappings are
// JSON there.
func (n *Node) words() string {
	if n.Kind == Null || n.Kind == List || n.Kind == Map {
		if raw, err := json.Marshal(n.Plain()); err == nil {
			return string(raw)
		}
	}
	return n.Text
}
