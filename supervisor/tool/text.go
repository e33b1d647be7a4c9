package tool

import (
	"fmt"
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

// shown is a value of an event's data as the client sees it: a copy whose texts
// are clean, and whose paths are turned.
func (s *Set) shown(name string, v any) any {
	switch v := v.(type) {
	case string:
		switch name {
		case "file", "path", "recording", "recording_file", "recording_meta", "pcap", "capture_file":
			v = string(s.outside(Path(v)))
		case "error", "reason":
			v = s.turned(v)
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
