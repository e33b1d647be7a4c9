package tool

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"ringmaster/proto/phone"
	scenarioschema "ringmaster/scenario/schema"
)

// field is one argument of a tool, as the tags of its struct field say:
//
//	json     its name
//	doc      what it is, for the reader of the schema
//	default  its value when it is left out (in JSON, a text without quotes)
//	enum     the values it takes
//	min, max its range
//	pattern  the regular expression that a text must match
//	longest  how many bytes a text, or an object of texts, may have; left out:
//	         textBound, headersBound
//	shape    "scenario" for an object that is one, which the schema then shows
//	required "true" for a slice or map that must be there
//
// A pointer, slice or map may else be left out and is nil then; anything else
// without a default is required.
type field struct {
	name     string
	doc      string
	index    int
	kind     kind
	pointer  bool
	fallback string
	enum     []string
	min, max *int64
	pattern  string
	says     string // what the pattern means
	longest  int    // in bytes
	shape    string
	required bool
}

// What an argument may hold where its tags do not say. The phones' side takes
// 4 MB in one piece, and says no more than that it was too much.
const (
	textBound    = 4096
	headersBound = 32 << 10
	listBound    = 1000 // entries
)

// kind is what JSON an argument takes.
type kind string

const (
	kindText    kind = "text"
	kindBool    kind = "bool"
	kindInteger kind = "integer"
	kindTexts   kind = "texts"    // a list of texts
	kindCallIDs kind = "call ids" // a list of integers
	kindHeaders kind = "headers"  // an object of texts
	kindObject  kind = "object"
)

func kindOf(t reflect.Type) kind {
	switch {
	case t == reflect.TypeFor[[]string]():
		return kindTexts
	case t == reflect.TypeFor[[]phone.CallID]():
		return kindCallIDs
	case t == reflect.TypeFor[map[string]string]():
		return kindHeaders
	case t == reflect.TypeFor[json.RawMessage]():
		return kindObject
	case t.Kind() == reflect.String:
		return kindText
	case t.Kind() == reflect.Bool:
		return kindBool
	default:
		return kindInteger
	}
}

// fieldsOf reads the arguments of a tool from the type of their struct.
func fieldsOf[A any]() []field {
	t := reflect.TypeFor[A]()
	var fields []field
	for i := range t.NumField() {
		sf := t.Field(i)
		fields = append(fields, fieldOf(i, sf))
	}
	return fields
}

func fieldOf(i int, sf reflect.StructField) field {
	f := field{index: i, name: sf.Tag.Get("json"), doc: sf.Tag.Get("doc"), pattern: sf.Tag.Get("pattern"), says: sf.Tag.Get("says"), shape: sf.Tag.Get("shape")}
	t := sf.Type
	if f.pointer = t.Kind() == reflect.Pointer; f.pointer {
		t = t.Elem()
	}
	f.kind = kindOf(t)
	var hasDefault bool
	f.fallback, hasDefault = sf.Tag.Lookup("default")
	if enum := sf.Tag.Get("enum"); enum != "" {
		f.enum = strings.Split(enum, ",")
	}
	f.longest = longest(f.kind, sf.Tag.Get("longest"))
	f.min, f.max = bound(sf.Tag.Get("min")), bound(sf.Tag.Get("max"))
	nilable := f.pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map
	f.required = !hasDefault && (!nilable || sf.Tag.Get("required") == "true")
	return f
}

func longest(k kind, tag string) int {
	if n, err := strconv.Atoi(tag); err == nil {
		return n
	}
	if k == kindHeaders {
		return headersBound
	}
	return textBound
}

func bound(tag string) *int64 {
	n, err := strconv.ParseInt(tag, 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

// takes says what the argument takes, in a sentence after "must be".
func (f field) takes() string {
	if len(f.enum) > 0 {
		return orList(f.enum)
	}
	switch f.kind {
	case kindBool:
		return "true or false"
	case kindInteger:
		switch {
		case f.min != nil && f.max != nil:
			return fmt.Sprintf("an integer from %d to %d", *f.min, *f.max)
		case f.min != nil:
			return fmt.Sprintf("an integer of at least %d", *f.min)
		default:
			return "an integer"
		}
	case kindTexts:
		return "a list of texts"
	case kindCallIDs:
		return "a list of call ids"
	case kindHeaders:
		return "an object of names and texts"
	case kindObject:
		return "an object"
	default:
		return cmp.Or(f.says, "a text")
	}
}

func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// schema is the JSON schema of a tool's arguments.
func schema(fields []field) json.RawMessage {
	properties := map[string]any{}
	required := []string{}
	for _, f := range fields {
		properties[f.name] = f.schema()
		if f.required {
			required = append(required, f.name)
		}
	}
	text, err := encode(map[string]any{
		"type": "object", "properties": properties, "required": required, "additionalProperties": false,
	})
	if err != nil {
		return json.RawMessage(`{"type":"object"}`)
	}
	return text
}

func (f field) schema() map[string]any {
	s := map[string]any{}
	switch f.kind {
	case kindText:
		s["type"] = "string"
	case kindBool:
		s["type"] = "boolean"
	case kindInteger:
		s["type"] = "integer"
	case kindTexts:
		s["type"], s["items"] = "array", map[string]any{"type": "string"}
	case kindCallIDs:
		s["type"], s["items"] = "array", map[string]any{"type": "integer"}
	case kindHeaders:
		s["type"], s["additionalProperties"] = "object", map[string]any{"type": "string"}
	case kindObject:
		s["type"] = "object"
		if f.shape == "scenario" {
			s = scenarioschema.Brief()
		}
	}
	if f.doc != "" {
		s["description"] = f.doc
	}
	if f.fallback != "" {
		s["default"] = f.literal(f.fallback)
	}
	if len(f.enum) > 0 {
		values := make([]json.RawMessage, len(f.enum))
		for i, v := range f.enum {
			values[i] = f.literal(v)
		}
		s["enum"] = values
	}
	if f.kind == kindText && f.longest != textBound {
		s["maxLength"] = f.longest
	}
	if f.min != nil {
		s["minimum"] = *f.min
	}
	if f.max != nil {
		s["maximum"] = *f.max
	}
	if f.pattern != "" {
		s["pattern"] = f.pattern
	}
	return s
}

// literal is a value of a tag as JSON.
func (f field) literal(v string) json.RawMessage {
	if f.kind == kindText {
		return json.RawMessage(strconv.Quote(v))
	}
	return json.RawMessage(v)
}
