package dialog

import "testing"

func TestIdentityEscapesTheUsername(t *testing.T) {
	for _, c := range []struct{ username, domain, want string }{
		{"6001", "pbx.example", "sip:6001@pbx.example"},
		{`u v@"<>;x=y?`, "127.0.0.1:5070", "sip:u%20v%40%22%3C%3E;x=y?@127.0.0.1:5070"},
		{"ü", "[::1]:5070", "sip:%C3%BC@[::1]:5070"},
	} {
		uri := NewEndpoint(Config{Username: c.username, Domain: c.domain}).Identity()
		if got := uri.String(); got != c.want {
			t.Errorf("%q at %s is %s, want %s", c.username, c.domain, got, c.want)
		}
	}
}
