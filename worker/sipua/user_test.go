package sipua

import (
	"testing"

	"github.com/emiago/sipgo/sip"
)

func TestUserPart(t *testing.T) {
	for username, want := range map[string]string{
		"6001":             "6001",
		"bob.b-1_~!*'()":   "bob.b-1_~!*'()",
		"+1555;ext=5?&$,/": "+1555;ext=5?&$,/",
		"u v":              "u%20v",
		"user@host":        "user%40host",
		`"<a>"`:            "%22%3Ca%3E%22",
		"a:b":              "a%3Ab",
		"100%":             "100%25",
		"#9[x]\\":          "%239%5Bx%5D%5C",
		"ü":                "%C3%BC",
		"a\r\nX: y":        "a%0D%0AX%3A%20y",
	} {
		if got := User(username); got != want {
			t.Errorf("User(%q) = %q, want %q", username, got, want)
		}
		var uri sip.Uri
		if err := sip.ParseUri("sip:"+User(username)+"@127.0.0.1:5060", &uri); err != nil || uri.Host != "127.0.0.1" || uri.Port != 5060 {
			t.Errorf("%q is read as %+v, %v", username, uri, err)
		}
	}
}
