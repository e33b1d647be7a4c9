package dialog

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/emiago/sipgo/sip"
)

// redirectsMost bounds how many places one call is sent to by 3xx responses.
const redirectsMost = 10

// redirects are the places that 3xx responses have named for one INVITE.
type redirects struct {
	seen []string  // every place tried or to be tried: none is tried twice
	next []sip.Uri // still to be tried, in order
}

// add takes the contacts of a 3xx, the most wanted first (RFC 3261 §8.1.3.4).
func (r *redirects) add(from sip.Uri, contacts []*sip.ContactHeader) {
	if len(r.seen) == 0 {
		r.seen = append(r.seen, from.String())
	}
	slices.SortStableFunc(contacts, func(a, b *sip.ContactHeader) int { return cmp.Compare(q(b), q(a)) })
	for _, c := range contacts {
		uri := *c.Address.Clone()
		uri.Headers = nil
		place := uri.String()
		if uri.Scheme != "sip" && uri.Scheme != "sips" || uri.Host == "" ||
			slices.Contains(r.seen, place) || len(r.seen) > redirectsMost {
			continue
		}
		r.seen = append(r.seen, place)
		r.next = append(r.next, uri)
	}
}

// take gives the next place to try; false when none is left.
func (r *redirects) take() (sip.Uri, bool) {
	if len(r.next) == 0 {
		return sip.Uri{}, false
	}
	uri := r.next[0]
	r.next = r.next[1:]
	return uri, true
}

// q is a contact's preference, 1 when it does not say.
func q(c *sip.ContactHeader) float64 {
	value, given := c.Params.Get("q")
	if !given {
		return 1
	}
	f, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return 0
	}
	return f
}

// redirected follows a 3xx to the next place that it, or an earlier one, has
// named; a place that refuses leads to the next one. It tells whether there was
// one: if not, res is final for the call. A call that is being cancelled goes
// nowhere else.
func (s *Session) redirected(from sip.Uri, headers []Header, res *sip.Response) bool {
	if s.cancelled || res.StatusCode >= 600 {
		return false
	}
	if res.StatusCode < 400 {
		var contacts []*sip.ContactHeader
		for _, h := range res.GetHeaders("contact") {
			if c, ok := h.(*sip.ContactHeader); ok {
				contacts = append(contacts, c)
			}
		}
		s.redirects.add(from, contacts)
	}
	next, ok := s.redirects.take()
	if !ok {
		return false
	}
	s.invite, s.inviting = nil, false
	s.e.cfg.Loop.Defer(func() {
		if !s.ended {
			s.inviteTo(next, headers)
		}
	})
	return true
}
