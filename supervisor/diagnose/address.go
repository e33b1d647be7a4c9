package diagnose

import "strings"

// Tag is the tag of a From or To, or "".
func Tag(value string) string {
	if at := strings.LastIndexByte(value, '>'); at >= 0 {
		value = value[at:]
	}
	for _, parameter := range strings.Split(value, ";")[1:] {
		if name, tag, ok := strings.Cut(parameter, "="); ok && strings.EqualFold(strings.TrimSpace(name), "tag") {
			return strings.TrimSpace(tag)
		}
	}
	return ""
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
