package dialog

import (
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
)

// URI is a SIP or SIPS URI.
type URI struct{ uri sip.Uri }

func (u URI) String() string { return u.uri.String() }

// ParseURI takes a SIP or SIPS URI with a host, as a user writes it. name is
// what the sentence of the error calls it.
func ParseURI(name, s string) (URI, error) {
	var u URI
	wrong := phone.Errorf(phone.Invalid, "%s %.80q is no SIP URI: write sip:user@host or sip:user@host:port", name, s)
	lower := strings.ToLower(s)
	if !strings.HasPrefix(lower, "sip:") && !strings.HasPrefix(lower, "sips:") || strings.ContainsAny(s, " <>\"\r\n\t\x00") {
		return u, wrong
	}
	if err := sip.ParseUri(s, &u.uri); err != nil || u.uri.Host == "" || u.uri.Port < 0 || u.uri.Port > 65535 {
		return u, wrong
	}
	return u, nil
}

// Header is a header of a message, with a value of one line.
type Header struct{ Name, Value string }

func (h Header) sip() sip.Header { return sip.NewHeader(h.Name, h.Value) }

// Answer is a response of the far end.
type Answer struct {
	Status int
	Reason string
	Body   []byte
}

func answerOf(res *sip.Response) Answer { return Answer{res.StatusCode, res.Reason, res.Body()} }

// Invite is what an INVITE that begins a dialog says.
type Invite struct {
	ContentType string // "" without a body
	Body        []byte
	Replaces    []string // values of Replaces headers
}

func inviteOf(req *sip.Request) Invite {
	i := Invite{Body: req.Body()}
	if t := req.ContentType(); t != nil && len(i.Body) > 0 {
		i.ContentType = t.Value()
	}
	for _, h := range req.GetHeaders("Replaces") {
		i.Replaces = append(i.Replaces, h.Value())
	}
	return i
}
