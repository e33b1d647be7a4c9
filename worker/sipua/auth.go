package sipua

import (
	"crypto/rand"
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/digest"
	"ringmaster/proto/phone"
)

// Credentials is how a phone proves who it is.
type Credentials struct {
	Username string
	Password phone.Secret
	Realm    string // "" or "*": any
}

// challenger is a neighbour that asked for credentials.
type challenger struct {
	addr  netip.AddrPort
	proxy bool
}

// maxChallengers bounds what is remembered; past it, all are forgotten and
// cost a round trip again.
const maxChallengers = 64

// SetCredentials sets what requests with Authenticate are signed with, and
// forgets every nonce.
func (u *UA) SetCredentials(c Credentials) {
	u.credentials = &c
	u.digest = digest.NewClient(c.Username, c.Password, c.Realm, rand.Text)
	clear(u.challenged)
}

// credentialHeader is the name of the header that answers a challenge.
func credentialHeader(proxy bool) string {
	if proxy {
		return "Proxy-Authorization"
	}
	return "Authorization"
}

// preempt signs a request for a neighbour that has challenged before, with
// the nonce remembered from then.
func (u *UA) preempt(req *sip.Request, t Target) {
	for _, proxy := range []bool{false, true} {
		if u.digest != nil && u.challenged[challenger{t.Addr, proxy}] {
			u.renew(req, proxy)
		}
	}
}

// renew puts fresh credentials, the next nc, in place of those there.
func (u *UA) renew(req *sip.Request, proxy bool) {
	value, ok := u.digest.Again(proxy, string(req.Method), req.Recipient.String(), req.Body())
	if ok {
		setHeader(req, credentialHeader(proxy), value)
	}
}

// answer signs req for the challenges in res. An error says why they cannot
// be answered.
func (u *UA) answer(req *sip.Request, res *sip.Response, t Target) error {
	proxy := res.StatusCode == 407
	value, err := u.digest.Answer(challenges(res), proxy, string(req.Method), req.Recipient.String(), req.Body())
	if err != nil {
		return err
	}
	// Credentials for the other kind of challenger stay needed on the way.
	if req.GetHeader(credentialHeader(!proxy)) != nil {
		u.renew(req, !proxy)
	}
	setHeader(req, credentialHeader(proxy), value)
	if len(u.challenged) >= maxChallengers {
		clear(u.challenged)
	}
	u.challenged[challenger{t.Addr, proxy}] = true
	return nil
}

// challenges are the raw challenges of a 401 or 407.
func challenges(res *sip.Response) []string {
	name := "WWW-Authenticate"
	if res.StatusCode == 407 {
		name = "Proxy-Authenticate"
	}
	var out []string
	for _, h := range res.GetHeaders(name) {
		out = append(out, h.Value())
	}
	return out
}

// isStale tells whether a challenge calls the nonce stale rather than the
// credentials wrong (RFC 7616 §3.3).
func isStale(res *sip.Response) bool {
	for _, c := range challenges(res) {
		c = strings.ToLower(strings.ReplaceAll(c, " ", ""))
		if strings.Contains(c, "stale=true") || strings.Contains(c, `stale="true"`) {
			return true
		}
	}
	return false
}

// setHeader puts one header of a name in place of all that were there.
func setHeader(req *sip.Request, name, value string) {
	for req.RemoveHeader(name) {
	}
	req.AppendHeader(sip.NewHeader(name, value))
}
