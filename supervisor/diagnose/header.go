package diagnose

import "strings"

// compact are the one-letter forms of header names (the IANA registry of SIP
// header fields).
var compact = map[string]string{
	"a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition", "e": "Content-Encoding",
	"f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported", "l": "Content-Length", "m": "Contact",
	"n": "Identity-Info", "o": "Event", "r": "Refer-To", "s": "Subject", "t": "To", "u": "Allow-Events", "v": "Via",
	"x": "Session-Expires", "y": "Identity",
}

// irregular are the names that are not written with each part capitalised.
var irregular = map[string]string{
	"call-id": "Call-ID", "content-id": "Content-ID", "cseq": "CSeq", "mime-version": "MIME-Version", "min-se": "Min-SE",
	"p-called-party-id": "P-Called-Party-ID", "p-visited-network-id": "P-Visited-Network-ID", "rack": "RAck",
	"remote-party-id": "Remote-Party-ID", "rseq": "RSeq", "session-id": "Session-ID", "sip-etag": "SIP-ETag",
	"sip-if-match": "SIP-If-Match", "user-to-user": "User-to-User", "www-authenticate": "WWW-Authenticate",
}

// Canonical is a header's name as its RFC writes it, from any form and case.
func Canonical(name string) string {
	lower := strings.ToLower(name)
	if long, ok := compact[lower]; ok {
		return long
	}
	if known, ok := irregular[lower]; ok {
		return known
	}
	parts := strings.Split(lower, "-")
	for i, part := range parts {
		if part != "" {
			parts[i] = strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return strings.Join(parts, "-")
}
