package diagnose

import "strings"

// Tag is the tag of a From or To, or "".
func Tag(value string) string {
	// The parameters of the header come after the address, quotes and angle
	// brackets included.
	if _, after, bracketed := strings.Cut(unquoted(value), ">"); bracketed {
		value = after
	}
	for parameter := range strings.SplitSeq(value, ";") {
		if name, tag, ok := strings.Cut(parameter, "="); ok && strings.EqualFold(strings.TrimSpace(name), "tag") {
			return strings.TrimSpace(tag)
		}
	}
	return ""
}

// unquoted takes a display name in quotes off a header's begin; backslashes
// escape (RFC 3261 §25.1).
func unquoted(value string) string {
	rest, quoted := strings.CutPrefix(strings.TrimSpace(value), `"`)
	if !quoted {
		return value
	}
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			return rest[i+1:]
		}
	}
	return value
}

// URI is the URI of a From, To or Contact, without what stands around it.
func URI(value string) string {
	if open := strings.LastIndexByte(value, '<'); open >= 0 {
		value, _, _ = strings.Cut(value[open+1:], ">")
		return value
	}
	value, _, _ = strings.Cut(value, ";")
	return strings.TrimSpace(value)
}

// User is the user of a From, To or Contact, or of a URI; "" when it has none.
func User(value string) string {
	_, rest, _ := strings.Cut(URI(value), ":")
	user, _, ok := strings.Cut(rest, "@")
	if !ok {
		return ""
	}
	user, _, _ = strings.Cut(user, ";")
	return user
}

// Host is the host of a From, To or Contact, or of a URI, without its port.
func Host(value string) string {
	_, rest, _ := strings.Cut(URI(value), ":")
	if _, after, ok := strings.Cut(rest, "@"); ok {
		rest = after
	}
	if end := strings.IndexAny(rest, ";?"); end >= 0 {
		rest = rest[:end]
	}
	if strings.HasPrefix(rest, "[") {
		host, _, _ := strings.Cut(rest[1:], "]")
		return host
	}
	host, _, _ := strings.Cut(rest, ":")
	return host
}
