package tool

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// How many characters are shown of what came from outside.
const (
	idBound   = 64
	nameBound = 1000
	bodyBound = 16000
)

// clean makes text from outside safe to show: bounded, and without control and
// other invisible characters, which are written as escapes. Line ends and tabs
// stay.
func clean(s string, most int) string {
	var b strings.Builder
	n := 0
	for i, r := range s {
		if n++; n > most {
			fmt.Fprintf(&b, "… (%d more bytes)", len(s)-i)
			break
		}
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n' || r == '\t' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r == '\r' && strings.HasPrefix(s[i:], "\r\n"):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// verbatim is what was on the wire, byte for byte; only bytes that no text can
// hold are written as escapes.
func verbatim(raw []byte) string {
	if utf8.Valid(raw) {
		return string(raw)
	}
	var b strings.Builder
	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, raw[0])
		} else {
			b.Write(raw[:size])
		}
		raw = raw[size:]
	}
	return b.String()
}

// orNull is nil for the zero value: what is not known is null.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// cleanOrNull is text from outside, null when there is none.
func cleanOrNull(s string) *string { return orNull(clean(s, nameBound)) }

// timestamp is RFC 3339 in UTC with milliseconds.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }

func timestampOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := timestamp(t)
	return &text
}

// unixTime is a moment as Unix seconds with microseconds, a number. Its value
// is in microseconds.
type unixTime int64

func unixTimeOf(t time.Time) unixTime { return unixTime(t.UnixMicro()) }

// MarshalJSON writes every microsecond, which a float64 might round.
func (t unixTime) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "%d.%06d", t/1e6, t%1e6), nil
}

// newest keeps the last n; without n, all.
func newest[T any](list []T, n *int) []T {
	if n == nil || *n >= len(list) {
		return list
	}
	return list[len(list)-*n:]
}

// Path is a path in an argument or a result: the one kind of text that is
// turned from and to what the client sees (see HostPath).
type Path string

func (s *Set) outside(p Path) Path {
	for _, h := range s.o.HostPaths {
		if turned, ok := reroot(string(p), h.Inside, h.Host); ok {
			return Path(turned)
		}
	}
	return p
}

func (s *Set) inside(p Path) Path {
	for _, h := range s.o.HostPaths {
		if turned, ok := reroot(string(p), h.Host, h.Inside); ok {
			return Path(turned)
		}
	}
	return p
}

func reroot(path, from, to string) (string, bool) {
	rest, below := strings.CutPrefix(path, strings.TrimRight(from, "/"))
	if !below || rest != "" && rest[0] != '/' {
		return "", false
	}
	return filepath.Join(to, rest), true
}

// shown is a value of an event's data as the client sees it: a copy whose texts
// are clean, and whose paths are turned.
func (s *Set) shown(name string, v any) any {
	switch v := v.(type) {
	case string:
		if slices.Contains([]string{"file", "path", "recording", "recording_meta", "recording_file", "pcap", "capture_file"}, name) {
			v = string(s.outside(Path(v)))
		}
		return clean(v, bodyBound)
	case []any:
		list := make([]any, len(v))
		for i, one := range v {
			list[i] = s.shown(name, one)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for key, one := range v {
			object[clean(key, nameBound)] = s.shown(key, one)
		}
		return object
	default:
		return v
	}
}

// mapPaths turns every Path in what v points to.
func mapPaths(v any, turn func(Path) Path) { mapValue(reflect.ValueOf(v).Elem(), turn) }

func mapValue(v reflect.Value, turn func(Path) Path) {
	switch v.Kind() {
	case reflect.String:
		if p, ok := v.Interface().(Path); ok {
			v.SetString(string(turn(p)))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			mapValue(v.Elem(), turn)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			mapValue(v.Index(i), turn)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			mapValue(v.Field(i), turn)
		}
	default: // nothing else holds a path
	}
}

// confined checks a path that the client gave against --files-under: links
// are followed, so that none leads out.
func (s *Set) confined(path string) error {
	if s.o.FilesUnder == "" {
		return nil
	}
	root, err := filepath.EvalSymlinks(s.o.FilesUnder)
	if err != nil {
		return fmt.Errorf("the folder of --files-under cannot be read: start the server with one that can")
	}
	outside := fmt.Errorf("%s is not a file under %s, and the server takes no others", clean(path, nameBound), s.o.FilesUnder)
	if path, err = filepath.Abs(path); err != nil {
		return outside
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return outside
	}
	if below, err := filepath.Rel(root, target); err != nil || !filepath.IsLocal(below) {
		return outside
	}
	return nil
}
