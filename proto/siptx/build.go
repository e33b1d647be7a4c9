package siptx

import (
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// NewResponse makes a response to req with Via, From, To, Call-ID and CSeq
// copied, Timestamp for a 100, and Record-Route where the response can make a
// dialog (RFC 3261 §8.2.6, §12.1.1). toTag is added when the request had
// none, except to a 100. An empty reason becomes the usual phrase.
func NewResponse(req *sip.Request, status int, reason, toTag string) *sip.Response {
	if reason == "" {
		reason = ReasonPhrase(status)
	}
	res := sip.NewResponse(status, reason)
	copyHeaders(req, res, "Via")
	if status > 100 && status < 300 && makesDialog(req.Method) {
		copyHeaders(req, res, "Record-Route")
	}
	if from := req.From(); from != nil {
		res.AppendHeader(sip.HeaderClone(from))
	}
	if to := req.To(); to != nil {
		to = sip.HeaderClone(to).(*sip.ToHeader)
		if status > 100 && toTag != "" && tag(to.Params) == "" {
			to.Params.Add("tag", toTag)
		}
		res.AppendHeader(to)
	}
	if id := req.CallID(); id != nil {
		res.AppendHeader(sip.HeaderClone(id))
	}
	if cseq := req.CSeq(); cseq != nil {
		res.AppendHeader(sip.HeaderClone(cseq))
	}
	if status == 100 {
		copyHeaders(req, res, "Timestamp")
	}
	res.SetBody(nil)
	return res
}

func makesDialog(m sip.RequestMethod) bool {
	switch m {
	case sip.INVITE, sip.SUBSCRIBE, sip.REFER, sip.NOTIFY:
		return true
	default:
		return false
	}
}

// newAck is the ACK of a final response that is not 2xx (§17.1.1.3).
func newAck(invite *sip.Request, res *sip.Response) *sip.Request {
	ack := within(invite, sip.ACK)
	if to := res.To(); to != nil {
		ack.AppendHeader(sip.HeaderClone(to))
	}
	ack.SetBody(nil)
	return ack
}

// newCancel is the CANCEL of an INVITE (§9.1).
func newCancel(invite *sip.Request, headers []sip.Header) *sip.Request {
	cancel := within(invite, sip.CANCEL)
	if to := invite.To(); to != nil {
		cancel.AppendHeader(sip.HeaderClone(to))
	}
	for _, h := range headers {
		cancel.AppendHeader(h)
	}
	cancel.SetBody(nil)
	return cancel
}

// within makes a request that shares the INVITE's Request-URI, top Via,
// Route, From, Call-ID and CSeq number.
func within(invite *sip.Request, method sip.RequestMethod) *sip.Request {
	req := sip.NewRequest(method, *invite.Recipient.Clone())
	req.AppendHeader(invite.Via().Clone())
	copyHeaders(invite, req, "Route")
	maxForwards := sip.MaxForwardsHeader(70)
	req.AppendHeader(&maxForwards)
	if from := invite.From(); from != nil {
		req.AppendHeader(sip.HeaderClone(from))
	}
	if id := invite.CallID(); id != nil {
		req.AppendHeader(sip.HeaderClone(id))
	}
	req.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: method})
	return req
}

func copyHeaders(from, to sip.Message, name string) {
	for _, h := range from.GetHeaders(name) {
		to.AppendHeader(sip.HeaderClone(h))
	}
}

// Check refuses a message that would not be one message on the wire: a header
// or start line with a line end or NUL in it, which the library would write
// through, or one without the headers that every message has.
func Check(msg sip.Message) error {
	var headers []sip.Header
	var start string
	switch m := msg.(type) {
	case *sip.Request:
		headers, start = m.Headers(), m.StartLine()
	case *sip.Response:
		headers, start = m.Headers(), m.StartLine()
	}
	if msg.Via() == nil || msg.From() == nil || msg.To() == nil || msg.CallID() == nil || msg.CSeq() == nil {
		return fmt.Errorf("the message %.80q lacks one of Via, From, To, Call-ID and CSeq", start)
	}
	if strings.ContainsAny(start, breaks) {
		return fmt.Errorf("the start line %.80q holds a line end or NUL: remove it", start)
	}
	for _, h := range headers {
		if h.Name() == "" || strings.ContainsAny(h.Name(), breaks+" \t:") {
			return fmt.Errorf("%.40q is no header name: use letters, digits and hyphens", h.Name())
		}
		if strings.ContainsAny(h.Value(), breaks) {
			return fmt.Errorf("the value of header %.40s holds a line end or NUL: remove it", h.Name())
		}
	}
	return nil
}

const breaks = "\r\n\x00"
