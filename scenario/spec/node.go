package spec

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind says what a Node holds.
type Kind int

// The kinds of node.
const (
	Null Kind = iota
	Bool
	Number
	String
	List
	Map
)

var kindWords = [...]string{"nothing", "a boolean", "a number", "a string", "a list", "a mapping"}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindWords) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return kindWords[k]
}

// Node is one value as its author wrote it. A tree of nodes is never changed
// once it is made.
type Node struct {
	Kind Kind
	// Text is a scalar as written: 0123 stays "0123" although it is a number.
	Text string
	// Value is the scalar: nil, bool, int64 or float64; a string is its Text.
	Value any
	// Items are the members of a List.
	Items []*Node
	// Fields are the entries of a Map, in the order written.
	Fields []Field
	// Line and Column count from 1; both are 0 in an object.
	Line, Column int

	parent *Node
	step   string // from the parent: "hooks" or "[2]"
	plain  bool   // a string in which ${ means nothing any more
}

// Field is one entry of a Map.
type Field struct {
	Name  string
	Key   *Node // where the name stands
	Value *Node
}

// Field gives the value under name, or nil.
func (n *Node) Field(name string) *Node {
	for _, f := range n.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

// Path names the node from the root: "hooks[2].then[0]"; "" is the root.
func (n *Node) Path() string {
	var steps []string
	for at := n; at != nil && at.parent != nil; at = at.parent {
		steps = append(steps, at.step)
	}
	var b strings.Builder
	for i := len(steps) - 1; i >= 0; i-- {
		if b.Len() > 0 && !strings.HasPrefix(steps[i], "[") {
			b.WriteByte('.')
		}
		b.WriteString(steps[i])
	}
	return b.String()
}

// Plain gives the node as JSON would hold it.
func (n *Node) Plain() any {
	switch n.Kind {
	case List:
		list := make([]any, len(n.Items))
		for i, item := range n.Items {
			list[i] = item.Plain()
		}
		return list
	case Map:
		m := make(map[string]any, len(n.Fields))
		for _, f := range n.Fields {
			m[f.Name] = f.Value.Plain()
		}
		return m
	case String:
		return n.Text
	default:
		return n.Value
	}
}

// asList gives a list's items, and any other value as the only item: most
// lists of the language may be written as their one member.
func (n *Node) asList() []*Node {
	switch n.Kind {
	case List:
		return n.Items
	case Null:
		return nil
	default:
		return []*Node{n}
	}
}

func (n *Node) adopt(child *Node, step string) *Node {
	child.parent, child.step = n, step
	return child
}

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }
