package sipnet

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// compactNames are the short header names that sipgo's parser leaves as they
// are, and what they stand for (the IANA registry of SIP header fields).
var compactNames = [...]struct{ short, long string }{
	{"a", "Accept-Contact"}, {"d", "Request-Disposition"}, {"e", "Content-Encoding"}, {"j", "Reject-Contact"},
	{"k", "Supported"}, {"n", "Identity-Info"}, {"o", "Event"}, {"s", "Subject"}, {"u", "Allow-Events"},
	{"x", "Session-Expires"}, {"y", "Identity"},
}

// newParser makes a parser that knows every compact header name.
func newParser() *sip.Parser {
	headers := maps.Clone(sip.DefaultHeadersParser())
	headers["r"] = headers["refer-to"]
	headers["b"] = headers["referred-by"]
	for _, n := range compactNames {
		headers[n.short] = func(_ []byte, value string) (sip.Header, error) {
			return sip.NewHeader(n.long, value), nil
		}
	}
	return sip.NewParser(sip.WithHeadersParsers(headers))
}

// parse reads one whole message and checks what everything above relies on:
// version, Via, From, To, Call-ID, and a CSeq that agrees with the method.
func parse(p *sip.Parser, raw []byte) (sip.Message, error) {
	if err := checkHead(raw); err != nil {
		return nil, err
	}
	msg, err := p.ParseSIP(raw)
	if err != nil {
		return nil, err
	}
	if msg.Via() == nil || msg.Via().Host == "" {
		return nil, errors.New("no Via")
	}
	if msg.From() == nil || msg.To() == nil || msg.CallID() == nil || msg.CSeq() == nil {
		return nil, errors.New("one of From, To, Call-ID and CSeq is missing or malformed")
	}
	msg.CSeq().MethodName = sip.RequestMethod(strings.TrimSpace(string(msg.CSeq().MethodName)))
	var version string
	switch m := msg.(type) {
	case *sip.Request:
		version = m.SipVersion
		if m.Method != msg.CSeq().MethodName {
			return nil, fmt.Errorf("CSeq is of another method than %.20q", m.Method)
		}
		repairURI(&m.Recipient)
		repairHeaders(m.Headers())
	case *sip.Response:
		version = m.SipVersion
		if m.StatusCode < 100 || m.StatusCode > 699 {
			return nil, fmt.Errorf("status %d", m.StatusCode)
		}
		repairHeaders(m.Headers())
	}
	if !strings.EqualFold(version, "SIP/2.0") {
		return nil, fmt.Errorf("version %.20q", version)
	}
	return msg, nil
}

// ParseRequest reads one whole request, as an endpoint reads those that arrive.
func ParseRequest(raw []byte) (*sip.Request, error) {
	msg, err := parse(newParser(), raw)
	if err != nil {
		return nil, err
	}
	req, ok := msg.(*sip.Request)
	if !ok {
		return nil, errors.New("not a request")
	}
	return req, nil
}

// checkHead refuses line ends that are not CRLF, and NUL, before the body:
// the parser lets them into values, and a response would carry them back to
// programs that take them for the end of a header.
func checkHead(raw []byte) error {
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	if bytes.Count(head, []byte("\n")) != bytes.Count(head, []byte("\r\n")) || bytes.IndexByte(head, 0) >= 0 {
		return errors.New("a line end that is not CRLF, or a NUL, among the headers")
	}
	return nil
}

func repairHeaders(headers []sip.Header) {
	for _, header := range headers {
		switch h := header.(type) {
		case *sip.FromHeader:
			repairURI(&h.Address)
		case *sip.ToHeader:
			repairURI(&h.Address)
		case *sip.ContactHeader:
			repairURI(&h.Address)
		case *sip.RouteHeader:
			repairURI(&h.Address)
		case *sip.RecordRouteHeader:
			repairURI(&h.Address)
		case *sip.ReferToHeader:
			repairURI(&h.Address)
		case *sip.ReferredByHeader:
			repairURI(&h.Address)
		}
	}
}

// repairURI undoes what the parser makes of a parameter without value before
// the headers: "sip:b@h;lr?X=y" has the parameter "lr?X=y" besides the header.
func repairURI(uri *sip.Uri) {
	for i := range uri.UriParams {
		if name, _, ok := strings.Cut(uri.UriParams[i].K, "?"); ok {
			uri.UriParams[i].K = name
		}
	}
}

// looksLikeSIP tells a message that is worth showing from noise: its first
// line begins or ends with the version.
func looksLikeSIP(raw []byte) bool {
	line, _, _ := strings.Cut(string(raw[:min(len(raw), 2048)]), "\r\n")
	return strings.HasPrefix(line, "SIP/2.0 ") || strings.HasSuffix(line, " SIP/2.0")
}

// isKeepAlive says that a datagram holds nothing but line ends or NULs
// (RFC 5626 §3.5.1, and the empty datagrams of some phones).
func isKeepAlive(raw []byte) bool {
	return len(raw) <= 64 && strings.Trim(string(raw), "\r\n\x00") == ""
}
