package registration

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringmaster/worker/sipua"
)

// newRequest makes a REGISTER, complete but for Via. The lifetime goes in
// both places: RFC 3261 §10.2.1.1 prefers the Contact's, some registrars read
// the header only.
func (r *Registration) newRequest(contact sip.Uri, expires int) *sip.Request {
	account := r.registrar
	account.User = sipua.User(r.cfg.Username)
	callID, hops, lifetime := sip.CallIDHeader(r.callID), sip.MaxForwardsHeader(70), sip.ExpiresHeader(expires)

	req := sip.NewRequest(sip.REGISTER, r.registrar)
	req.AppendHeader(&hops)
	req.AppendHeader(&sip.FromHeader{Address: account, Params: sip.HeaderParams{{K: "tag", V: r.tag}}})
	req.AppendHeader(&sip.ToHeader{Address: account})
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: r.nextCSeq(), MethodName: sip.REGISTER})
	req.AppendHeader(&sip.ContactHeader{Address: contact, Params: sip.HeaderParams{{K: "expires", V: strconv.Itoa(expires)}}})
	req.AppendHeader(&lifetime)
	req.SetBody(nil)
	return req
}

// parseDomain makes the registrar's URI of a host or host:port.
func parseDomain(domain string) sip.Uri {
	var uri sip.Uri
	if err := sip.ParseUri("sip:"+domain, &uri); err != nil {
		return sip.Uri{Scheme: "sip", Host: domain}
	}
	return sip.Uri{Scheme: "sip", Host: uri.Host, Port: uri.Port}
}

// read takes from a final response what step wants to know.
func read(res *sip.Response, own sip.Uri, asked int) answered {
	in := answered{status: res.StatusCode, reason: phrase(res)}
	switch {
	case res.IsSuccess():
		in.granted = granted(res, own, asked)
	case res.StatusCode == 423:
		in.minExpires, _ = number(res, "Min-Expires")
	}
	if seconds, ok := number(res, "Retry-After"); ok {
		in.retryAfter = time.Duration(seconds) * time.Second
	}
	return in
}

// phrase is the reason phrase, bounded: it is text from the network.
func phrase(res *sip.Response) string {
	const bound = 120
	reason := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, res.Reason)
	if strings.TrimSpace(reason) == "" {
		return "status " + strconv.Itoa(res.StatusCode)
	}
	if len(reason) > bound {
		return strings.ToValidUTF8(reason[:bound], "") + "…"
	}
	return reason
}

// granted is the lifetime of our binding in seconds, by RFC 3261 §10.2.4: the
// expires parameter of our own Contact, else the Expires header, else what we
// asked for. A lone Contact is ours even if something on the way rewrote it.
func granted(res *sip.Response, own sip.Uri, asked int) int {
	var contacts []*sip.ContactHeader
	for _, h := range res.GetHeaders("Contact") {
		if c, ok := h.(*sip.ContactHeader); ok {
			contacts = append(contacts, c)
		}
	}
	for _, c := range contacts {
		if len(contacts) > 1 && !sameAddress(c.Address, own) {
			continue
		}
		for _, p := range c.Params {
			if seconds, err := strconv.Atoi(strings.TrimSpace(p.V)); err == nil && strings.EqualFold(p.K, "expires") {
				return min(seconds, maxExpires)
			}
		}
		break
	}
	if seconds, ok := number(res, "Expires"); ok {
		return min(seconds, maxExpires)
	}
	return asked
}

// sameAddress compares what tells our binding from others of the account.
func sameAddress(a, b sip.Uri) bool {
	return a.User == b.User && strings.EqualFold(a.Host, b.Host) && a.Port == b.Port
}

// number reads the digits that a header begins with: "120 (soon);duration=60"
// is 120.
func number(res *sip.Response, name string) (int, bool) {
	h := res.GetHeader(name)
	if h == nil {
		return 0, false
	}
	digits := strings.TrimSpace(h.Value())
	if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		digits = digits[:end]
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	return int(n), err == nil
}
