package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringmaster/proto/phone"
)

// Type is what an argument or a pattern's parameter may hold. Its text is the
// name that pattern files use.
type Type string

// The types, with the Go type that a value of each becomes.
const (
	TypeString   Type = "string"   // string; a number is taken as written
	TypeInteger  Type = "integer"  // int
	TypeBoolean  Type = "boolean"  // bool
	TypeDuration Type = "duration" // time.Duration; 500 is milliseconds
	TypePhone    Type = "phone"    // phone.ID
	TypePhones   Type = "phones"   // []phone.ID; one id, a list, or "*" for any: nil
	TypeURI      Type = "uri"      // string: a SIP or SIPS URI
	TypeDigits   Type = "digits"   // string of 0-9 * # A-D
	TypeDigit    Type = "digit"    // string: one of them
	TypeCodes    Type = "codes"    // []int: SIP status codes; one or a list
	TypeStrings  Type = "strings"  // []string, at least one
	TypeCall     Type = "call_id"  // phone.CallID
	TypeCalls    Type = "call_ids" // []phone.CallID, at least two; "auto" is nil
	TypeHeaders  Type = "headers"  // map[string]string
	TypeObject   Type = "object"   // map[string]any
	TypeEvents   Type = "events"   // []EventPattern; one or a list
	TypeMatch    Type = "match"    // Match
)

// Types that patterns have no parameters of.
const (
	TypePatterns Type = "patterns" // []PatternUse
	TypeHooks    Type = "hooks"    // []Hook
	TypeStops    Type = "stops"    // []Stop
	TypeActions  Type = "actions"  // []Action; one or a list
	TypeBranches Type = "branches" // [][]Action
	TypeFacts    Type = "facts"    // []Fact; one or a list
	TypeSeries   Type = "series"   // []EventFact, in this order
	TypeAnEvent  Type = "an event" // *EventFact; an event type or {event, phone_id, call_id, match}
	TypeCallRef  Type = "call"     // CallRef: a number, or first, second, third, last
	TypeSelector Type = "whose"    // CallSelector: a phone, or {phone_id, call_id}
	TypeCount    Type = "count"    // Range: 2, or {min, max}, of whole numbers
	TypeBounds   Type = "bounds"   // Range: {min, max}
	TypeTone     Type = "tone"     // Range: 440, which allows 5 Hz to either side, or {min, max}
	TypeSpan     Type = "span"     // Range of seconds: {min: 2s, max: "3.5s"}; units must be given
	TypeWant     Type = "want"     // Want, as a value in match
	TypeAudio    Type = "audio"    // []CallCheck
	TypeRTP      Type = "rtp"      // []CallCheck
	TypeVars     Type = "vars"     // map[string]any
	TypeCapture  Type = "capture"  // []Capture
	TypeName     Type = "name"     // string: a variable's name
	TypeSecret   Type = "secret"   // phone.Secret
)

var types = []Type{
	TypeString, TypeInteger, TypeBoolean, TypeDuration, TypePhone, TypePhones, TypeURI, TypeDigits, TypeDigit,
	TypeCodes, TypeStrings, TypeCall, TypeCalls, TypeHeaders, TypeObject, TypeEvents, TypeMatch,
}

// AnyPhone stands, where several phones may be named, for all there are.
const AnyPhone = "*"

// Param describes one argument of an action or one parameter of a pattern.
type Param struct {
	Name     string
	Type     Type
	Required bool
	Aliases  []string
	// OneOf restricts a scalar to some values, by their text.
	OneOf []string
	// Min and Max bound an integer when Max is not 0.
	Min, Max int
}

// maxDuration bounds every duration of a scenario.
const maxDuration = 24 * time.Hour

