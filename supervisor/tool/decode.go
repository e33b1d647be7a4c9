package tool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"ringmaster/config"
	"ringmaster/proto/phone"
)

// decode puts the arguments of a call into the struct that args points to. Its
// error is a sentence for every argument that is wrong, naming what it takes.
func decode(e entry, raw json.RawMessage, args any) error {
	given, err := object(raw)
	if err != nil {
		return err
	}
	return decodeObject(e.name, e.fields, given, args)
}

// object splits the arguments; none at all and null are an empty object.
func object(raw json.RawMessage) (map[string]json.RawMessage, error) {
	given := map[string]json.RawMessage{}
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || isNull(raw) {
		return given, nil
	}
	if raw[0] != '{' || json.Unmarshal(raw, &given) != nil {
		return nil, errors.New("arguments must be an object of names and values")
	}
	return given, nil
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

func decodeObject(tool string, fields []field, given map[string]json.RawMessage, args any) error {
	var wrong []string
	names := make([]string, len(fields))
	into := reflect.ValueOf(args).Elem()
	for i, f := range fields {
		names[i] = f.name
		if sentence := f.decode(given[f.name], into.Field(f.index)); sentence != "" {
			wrong = append(wrong, sentence)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if slices.Contains(names, name) {
			continue
		}
		takes := tool + " takes " + strings.Join(names, ", ")
		if len(names) == 0 {
			takes = tool + " takes no arguments"
		}
		wrong = append(wrong, unknownWord("argument", name, names, takes).Error())
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	return nil
}

// unknownWord is the error about a word that nothing is named by, with the
// nearest that something is.
func unknownWord(what, word string, known []string, otherwise string) error {
	if near := config.Nearest(word, known); near != "" {
		return fmt.Errorf("unknown %s %q: did you mean %q?", what, clean(word, idBound), near)
	}
	return fmt.Errorf("unknown %s %q: %s", what, clean(word, idBound), otherwise)
}

// decode puts one argument where it belongs, and says what is wrong with it.
func (f field) decode(raw json.RawMessage, into reflect.Value) string {
	if len(raw) == 0 || isNull(raw) {
		switch {
		case f.required:
			return fmt.Sprintf("%s is missing: it must be %s", f.name, f.takes())
		case f.fallback == "":
			return ""
		}
		raw = f.literal(f.fallback)
	}
	if f.pointer {
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	value, ok := f.parse(raw)
	if !ok {
		return fmt.Sprintf("%s must be %s, not %s", f.name, f.takes(), f.show(raw))
	}
	if sentence := f.tooLong(value); sentence != "" {
		return sentence
	}
	into.Set(reflect.ValueOf(value).Convert(into.Type()))
	return ""
}

// parse reads a value of the field's kind and checks its range.
func (f field) parse(raw json.RawMessage) (value any, ok bool) {
	switch f.kind {
	case kindText:
		var s string
		ok = json.Unmarshal(raw, &s) == nil && f.allowed(s) && (f.pattern == "" || regexp.MustCompile(f.pattern).MatchString(s))
		return s, ok
	case kindBool:
		var b bool
		err := json.Unmarshal(raw, &b)
		return b, err == nil
	case kindInteger:
		n, ok := integer(raw)
		return n, ok && f.allowed(fmt.Sprint(n)) && (f.min == nil || n >= *f.min) && (f.max == nil || n <= *f.max)
	case kindTexts:
		var list []*string
		if json.Unmarshal(raw, &list) != nil || slices.Contains(list, nil) {
			return nil, false
		}
		texts := make([]string, len(list))
		for i, s := range list {
			texts[i] = *s
		}
		return texts, true
	case kindCallIDs:
		return callIDs(raw)
	case kindHeaders:
		var headers map[string]*string
		if json.Unmarshal(raw, &headers) != nil {
			return nil, false
		}
		texts := make(map[string]string, len(headers))
		for name, s := range headers {
			if s == nil {
				return nil, false
			}
			texts[name] = *s
		}
		return texts, true
	default:
		return raw, bytes.HasPrefix(raw, []byte("{"))
	}
}

// tooLong says that a value is longer than its field takes.
func (f field) tooLong(value any) string {
	switch v := value.(type) {
	case string:
		if len(v) > f.longest {
			return fmt.Sprintf("%s must be a text of at most %d bytes, not of %d", f.name, f.longest, len(v))
		}
	case map[string]string:
		bytes := 0
		for name, text := range v {
			bytes += len(name) + len(text)
		}
		if bytes > f.longest {
			return fmt.Sprintf("%s must hold at most %d bytes in all, not %d", f.name, f.longest, bytes)
		}
	case []string:
		if len(v) > listBound || slices.ContainsFunc(v, func(s string) bool { return len(s) > f.longest }) {
			return fmt.Sprintf("%s must be a list of at most %d texts, each of at most %d bytes", f.name, listBound, f.longest)
		}
	case []phone.CallID:
		if len(v) > listBound {
			return fmt.Sprintf("%s must be a list of at most %d call ids, not of %d", f.name, listBound, len(v))
		}
	}
	return ""
}

func (f field) allowed(v string) bool { return len(f.enum) == 0 || slices.Contains(f.enum, v) }

// show says what was given instead: a value only where it is one of a known
// few, for a text may be a secret.
func (f field) show(raw json.RawMessage) string {
	switch raw[0] {
	case '"':
		var s string
		if f.kind == kindText && json.Unmarshal(raw, &s) == nil {
			return fmt.Sprintf("%q", clean(s, idBound))
		}
		return "a text"
	case '{':
		return "such an object"
	case '[':
		return "such a list"
	case 't', 'f':
		return string(raw)
	}
	if f.kind == kindInteger {
		return clean(string(raw), idBound)
	}
	return "a number"
}

// integer reads a JSON number without a fraction: 5, and 5.0 or 5e0 too, as
// JSON Schema has it.
func integer(raw json.RawMessage) (int64, bool) {
	var n json.Number
	if raw[0] == '"' || json.Unmarshal(raw, &n) != nil || len(n) > 32 {
		return 0, false
	}
	if i, err := n.Int64(); err == nil {
		return i, true
	}
	if at := strings.IndexAny(n.String(), "eE"); at >= 0 && len(n)-at > 4 {
		return 0, false // no exponent of thousands, which would be computed
	}
	r, ok := new(big.Rat).SetString(n.String())
	if !ok || !r.IsInt() || !r.Num().IsInt64() {
		return 0, false
	}
	return r.Num().Int64(), true
}

func callIDs(raw json.RawMessage) ([]phone.CallID, bool) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil, false
	}
	ids := make([]phone.CallID, len(list))
	for i, r := range list {
		n, ok := integer(r)
		if !ok || n < 0 {
			return nil, false
		}
		ids[i] = phone.CallID(n)
	}
	return ids, true
}
