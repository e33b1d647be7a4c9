package sipnet

import (
	"bytes"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

const options = `OPTIONS sip:b@h SIP/2.0
Via: SIP/2.0/UDP a.test;branch=z9hG4bK1
From: <sip:a@h>;tag=f
To: <sip:b@h>
Call-ID: id
CSeq: 1 OPTIONS`

// crlf makes a message of lines, with headers added.
func crlf(lines string, more ...string) []byte {
	all := strings.Join(append([]string{lines}, more...), "\n")
	return []byte(strings.ReplaceAll(all, "\n", "\r\n") + "\r\n\r\n")
}

func TestParseRefuses(t *testing.T) {
	response := strings.Replace(options, "OPTIONS sip:b@h SIP/2.0", "SIP/2.0 200 OK", 1)
	without := func(header string) string {
		var kept []string
		for _, line := range strings.Split(options, "\n") {
			if !strings.HasPrefix(line, header+":") {
				kept = append(kept, line)
			}
		}
		return strings.Join(kept, "\n")
	}
	for name, text := range map[string]string{
		"nothing":           "",
		"noise":             "\x00\x01\x02",
		"another protocol":  strings.Replace(options, "SIP/2.0", "HTTP/1.1", 1),
		"another version":   strings.Replace(options, "b@h SIP/2.0", "b@h SIP/7.0", 1),
		"no Via":            without("Via"),
		"no From":           without("From"),
		"no To":             without("To"),
		"no Call-ID":        without("Call-ID"),
		"no CSeq":           without("CSeq"),
		"CSeq of another":   strings.Replace(options, "1 OPTIONS", "1 BYE", 1),
		"CSeq no number":    strings.Replace(options, "1 OPTIONS", "x OPTIONS", 1),
		"Via without host":  strings.Replace(options, "UDP a.test;", "UDP ;", 1),
		"bare LF":           options + "\nSubject: a\x0bContact: x",
		"NUL":               options + "\nSubject: a\x00b",
		"status 99":         strings.Replace(response, "200", "99", 1),
		"status 700":        strings.Replace(response, "200", "700", 1),
		"body cut short":    options + "\nContent-Length: 10",
		"no end of headers": strings.ReplaceAll(options, "\n", " "),
	} {
		if msg, err := parse(newParser(), bytes.ReplaceAll(crlf(text), []byte("\x0b"), []byte("\n"))); err == nil {
			t.Errorf("%s was taken for\n%s", name, msg)
		}
	}
	for _, text := range []string{options, response, strings.Replace(options, "1 OPTIONS", "1   OPTIONS ", 1)} {
		if _, err := parse(newParser(), crlf(text)); err != nil {
			t.Errorf("%s\nwas refused: %v", text, err)
		}
	}
}

func TestCompactHeaderNames(t *testing.T) {
	msg, err := parse(newParser(), append(crlf(options, "k: replaces, timer", "r: <sip:c@h>", "b: <sip:a@h>", "x: 90;refresher=uac",
		"o: refer", "s: hello", "u: presence", "e: gzip", "c: text/plain", "l: 2"), "hi"...))
	if err != nil {
		t.Fatal(err)
	}
	req := msg.(*sip.Request)
	for name, want := range map[string]string{
		"Supported": "replaces, timer", "Refer-To": "<sip:c@h>", "Referred-By": "<sip:a@h>", "Session-Expires": "90;refresher=uac",
		"Event": "refer", "Subject": "hello", "Allow-Events": "presence", "Content-Encoding": "gzip", "Content-Type": "text/plain",
	} {
		if h := req.GetHeader(name); h == nil || h.Value() != want {
			t.Errorf("%s is %v, want %q", name, h, want)
		}
	}
	if string(req.Body()) != "hi" || req.ReferTo() == nil {
		t.Errorf("body %q, Refer-To %v", req.Body(), req.ReferTo())
	}
}

func TestValuelessParameterBeforeHeaders(t *testing.T) {
	msg, err := parse(newParser(), crlf(options, "Refer-To: <sip:c@h;lr?Replaces=x%3Bto-tag%3D1>", "Contact: <sip:a@h;ob?X=y>"))
	if err != nil {
		t.Fatal(err)
	}
	req := msg.(*sip.Request)
	if got := req.GetHeader("Refer-To").Value(); got != "<sip:c@h;lr?Replaces=x%3Bto-tag%3D1>" {
		t.Errorf("Refer-To is %s", got)
	}
	contact := req.Contact().Address
	if got := contact.String(); got != "sip:a@h;ob?X=y" || len(contact.UriParams) != 1 || contact.UriParams[0].K != "ob" {
		t.Errorf("Contact is %s, parameters %v", got, contact.UriParams)
	}
}

func TestEncodeWritesTheTrueLength(t *testing.T) {
	msg, err := parse(newParser(), crlf(options))
	if err != nil {
		t.Fatal(err)
	}
	req := msg.(*sip.Request)
	wrong := sip.ContentLengthHeader(99)
	req.AppendHeader(&wrong)
	req.PrependHeader(sip.NewHeader("l", "98"))
	want := string(crlf(options, "Content-Length: 0"))
	if got := string(encode(req)); got != want {
		t.Errorf("encoded\n%s\nwant\n%s", got, want)
	}
	req.SetBody([]byte("hi"))
	want = string(crlf(options, "Content-Length: 2")) + "hi"
	if got := string(encode(req)); got != want {
		t.Errorf("encoded\n%s\nwant\n%s", got, want)
	}
}

func TestNoiseIsNotShown(t *testing.T) {
	for raw, want := range map[string]bool{
		"OPTIONS sip:b SIP/2.0\r\nx": true, "SIP/2.0 200 OK\r\n": true, "SIP/2.0 200 OK": true,
		"": false, "hello": false, "GET / HTTP/1.1\r\n": false, "x\r\nOPTIONS sip:b SIP/2.0\r\n": false,
	} {
		if got := looksLikeSIP([]byte(raw)); got != want {
			t.Errorf("%q looks like SIP: %v", raw, got)
		}
	}
	for raw, want := range map[string]bool{"": true, "\r\n": true, "\r\n\r\n": true, "\x00": true, "\x00\x00\x00\x00": true, "a\r\n": false} {
		if got := isKeepAlive([]byte(raw)); got != want {
			t.Errorf("%q is a keep-alive: %v", raw, got)
		}
	}
}

// FuzzParse looks for input that ends the program; what is taken must go
// out as one message, not as more or less.
func FuzzParse(f *testing.F) {
	f.Add(crlf(options))
	f.Add(crlf(options, "Contact: \"a;b\" <sip:a@[::1]:5070;ob?X=y>;q=\"1\", <sip:c@h>", "Route: <sip:p;lr>, <sip:q>"))
	f.Add(crlf(strings.Replace(options, "a.test;", "[::1]:5;x=\"y;z\";rport;", 1)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		msg, err := parse(newParser(), raw)
		if err != nil {
			return
		}
		markReceived(msg.Via(), addr("192.0.2.1:5060"))
		_ = replyAddr(msg.Via(), addr("192.0.2.1:5060"))
		var fr framer
		fr.add(encode(msg))
		if again, err := fr.next(); err != nil || again == nil || len(fr.buf) > 0 {
			t.Errorf("%q went out as %q and %q, %v", raw, again, fr.buf, err)
		}
	})
}
