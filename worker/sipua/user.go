package sipua

import (
	"fmt"
	"strings"
)

// userChars are, beside letters and digits, the characters that the user part
// of a URI may hold as they are (RFC 3261 §25.1: unreserved, user-unreserved).
const userChars = "-_.!~*'()" + "&=+$,;?/"

// User is a username as the user part of a URI: every other character is
// escaped (RFC 3261 §19.1.2). A digest takes the username as it is.
func User(username string) string {
	var b strings.Builder
	for i := range len(username) {
		c := username[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(userChars, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
