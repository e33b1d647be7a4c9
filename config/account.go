package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How many characters an account's texts may have.
const (
	maxDomain = 255 // of a domain name (RFC 1035 §2.3.4)
	maxText   = 255
)

// CheckDomain checks a registrar's host or host:port. An IPv6 address stands in
// brackets.
func CheckDomain(domain string) error {
	if utf8.RuneCountInString(domain) > maxDomain {
		return fmt.Errorf("domain is longer than %d characters: write a host, or host:port", maxDomain)
	}
	host, portOK := domain, true
	if at := strings.LastIndexByte(domain, ':'); at > strings.LastIndexByte(domain, ']') {
		port, err := strconv.ParseUint(domain[at+1:], 10, 16)
		host, portOK = domain[:at], err == nil && port > 0
	}
	if !portOK || !isHost(host) {
		return fmt.Errorf("domain %.80q is no host or host:port: write pbx.example, 192.0.2.1:5060 or [2001:db8::1]:5060", domain)
	}
	return nil
}

func isHost(host string) bool {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && strings.HasSuffix(inner, "]") && addr.Is6() && addr.Zone() == ""
	}
	name := strings.TrimSuffix(host, ".")
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool {
			// Underscores are in no host name, but in names that containers have.
			return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
		}) {
			return false
		}
	}
	return true
}

// CheckText checks the text of an account that goes into one line of a message:
// a username, a password, a realm. The sentence does not quote it.
func CheckText(name, text string) error {
	if utf8.RuneCountInString(text) > maxText {
		return fmt.Errorf("%s is longer than %d characters", name, maxText)
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return errors.New(name + " holds a control character, such as a line end: remove it")
	}
	return nil
}