// Value reads a node as p wants it. Faults are collected and give a nil
// value.
//
// A string with a ${name} in it is still to be filled in, and gives late{}.
func (r *reader) value(n *Node, p Param) any {
	if n.refers() && p.Type != TypeName {
		return late{}
	}
	before := len(r.issues)
	v := r.typed(n, p)
	if len(r.issues) > before {
		return nil
	}
	if len(p.OneOf) > 0 && !slices.Contains(p.OneOf, n.Text) {
		r.unknownChoice(n, p)
		return nil
	}
	if i, ok := v.(int); ok && p.Max != 0 && (i < p.Min || i > p.Max) {
		r.fault(n, BadValue, "%s is %d; it takes %d to %d", p.Name, i, p.Min, p.Max)
		return nil
	}
	return v
}

func (r *reader) unknownChoice(n *Node, p Param) {
	msg := fmt.Sprintf("%s is %q; it takes one of: %s", p.Name, clip(n.Text), strings.Join(p.OneOf, ", "))
	near := Nearest(n.Text, p.OneOf)
	if near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	}
	r.add(n, BadValue, near, msg)
}

func (r *reader) typed(n *Node, p Param) any {
	switch p.Type {
	case TypeInteger:
		if whole, ok := n.Value.(int64); ok && whole == int64(int32(whole)) {
			return int(whole)
		}
		return r.wrong(n, p, "a whole number")
	case TypeBoolean:
		if v, ok := n.Value.(bool); ok {
			return v
		}
		return r.wrong(n, p, "true or false")
	case TypeDuration:
		return r.duration(n, p)
	case TypePhone:
		return r.phone(n, p)
	case TypePhones:
		if n.Text == AnyPhone {
			return []phone.ID(nil)
		}
		return each(n, func(item *Node) any { return r.phone(item, p) }, phone.ID(""))
	case TypeCodes:
		code := Param{Name: p.Name, Type: TypeInteger, Min: 100, Max: 699}
		return each(n, func(item *Node) any { return r.value(item, code) }, 0)
	case TypeStrings:
		return r.strings(n, p)
	case TypeCall:
		if whole, ok := n.Value.(int64); ok && whole >= 0 {
			return phone.CallID(whole)
		}
		return r.wrong(n, p, "a call's number")
	case TypeCalls:
		return r.calls(n, p)
	case TypeHeaders:
		return r.headers(n, p)
	case TypeObject:
		if n.Kind == Map {
			return n.Plain()
		}
		return r.wrong(n, p, "a mapping")
	case TypeEvents:
		return r.events(n, p)
	case TypeMatch:
		return r.match(n, p)
	default:
		return r.inner(n, p)
	}
}

// inner reads what holds parts of the language itself.
func (r *reader) inner(n *Node, p Param) any {
	switch p.Type {
	case TypeActions:
		return r.actions(n)
	case TypeBranches:
		return r.branches(n, p)
	case TypeCapture:
		return r.capture(n, p)
	case TypeName:
		if !variableForm.MatchString(n.Text) || n.Kind != String {
			return r.wrong(n, p, "a variable's name")
		}
		return n.Text
	case TypeSecret:
		if n.Kind != String && n.Kind != Number {
			r.fault(n, WrongType, "%s takes a string", p.Name)
			return nil
		}
		return phone.NewSecret(n.Text)
	default:
		return r.factValue(n, p)
	}
}

// each reads a list, or a single value as a list of one.
func each[T any](n *Node, read func(*Node) any, _ T) []T {
	var list []T
	for _, item := range n.asList() {
		if item.refers() {
			continue // it is still to be filled in
		}
		if v, ok := read(item).(T); ok {
			list = append(list, v)
		}
	}
	return list
}

func (r *reader) wrong(n *Node, p Param, want string) any {
	got := n.Kind.String()
	if n.Kind == String || n.Kind == Number {
		got = strconv.Quote(clip(n.Text))
	}
	r.fault(n, WrongType, "%s takes %s, not %s", p.Name, want, got)
	return nil
}

