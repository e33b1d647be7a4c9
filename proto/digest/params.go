package digest

import (
	"errors"
	"strings"
)

// maxHeader bounds a header value that is read, in bytes. Real ones stay below
// a kilobyte.
const maxHeader = 8 << 10

var errMalformed = errors.New("not a digest header: want Digest name=value, name=\"value\", …")

// params are the parameters of a digest header, by lower-case name. Of a name
// that comes twice the first counts.
type params map[string]string

// parseParams reads `Digest name=value, name="value"`. Quoted pairs are
// resolved (RFC 3261 §25.1); stray commas and blanks are forgiven.
func parseParams(header string) (params, error) {
	scheme, rest := cutScheme(header)
	if !strings.EqualFold(scheme, "Digest") || len(header) > maxHeader || hasControl(header) {
		return nil, errMalformed
	}
	found := params{}
	for {
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "" {
			return found, nil
		}
		name, after, ok := strings.Cut(rest, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name == "" || strings.ContainsAny(name, " \t\",") {
			return nil, errMalformed
		}
		value, tail, ok := cutValue(strings.TrimLeft(after, " \t"))
		if !ok {
			return nil, errMalformed
		}
		if _, twice := found[name]; !twice {
			found[name] = value
		}
		rest = tail
	}
}

// cutScheme takes the scheme, as "Digest", off the front of a header value.
func cutScheme(header string) (scheme, rest string) {
	header = strings.TrimSpace(header)
	if end := strings.IndexAny(header, " \t"); end >= 0 {
		return header[:end], header[end:]
	}
	return header, ""
}

// cutValue takes one value, quoted or not, off the front of s. What follows
// it must be a comma or the end.
func cutValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, ",")
		value = strings.TrimRight(value, " \t")
		return value, rest, !strings.ContainsAny(value, " \t\"")
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			rest = strings.TrimLeft(s[i+1:], " \t")
			return b.String(), rest, rest == "" || rest[0] == ','
		case '\\':
			i++
			if i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// quote writes s as a quoted-string of RFC 3261 §25.1.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// hasControl reports a byte that would end or bend a header line.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
