package pbx

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/sipnet"
)

// maxContacts is how many contacts a user may have.
const maxContacts = 10

// binding is one contact of a user (RFC 3261 §10.3).
type binding struct {
	contact *sip.ContactHeader // without its expires parameter
	callID  string
	cseq    uint32
	until   time.Time
	flow    sipnet.Target // where the REGISTER came from
}

// bindings is the registrar's table: arithmetic, no sockets and no timers.
type bindings struct {
	limits Limits
	byUser map[string][]*binding
}

func newBindings(limits Limits) *bindings {
	return &bindings{limits: limits, byUser: make(map[string][]*binding)}
}

// refusal is a final response to be made.
type refusal struct {
	status  int
	reason  string // "": the usual phrase
	headers []sip.Header
}

func refuse(status int, reason string, headers ...sip.Header) *refusal {
	return &refusal{status, reason, headers}
}

// update does what a REGISTER of user asks for, all of it or, with a refusal,
// nothing (§10.3 steps 6 and 7). flow is where it came from.
func (b *bindings) update(user string, req *sip.Request, flow sipnet.Target, now time.Time) *refusal {
	b.expire(now)
	contacts := contactsOf(req)
	changed := slices.Clone(b.byUser[user])
	for _, contact := range contacts {
		if contact.Address.Wildcard {
			if len(contacts) > 1 || headerValue(req, "Expires") != "0" {
				return refuse(400, "Contact * stands alone and wants Expires 0")
			}
			if slices.ContainsFunc(changed, func(old *binding) bool { return old.after(req) }) {
				return refuse(500, "CSeq is not higher than before")
			}
			changed = nil
			continue
		}
		var why *refusal
		if changed, why = b.change(changed, contact, req, flow, now); why != nil {
			return why
		}
	}
	if len(changed) > maxContacts {
		return refuse(403, "Too many contacts: remove one first")
	}
	b.byUser[user] = changed
	if len(changed) == 0 {
		delete(b.byUser, user)
	}
	return nil
}

// change adds, renews or removes one contact in a copy of the list.
func (b *bindings) change(list []*binding, contact *sip.ContactHeader, req *sip.Request, flow sipnet.Target, now time.Time) ([]*binding, *refusal) {
	if !strings.EqualFold(contact.Address.Scheme, "sip") || contact.Address.Host == "" {
		return nil, refuse(400, "Contact is no sip URI")
	}
	life := b.life(contact, req)
	if life > 0 && life < b.limits.Min {
		return nil, refuse(423, "", sip.NewHeader("Min-Expires", seconds(b.limits.Min)))
	}
	i := slices.IndexFunc(list, func(old *binding) bool { return sameURI(&old.contact.Address, &contact.Address) })
	if i >= 0 {
		if list[i].after(req) {
			return nil, refuse(500, "CSeq is not higher than before")
		}
		list = slices.Delete(list, i, i+1)
	}
	if life == 0 {
		return list, nil
	}
	kept := contact.Clone()
	for _, p := range contact.Params {
		if strings.EqualFold(p.K, "expires") {
			kept.Params.Remove(p.K)
		}
	}
	fresh := &binding{contact: kept, callID: req.CallID().Value(), cseq: req.CSeq().SeqNo, until: now.Add(life), flow: flow}
	if i < 0 {
		i = len(list)
	}
	return slices.Insert(list, i, fresh), nil
}

// after says that a binding was made by this request's successor, or by the
// request itself.
func (b *binding) after(req *sip.Request) bool {
	return b.callID == req.CallID().Value() && b.cseq >= req.CSeq().SeqNo
}

// life is how long a contact is to live: its own wish before the request's;
// what is no number is the default (§10.2.1.1, §20.19).
func (b *bindings) life(contact *sip.ContactHeader, req *sip.Request) time.Duration {
	wish, ok := param(contact.Params, "expires")
	if !ok {
		wish = headerValue(req, "Expires")
	}
	n, err := strconv.ParseUint(wish, 10, 32)
	if err != nil || n > math.MaxInt32 {
		return b.limits.Max
	}
	return min(time.Duration(n)*time.Second, b.limits.Max)
}

// expire forgets what is over and says how long the next one lives; 0 for
// none.
func (b *bindings) expire(now time.Time) (next time.Duration) {
	for user, list := range b.byUser {
		list = slices.DeleteFunc(slices.Clone(list), func(old *binding) bool { return !old.until.After(now) })
		if len(list) == 0 {
			delete(b.byUser, user)
			continue
		}
		b.byUser[user] = list
		for _, old := range list {
			if left := old.until.Sub(now); next == 0 || left < next {
				next = left
			}
		}
	}
	return next
}

// of gives a user's bindings, oldest first.
func (b *bindings) of(user string) []*binding { return b.byUser[user] }

// at finds the binding of a contact, whoever's it is.
func (b *bindings) at(uri *sip.Uri) *binding {
	for _, list := range b.byUser {
		for _, old := range list {
			if sameURI(&old.contact.Address, uri) {
				return old
			}
		}
	}
	return nil
}

// contacts are the Contact headers of a 200, with what is left of each.
func (b *bindings) contacts(user string, now time.Time) []sip.Header {
	var out []sip.Header
	for _, old := range b.byUser[user] {
		contact := old.contact.Clone()
		contact.Params.Add("expires", seconds(old.until.Sub(now)))
		out = append(out, contact)
	}
	return out
}

func (b *bindings) report() []Binding {
	var out []Binding
	for user, list := range b.byUser {
		for _, old := range list {
			out = append(out, Binding{user, old.contact.Address.String(), old.until, old.flow.Addr})
		}
	}
	slices.SortStableFunc(out, func(x, y Binding) int { return cmp.Compare(x.User, y.User) })
	return out
}

// seconds writes a duration, rounded up: a binding never lives shorter than
// its phone was told.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

func contactsOf(req *sip.Request) []*sip.ContactHeader {
	var out []*sip.ContactHeader
	for _, h := range req.GetHeaders("Contact") {
		if contact, ok := h.(*sip.ContactHeader); ok {
			out = append(out, contact)
		}
	}
	return out
}

func headerValue(req *sip.Request, name string) string {
	if h := req.GetHeader(name); h != nil {
		return strings.TrimSpace(h.Value())
	}
	return ""
}
