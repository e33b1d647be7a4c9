package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// MaxBytes bounds one text.
const MaxBytes = 1 << 20

const (
	maxNodes = 100_000 // of one tree, aliases unfolded
	maxDepth = 40      // of nesting
)

// ParseYAML reads one YAML document into a tree. file is only a name for the
// issues. The tree is nil when the text is not YAML.
func ParseYAML(file string, text []byte) (*Node, Issues) {
	whole := func(format string, args ...any) Issues {
		return Issues{{Kind: Syntax, File: file, Line: 1, Column: 1, Msg: fmt.Sprintf(format, args...)}}
	}
	if len(text) > MaxBytes {
		return nil, whole("the text is larger than %d bytes", MaxBytes)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, whole("the text is empty")
	case err != nil:
		return nil, Issues{syntaxIssue(file, err)}
	}
	var second yaml.Node
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, Issues{syntaxIssue(file, err)}
		}
		return nil, Issues{{Kind: Syntax, File: file, Line: second.Line, Column: second.Column, Msg: "a second document; one scenario is one file"}}
	}
	c := yamlConverter{reader: reader{file: file}}
	root := c.convert(&document, 0)
	return root, c.issues.sorted()
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// syntaxIssue takes the line out of a message of yaml.v3, which keeps it in
// the sentence only and knows no column.
func syntaxIssue(file string, err error) Issue {
	issue := Issue{Kind: Syntax, File: file, Line: 1, Column: 1, Msg: strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		issue.Line, _ = strconv.Atoi(m[1])
		issue.Msg = strings.TrimPrefix(err.Error(), m[0])
	}
	issue.Msg = "not YAML: " + clip(issue.Msg)
	return issue
}

type yamlConverter struct {
	reader
	nodes int
	full  bool
}

func (c *yamlConverter) convert(y *yaml.Node, depth int) *Node {
	n := &Node{Line: y.Line, Column: y.Column}
	if c.nodes++; c.nodes > maxNodes || depth > maxDepth {
		if !c.full {
			c.full = true
			c.fault(n, Syntax, "too large: at most %d values, nested %d deep", maxNodes, maxDepth)
		}
		return n
	}
	switch y.Kind {
	case yaml.DocumentNode:
		return c.convert(y.Content[0], depth)
	case yaml.AliasNode:
		return c.convert(y.Alias, depth+1)
	case yaml.SequenceNode:
		n.Kind = List
		n.Items = make([]*Node, 0, len(y.Content))
		for i, item := range y.Content {
			n.Items = append(n.Items, n.adopt(c.convert(item, depth+1), index(i)))
		}
	case yaml.MappingNode:
		n.Kind = Map
		c.fields(n, y, depth)
	default:
		c.scalar(n, y)
	}
	return n
}

func (c *yamlConverter) fields(n *Node, y *yaml.Node, depth int) {
	var seen map[string]int // of large ones; a look along the few fields of most is quicker
	if len(y.Content) > 2*few {
		seen = make(map[string]int, len(y.Content)/2)
	}
	n.Fields = make([]Field, 0, len(y.Content)/2)
	keys := make([]Node, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := n.adopt(&keys[i/2], y.Content[i].Value)
		key.Kind, key.Text, key.Line, key.Column = String, y.Content[i].Value, y.Content[i].Line, y.Content[i].Column
		value := n.adopt(c.convert(y.Content[i+1], depth+1), key.Text)
		if y.Content[i].Kind != yaml.ScalarNode {
			c.fault(key, Syntax, "a key must be a plain word")
			continue
		}
		line, again := seen[key.Text]
		if seen == nil {
			line, again = n.lineOf(key.Text)
		}
		if again {
			c.fault(key, DuplicateKey, "duplicate key %q; it is already on line %d", clip(key.Text), line)
			continue
		}
		if seen != nil {
			seen[key.Text] = key.Line
		}
		n.Fields = append(n.Fields, Field{Name: key.Text, Key: key, Value: value})
	}
}

// few fields are looked through one by one.
const few = 16

// lineOf says where a field's name stands, if there is one.
func (n *Node) lineOf(name string) (int, bool) {
	for _, f := range n.Fields {
		if f.Name == name {
			return f.Key.Line, true
		}
	}
	return 0, false
}

func (c *yamlConverter) scalar(n *Node, y *yaml.Node) {
	n.Text = y.Value
	if y.ShortTag() == "!!str" {
		n.Kind = String
		return
	}
	var value any
	if err := y.Decode(&value); err != nil {
		c.fault(n, Syntax, "not a value: %s", clip(strings.TrimPrefix(err.Error(), "yaml: ")))
		return
	}
	switch v := value.(type) {
	case nil:
		n.Kind, n.Text = Null, ""
	case bool:
		n.Kind, n.Value = Bool, v
	case int:
		n.Kind, n.Value = Number, int64(v)
	case int64:
		n.Kind, n.Value = Number, v
	case float64:
		n.Kind, n.Value = Number, v
	default: // dates and other YAML inventions are what was written
		n.Kind = String
	}
}
