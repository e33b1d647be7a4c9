package spec

import (
	"encoding/json"
	"math"
	"sort"
	"strconv"
)

// FromObject makes a tree of what encoding/json makes of a JSON object.
func FromObject(object map[string]any) (*Node, Issues) {
	c := objectConverter{}
	root := c.convert(object, nil, "", 0)
	return root, c.issues
}

type objectConverter struct {
	reader
	nodes int
	full  bool
}

func (c *objectConverter) convert(value any, parent *Node, step string, depth int) *Node {
	n := &Node{parent: parent, step: step}
	if c.nodes++; c.nodes > maxNodes || depth > maxDepth {
		if !c.full {
			c.full = true
			c.fault(n, Syntax, "too large: at most %d values, nested %d deep", maxNodes, maxDepth)
		}
		return n
	}
	switch v := value.(type) {
	case nil:
	case bool:
		n.Kind, n.Value, n.Text = Bool, v, strconv.FormatBool(v)
	case string:
		n.Kind, n.Value, n.Text = String, v, v
	case int:
		n.Kind, n.Value, n.Text = Number, int64(v), strconv.Itoa(v)
	case int64:
		n.Kind, n.Value, n.Text = Number, v, strconv.FormatInt(v, 10)
	case float64:
		n.number(v)
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			n.Kind, n.Value, n.Text = Number, whole, v.String()
		} else if f, err := v.Float64(); err == nil {
			n.number(f)
		}
	case []any:
		n.Kind = List
		n.Items = make([]*Node, 0, len(v))
		for i, item := range v {
			n.Items = append(n.Items, c.convert(item, n, index(i), depth+1))
		}
	case map[string]any:
		n.Kind = Map
		n.Fields = make([]Field, 0, len(v))
		for _, name := range sortedKeys(v) {
			key := &Node{Kind: String, Text: name, Value: name, parent: n, step: name}
			n.Fields = append(n.Fields, Field{Name: name, Key: key, Value: c.convert(v[name], n, name, depth+1)})
		}
	default:
		c.fault(n, WrongType, "a value of Go type %T is not JSON", value)
	}
	return n
}

// number keeps whole numbers whole: JSON knows only one kind of number.
func (n *Node) number(v float64) {
	n.Kind, n.Text = Number, strconv.FormatFloat(v, 'f', -1, 64)
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		n.Value = int64(v)
	} else {
		n.Value = v
	}
}

func sortedKeys(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
