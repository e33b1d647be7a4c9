package handset

import (
	"mime"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
	"ringmaster/worker/dialog"
	"ringmaster/worker/sipua"
)

// outsideDialog answers requests that belong to no dialog.
func (h *Handset) outsideDialog(tx *sipua.ServerTx, req *sip.Request) {
	status, reason := 405, "Method Not Allowed"
	switch req.Method {
	case sip.OPTIONS:
		status, reason = 200, "OK"
	case sip.MESSAGE:
		h.received(req)
		status, reason = 200, "OK"
	}
	res := sipua.NewResponse(req, status, reason, token())
	switch {
	case req.Method == sip.OPTIONS:
		res.AppendHeader(sip.NewHeader("Allow", dialog.Allow))
		res.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
	case status == 405:
		res.AppendHeader(sip.NewHeader("Allow", dialog.Allow))
	}
	if err := tx.Respond(res); err != nil {
		h.log.Warn("could not answer", "method", req.Method, "error", err)
	}
}

// received puts a MESSAGE into the inbox (RFC 3428).
func (h *Handset) received(req *sip.Request) {
	m := phone.Message{Body: string(req.Body()), ContentType: "text/plain", Time: h.loop.Now()}
	if t := req.ContentType(); t != nil {
		m.ContentType = t.Value()
	}
	if from := req.From(); from != nil {
		m.From = from.Address.String()
	}
	if to := req.To(); to != nil {
		m.To = to.Address.String()
	}
	h.journal.Append(phone.Entry{Inbox: &m})
	h.emit("im.received", nil, map[string]any{
		"from": m.From, "to": m.To, "body": m.Body, "content_type": m.ContentType,
	})
}

// sendMessage sends a MESSAGE and answers with its final response.
func (h *Handset) sendMessage(cmd phone.SendMessage, done reply) {
	fail := func(err error) { done(phone.Outcome{}, err) }
	dest, err := parseURI(cmd.DestURI)
	if err != nil {
		fail(err)
		return
	}
	contentType := cmd.ContentType
	if contentType == "" {
		contentType = "text/plain"
	}
	if _, _, err := mime.ParseMediaType(contentType); err != nil || strings.ContainsAny(contentType, "\r\n") {
		fail(phone.Errorf(phone.Invalid, "content_type %.80q is no media type: write text/plain or the like", contentType))
		return
	}
	h.ua.Resolve(dest, func(targets []sipua.Target, err error) {
		if err != nil {
			fail(phone.Errorf(phone.Unreachable, "MESSAGE to %s could not be sent: %v", cmd.DestURI, err))
			return
		}
		h.ua.Send(sipua.Outgoing{
			Request: h.message(dest, contentType, cmd.Body), Targets: targets, Authenticate: true,
			OnResponse: func(res *sip.Response, _ *sip.Request) {
				switch {
				case res.StatusCode < 200:
				case res.StatusCode < 300:
					done(phone.Outcome{}, nil)
				default:
					e := phone.Errorf(phone.Refused, "MESSAGE to %s was refused: %d %s", cmd.DestURI, res.StatusCode, res.Reason)
					e.Status = res.StatusCode
					fail(e)
				}
			},
			OnFail: func(err error) {
				fail(phone.Errorf(phone.Unreachable, "MESSAGE to %s got no answer: %v", cmd.DestURI, err))
			},
		})
	})
}

func (h *Handset) message(dest sip.Uri, contentType, body string) *sip.Request {
	req := sip.NewRequest(sip.MESSAGE, dest)
	to := *dest.Clone()
	to.UriParams, to.Headers = nil, nil
	callID, forwards, typ := sip.CallIDHeader(token()), sip.MaxForwardsHeader(70), sip.ContentTypeHeader(contentType)
	req.AppendHeader(&forwards)
	req.AppendHeader(&sip.FromHeader{Address: h.endpoint.Identity(), Params: sip.HeaderParams{{K: "tag", V: token()}}})
	req.AppendHeader(&sip.ToHeader{Address: to})
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: 1, MethodName: sip.MESSAGE})
	req.AppendHeader(&typ)
	req.SetBody([]byte(body))
	return req
}

// ours are the headers that the phone writes itself.
var ours = []string{
	"via", "v", "from", "f", "to", "t", "call-id", "i", "cseq", "contact", "m", "max-forwards",
	"content-length", "l", "content-type", "c", "route", "record-route", "authorization", "proxy-authorization",
}

// extraHeaders checks the headers that a user adds to an INVITE.
func extraHeaders(headers map[string]string) ([]sip.Header, error) {
	var names []string
	for name := range headers {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []sip.Header
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
		out = append(out, sip.NewHeader(name, value))
	}
	return out, nil
}

// tokenChars are the characters of a header name (RFC 3261 §25.1, token).
const tokenChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~"
