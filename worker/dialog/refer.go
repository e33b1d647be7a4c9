package dialog

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringmaster/worker/sipua"
)

// Referral is the far end's wish that we call somebody (RFC 3515).
type Referral struct {
	To         URI      // without headers
	Headers    []Header // those that the Refer-To asks for: Replaces
	ReferredBy string   // "" when it does not say
	// Report sends a NOTIFY with the state of that call. A status of 200 or
	// more is the last.
	Report func(status int, reason string)
}

// Replaces names this session's dialog to its far end (RFC 3891 §3).
func (s *Session) Replaces() string {
	return fmt.Sprintf("%s;to-tag=%s;from-tag=%s", s.callID, s.remoteTag, s.localTag)
}

// Target is the far end's Contact.
func (s *Session) Target() URI { return URI{s.target} }

// Refer asks the far end to call target, replacing the dialog that replaces
// names when it is not "". done hears the final response. What becomes of it
// comes to Observer.Notified.
func (s *Session) Refer(target URI, replaces string, done func(Answer, error)) {
	to := *target.uri.Clone()
	to.Headers = nil
	text := to.String()
	if replaces != "" {
		text += "?Replaces=" + url.QueryEscape(replaces)
	}
	s.referring++
	s.send(requestParams{
		method: sip.REFER,
		headers: []sip.Header{
			&sip.ContactHeader{Address: s.contact},
			sip.NewHeader("Refer-To", "<"+text+">"),
			sip.NewHeader("Referred-By", "<"+s.local.Address.String()+">"),
		},
		final: func(res *sip.Response) {
			if res.StatusCode >= 300 {
				s.referring--
			}
			done(answerOf(res), nil)
		},
		failed: func(err error) {
			s.referring--
			done(Answer{}, err)
		},
	})
}

// notified takes a NOTIFY of the implicit subscription.
func (s *Session) notified(tx *sipua.ServerTx, req *sip.Request) {
	event := req.GetHeader("Event")
	if event == nil || !strings.HasPrefix(strings.ToLower(strings.TrimSpace(event.Value())), "refer") {
		respond(tx, 489, "Bad Event", sip.NewHeader("Allow-Events", "refer"))
		return
	}
	if s.referring == 0 {
		respond(tx, 481, "Subscription Does Not Exist")
		return
	}
	respond(tx, 200, "OK")
	over := false
	if h := req.GetHeader("Subscription-State"); h != nil {
		over = strings.HasPrefix(strings.ToLower(strings.TrimSpace(h.Value())), "terminated")
	}
	status, reason := sipfrag(string(req.Body()))
	over = over || status >= 200
	if over {
		s.referring--
	}
	s.observer.Notified(status, reason, over)
}

// sipfrag reads the status line of a message/sipfrag body; 0 when there is
// none.
func sipfrag(body string) (status int, reason string) {
	line, _, _ := strings.Cut(strings.TrimSpace(body), "\n")
	fields := strings.SplitN(strings.TrimSpace(line), " ", 3)
	if len(fields) < 2 || !strings.HasPrefix(fields[0], "SIP/2.0") {
		return 0, ""
	}
	status, err := strconv.Atoi(fields[1])
	if err != nil || status < 100 || status > 699 {
		return 0, ""
	}
	if len(fields) == 3 {
		reason = fields[2]
	}
	return status, reason
}

// referred takes a REFER.
func (s *Session) referred(tx *sipua.ServerTx, req *sip.Request) {
	headers := req.GetHeaders("Refer-To")
	to := new(sip.ReferToHeader)
	if len(headers) == 1 {
		to, _ = headers[0].(*sip.ReferToHeader)
	}
	if to == nil || to.Address.Host == "" {
		respond(tx, 400, "Bad Refer-To")
		return
	}
	r := Referral{To: URI{*to.Address.Clone()}}
	for _, kv := range r.To.uri.Headers {
		if strings.EqualFold(kv.K, "Replaces") {
			if value, err := url.PathUnescape(kv.V); err == nil && !strings.ContainsAny(value, "\r\n") {
				r.Headers = append(r.Headers, Header{"Replaces", value})
			}
		}
	}
	r.To.uri.Headers = nil
	if by := req.GetHeader("Referred-By"); by != nil {
		r.ReferredBy = by.Value()
	}
	seq := req.CSeq().SeqNo
	over := false
	r.Report = func(status int, reason string) {
		if over || s.ended {
			return
		}
		over = status >= 200
		s.notify(seq, status, reason, over)
	}
	if status, reason := s.observer.Referred(r); status != 0 {
		respond(tx, status, reason)
		return
	}
	res := sipua.NewResponse(req, 202, "Accepted", s.localTag)
	res.AppendHeader(&sip.ContactHeader{Address: s.contact})
	_ = tx.Respond(res) // the far end asks again
	r.Report(100, "Trying")
}

func (s *Session) notify(seq uint32, status int, reason string, over bool) {
	state := "active;expires=180"
	if over {
		state = "terminated;reason=noresource"
	}
	s.send(requestParams{
		method: sip.NOTIFY, contentType: "message/sipfrag;version=2.0",
		body: fmt.Appendf(nil, "SIP/2.0 %d %s\r\n", status, reason),
		headers: []sip.Header{
			&sip.ContactHeader{Address: s.contact},
			sip.NewHeader("Event", fmt.Sprintf("refer;id=%d", seq)),
			sip.NewHeader("Subscription-State", state),
		},
	})
}

// Find is the session whose dialog a Replaces header names (RFC 3891 §3); nil
// when it is none of ours. earlyOnly says that a confirmed one is not meant.
func (e *Endpoint) Find(replaces string) (s *Session, earlyOnly bool) {
	parts := strings.Split(replaces, ";")
	var to, from string
	for _, p := range parts[1:] {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch strings.ToLower(name) {
		case "to-tag":
			to = value
		case "from-tag":
			from = value
		case "early-only":
			earlyOnly = true
		}
	}
	s = e.sessions[key{strings.TrimSpace(parts[0]), to}]
	if s == nil || s.remoteTag != from {
		return nil, false
	}
	return s, earlyOnly
}