var (
	digitsForm = regexp.MustCompile(`^,*[0-9*#A-D][0-9*#A-D,]*$`)
	uriForm    = regexp.MustCompile(`(?i)^sips?:[^\s@<>]*@?[^\s@<>]+$`)
)

func (r *reader) text(n *Node, p Param) any {
	if n.Kind != String && n.Kind != Number && (n.Kind != Bool || p.Type != TypeString) {
		return r.wrong(n, p, "a string")
	}
	switch text := n.Text; p.Type {
	case TypeURI:
		if !uriForm.MatchString(text) {
			return r.wrong(n, p, "a SIP URI such as sip:b@127.0.0.1")
		}
	case TypeDigits, TypeDigit:
		text = strings.ToUpper(text)
		if !digitsForm.MatchString(text) {
			return r.wrong(n, p, "digits 0-9 * # A-D, and commas for pauses")
		}
		if p.Type == TypeDigit && len(text) != 1 {
			return r.wrong(n, p, "one digit")
		}
		return text
	}
	return n.Text
}

func (r *reader) duration(n *Node, p Param) any {
	const want = "a duration: 500 (milliseconds), \"500ms\", \"2s\" or \"1.5s\""
	var d time.Duration
	if ms, err := strconv.ParseInt(n.Text, 10, 64); err == nil && (n.Kind == Number || n.Kind == String) {
		if ms < 0 || ms > maxDuration.Milliseconds() {
			return r.wrong(n, p, "a duration from 0 to 24h")
		}
		d = time.Duration(ms) * time.Millisecond
	} else if d, err = time.ParseDuration(n.Text); err != nil || n.Kind != String {
		return r.wrong(n, p, want)
	}
	if d < 0 || d > maxDuration {
		return r.wrong(n, p, "a duration from 0 to 24h")
	}
	return d
}

func (r *reader) phone(n *Node, p Param) any {
	if n.Kind != String && n.Kind != Number {
		return r.wrong(n, p, "a phone_id")
	}
	id, err := phone.ParseID(n.Text)
	if err != nil {
		r.fault(n, BadValue, "%s", err)
		return nil
	}
	return id
}

func (r *reader) strings(n *Node, p Param) any {
	item := Param{Name: p.Name, Type: TypeString}
	list := each(n, func(n *Node) any { return r.text(n, item) }, "")
	if len(n.asList()) == 0 {
		return r.wrong(n, p, "a list with at least one entry")
	}
	return list
}

func (r *reader) calls(n *Node, p Param) any {
	if n.Kind == String && n.Text == "auto" {
		return []phone.CallID(nil)
	}
	if n.Kind != List || len(n.Items) < 2 {
		return r.wrong(n, p, "a list of at least two calls, or auto")
	}
	item := Param{Name: p.Name, Type: TypeCall}
	return each(n, func(n *Node) any { return r.typed(n, item) }, phone.CallID(0))
}

var headerForm = regexp.MustCompile("^[A-Za-z0-9.!%*_+`'~-]+$") // token of RFC 3261 §25.1

func (r *reader) headers(n *Node, p Param) any {
	if n.Kind != Map {
		return r.wrong(n, p, "a mapping of header names to values")
	}
	headers := make(map[string]string, len(n.Fields))
	for _, f := range n.Fields {
		if !headerForm.MatchString(f.Name) {
			r.fault(f.Key, BadValue, "%q is not a header's name", clip(f.Name))
		}
		if f.Value.Kind == List || f.Value.Kind == Map || strings.ContainsAny(f.Value.Text, "\r\n") {
			r.fault(f.Value, WrongType, "header %s takes one line of text", clip(f.Name))
		}
		headers[f.Name] = f.Value.Text
	}
	return headers
}

// Types gives the names of all types, for a pattern's author.
func Types() []string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return names
}

// Check holds a node against a parameter.
func Check(file string, n *Node, p Param) Issues {
	r := &reader{file: file}
	r.value(n, p)
	return r.issues
}
