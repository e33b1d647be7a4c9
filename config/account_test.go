package config

import (
	"strings"
	"testing"
)

func TestCheckDomain(t *testing.T) {
	label := strings.Repeat("a", 63)
	for domain, ok := range map[string]bool{
		"pbx.example":                  true,
		"pbx.example.":                 true,
		"asterisk":                     true,
		"my_pbx-1:5080":                true,
		"127.0.0.1":                    true,
		"127.0.0.1:65535":              true,
		"[::1]":                        true,
		"[2001:db8::1]:5070":           true,
		strings.Repeat(label+".", 3):   true,
		"":                             false,
		".":                            false,
		"a..b":                         false,
		"bad host":                     false,
		"h\r\nX: y":                    false,
		"h\n":                          false,
		"sip:127.0.0.1":                false,
		"127.0.0.1:99999":              false,
		"127.0.0.1:0":                  false,
		"127.0.0.1:":                   false,
		"127.0.0.1:+5":                 false,
		"h:port":                       false,
		"::1":                          false,
		"[::1":                         false,
		"[127.0.0.1]":                  false,
		"[fe80::1%eth0]":               false,
		"[::1]x":                       false,
		"user@host":                    false,
		"h;transport=tcp":              false,
		"127.0.0.1>;evil=1":            false,
		"bücher.example":               false,
		label + "a":                    false,
		strings.Repeat(label+".", 5):   false,
		strings.Repeat("x", 1_000_000): false,
	} {
		err := CheckDomain(domain)
		if (err == nil) != ok {
			t.Errorf("%.80q: %v", domain, err)
		}
		if err != nil && (!strings.HasPrefix(err.Error(), "domain ") || len(err.Error()) > 300) {
			t.Errorf("%.80q: %v", domain, err)
		}
	}
}

func TestCheckText(t *testing.T) {
	for text, ok := range map[string]bool{
		"":                       true,
		`u v@"<>;x=y?`:           true,
		"ü":                      true,
		strings.Repeat("ü", 255): true,
		strings.Repeat("u", 256): false,
		"sesame\r\nX: y":         false,
		"sesame\x00":             false,
		"sesame\x7f":             false,
		"sesame\u0085":           false,
	} {
		err := CheckText("password", text)
		if (err == nil) != ok {
			t.Errorf("%.40q: %v", text, err)
		}
		if err != nil && (strings.Contains(err.Error(), "sesame") || !strings.HasPrefix(err.Error(), "password ")) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}
