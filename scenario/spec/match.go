package spec

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"ringmaster/proto/phone"
)

// Match is a set of conditions on an event; all must hold. The empty Match
// holds for every event.
type Match []Condition

// Condition wants something of one field.
type Condition struct {
	// Path is a dotted path into the event's data; where data has nothing
	// there, phone_id, call_id and type name those of the event.
	Path string
	Want Want
}

// Want is what a field must be. Exactly one form is set; the zero Want wants
// null.
type Want struct {
	Equal  any
	OneOf  []Want         // a list
	Class  int            // "4xx": 4
	Regexp *regexp.Regexp // "~…": found anywhere in the value's text
}

// Holds says whether every condition holds. A field that is not there holds
// for no condition, not even null.
func (m Match) Holds(e phone.Event) bool {
	for _, c := range m {
		value, ok := Lookup(e, c.Path)
		if !ok || !c.Want.Holds(value) {
			return false
		}
	}
	return true
}

// Lookup finds a field of an event by its dotted path.
func Lookup(e phone.Event, path string) (any, bool) {
	if v, ok := dig(e.Data, path); ok {
		return v, true
	}
	switch path {
	case "type":
		return e.Type, true
	case "phone_id":
		if e.PhoneID == "" {
			return nil, true
		}
		return string(e.PhoneID), true
	case "call_id":
		if e.CallID == nil {
			return nil, true
		}
		return int64(*e.CallID), true
	}
	return nil, false
}

// dig follows a dotted path. A whole name comes before its parts, since names
// may hold dots; names of SIP headers are found in any case.
func dig(data map[string]any, path string) (any, bool) {
	if v, ok := data[path]; ok {
		return v, true
	}
	head, rest, dotted := strings.Cut(path, ".")
	if !dotted {
		return nil, false
	}
	inner, ok := data[head].(map[string]any)
	if !ok {
		return nil, false
	}
	if v, ok := dig(inner, rest); ok || head != "headers" {
		return v, ok
	}
	for name, v := range inner {
		if strings.EqualFold(name, rest) {
			return v, true
		}
	}
	return nil, false
}

// Holds says whether a value is what is wanted. A value that is a list (of a
// header that came twice, say) holds when one of its members does.
//
// Scalars are equal when their texts are, so that 5 written without quotes
// finds the digit "5"; two numbers are equal by value.
func (w Want) Holds(value any) bool {
	if w.OneOf == nil && w.Class == 0 && w.Regexp == nil && equal(w.Equal, value) {
		return true
	}
	if members, ok := value.([]any); ok {
		for _, member := range members {
			if w.Holds(member) {
				return true
			}
		}
		return false
	}
	switch {
	case w.OneOf != nil:
		for _, one := range w.OneOf {
			if one.Holds(value) {
				return true
			}
		}
		return false
	case w.Class != 0:
		number, ok := asNumber(value)
		return ok && int(number)/100 == w.Class
	case w.Regexp != nil:
		text, ok := scalarText(value)
		return ok && w.Regexp.MatchString(text)
	}
	return false
}

func equal(want, value any) bool {
	if a, ok := number(want); ok {
		if b, ok := number(value); ok {
			return a == b
		}
	}
	a, aScalar := scalarText(want)
	b, bScalar := scalarText(value)
	if aScalar && bScalar {
		return a == b
	}
	return aScalar == bScalar && reflect.DeepEqual(want, value)
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// asNumber also takes the text of a number.
func asNumber(v any) (float64, bool) {
	if text, ok := v.(string); ok {
		f, err := strconv.ParseFloat(text, 64)
		return f, err == nil
	}
	return number(v)
}

func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case int, int64:
		return fmt.Sprint(v), true
	}
	return "", false
}

func (r *reader) match(n *Node, p Param) any {
	if n.Kind != Map {
		return r.wrong(n, p, "a mapping of fields to what they must be")
	}
	m := make(Match, 0, len(n.Fields))
	for _, f := range n.Fields {
		m = append(m, Condition{Path: f.Name, Want: r.want(f.Value)})
	}
	return m
}

// isClass says whether a text is a class of statuses: 1xx to 6xx.
func isClass(text string) bool {
	return len(text) == 3 && text[0] >= '1' && text[0] <= '6' && strings.EqualFold(text[1:], "xx")
}

func (r *reader) want(n *Node) Want {
	switch {
	case n.Kind == List:
		if len(n.Items) == 0 {
			r.fault(n, BadValue, "an empty list matches nothing")
		}
		w := Want{OneOf: []Want{}}
		for _, item := range n.Items {
			w.OneOf = append(w.OneOf, r.want(item))
		}
		return w
	case n.Kind == String && isClass(n.Text):
		return Want{Class: int(n.Text[0] - '0')}
	case n.Kind == String && strings.HasPrefix(n.Text, "~"):
		re, err := regexp.Compile(n.Text[1:])
		if err != nil {
			r.fault(n, BadValue, "not a regular expression: %s", clip(strings.TrimPrefix(err.Error(), "error parsing regexp: ")))
		}
		return Want{Regexp: re}
	default:
		return Want{Equal: n.Plain()}
	}
}
