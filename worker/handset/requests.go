package handset

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"ringmaster/proto/phone"
	"ringmaster/worker/dialog"
)

// eventBody is how many bytes of a MESSAGE's body its event holds; the inbox
// has all of it.
const eventBody = 4096

// received puts a MESSAGE into the inbox.
func (h *Handset) received(m phone.Message) {
	h.journal.Append(phone.Entry{Inbox: &m})
	h.emit("im.received", nil, map[string]any{
		"from": m.From, "to": m.To, "body": beginning(m.Body, eventBody), "content_type": m.ContentType,
	})
}

// beginning is s when it has at most so many bytes, else what it begins with
// and a mark that says how much is missing.
func beginning(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for range utf8.UTFMax - 1 { // no half of a character
		if !utf8.RuneStart(s[most]) {
			most--
		}
	}
	return fmt.Sprintf("%s… (%d more bytes)", s[:most], len(s)-most)
}

func (h *Handset) sendMessage(cmd phone.SendMessage, done reply) {
	if _, err := dialog.ParseURI("dest_uri", cmd.DestURI); err != nil {
		done(phone.Outcome{}, err)
		return
	}
	h.standalone.Message(cmd.DestURI, cmd.ContentType, cmd.Body, func(err error) { done(phone.Outcome{}, err) })
}

// ours are the headers that the phone writes itself.
var ours = []string{
	"via", "v", "from", "f", "to", "t", "call-id", "i", "cseq", "contact", "m", "max-forwards",
	"content-length", "l", "content-type", "c", "route", "record-route", "authorization", "proxy-authorization",
}

// extraHeaders checks the headers that a user adds to an INVITE.
func extraHeaders(headers map[string]string) ([]dialog.Header, error) {
	var names []string
	for name := range headers {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []dialog.Header
	for _, name := range names {
		value := headers[name]
		switch {
		case name == "" || strings.ContainsFunc(name, func(r rune) bool { return !strings.ContainsRune(tokenChars, r) }):
			return nil, phone.Errorf(phone.Invalid, "headers: %.80q is no header name", name)
		case slices.Contains(ours, strings.ToLower(name)):
			return nil, phone.Errorf(phone.Invalid, "headers: %s is written by the phone itself and cannot be given", name)
		case strings.ContainsAny(value, "\r\n\x00"):
			return nil, phone.Errorf(phone.Invalid, "headers: the value of %s holds a line break; give one line", name)
		}
		out = append(out, dialog.Header{Name: name, Value: value})
	}
	return out, nil
}

// tokenChars are the characters of a header name (RFC 3261 §25.1, token).
const tokenChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~"
