package handset

import (
	"strings"
	"testing"

	"ringmaster/proto/phone"
	"ringmaster/worker/dialog"
)

func TestParseURI(t *testing.T) {
	for s, ok := range map[string]bool{
		"sip:b@127.0.0.1:5062":       true,
		"SIP:b@example.com":          true,
		"sips:b@example.com":         true,
		"sip:example.com":            true,
		"sip:b@[::1]:5060":           true,
		"sip:b@h;transport=tcp":      true,
		"":                           false,
		"b":                          false,
		"tel:+123":                   false,
		"sip:":                       false,
		"sip:b@":                     false,
		"sip:b@h\r\nX: y":            false,
		"sip:b@h:port":               false,
		"<sip:b@h>":                  false,
		"http://example.com":         false,
		"sip:b b@h":                  false,
		"sip:b@h:99999":              false,
		strings.Repeat("x", 100_000): false,
	} {
		_, err := dialog.ParseURI("dest_uri", s)
		if (err == nil) != ok {
			t.Errorf("ParseURI(%.60q): %v, want it taken: %v", s, err, ok)
		}
		if err != nil && len(err.Error()) > 400 {
			t.Errorf("the error for %.20q… is %d bytes long", s, len(err.Error()))
		}
	}
}

func TestExtraHeaders(t *testing.T) {
	for _, row := range []struct {
		headers map[string]string
		want    string // of the error; "" means accepted
	}{
		{nil, ""},
		{map[string]string{"X-Test": "1", "Subject": "hello"}, ""},
		{map[string]string{"Via": "x"}, "written by the phone itself"},
		{map[string]string{"l": "10"}, "written by the phone itself"},
		{map[string]string{"X-Test": "a\r\nBye: b"}, "line break"},
		{map[string]string{"X Test": "a"}, "no header name"},
		{map[string]string{"": "a"}, "no header name"},
		{map[string]string{"X:": "a"}, "no header name"},
	} {
		_, err := extraHeaders(row.headers)
		if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("extraHeaders(%q) = %v, want %q", row.headers, err, row.want)
		}
	}
	a, _ := extraHeaders(map[string]string{"X-B": "2", "X-A": "1"})
	if len(a) != 2 || a[0].Name != "X-A" {
		t.Errorf("headers are not in a fixed order: %v", a)
	}
}

func TestIDsComeFromTheirBlocksInOrder(t *testing.T) {
	var i ids
	if _, ok := i.next(); ok {
		t.Error("an id came from nowhere")
	}
	i.grant(phone.Block{First: 0, Count: 2})
	i.grant(phone.Block{First: 1000, Count: 1})
	for _, want := range []phone.CallID{0, 1, 1000} {
		if got, ok := i.next(); !ok || got != want {
			t.Errorf("next = %d, %v; want %d", got, ok, want)
		}
	}
	if id, ok := i.next(); ok {
		t.Errorf("id %d came after the blocks were used up", id)
	}
}

func TestABeginningEndsWithAWholeCharacter(t *testing.T) {
	for _, c := range []struct {
		s, want string
	}{
		{"abcd", "abcd"},
		{"abcde", "abcd… (1 more bytes)"},
		{"abcä", "abc… (2 more bytes)"},
		{"a\U0001F600b", "a… (5 more bytes)"},
		{"\x80\x80\x80\x80\x80\x80", "\x80… (5 more bytes)"},
	} {
		if got := beginning(c.s, 4); got != c.want {
			t.Errorf("beginning(%q) = %q, want %q", c.s, got, c.want)
		}
	}
}
