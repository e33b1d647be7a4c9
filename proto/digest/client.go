package digest

import (
	"errors"
	"fmt"
	"strings"

	"ringmaster/proto/phone"
)

// Errors of Client.Answer.
var (
	// ErrNoUsableChallenge: no challenge has an algorithm, a qop and a realm
	// that this client answers. The error around it names what was offered.
	ErrNoUsableChallenge = errors.New("no challenge that this phone can answer (it knows MD5, SHA-256 and SHA-512-256, for its own realm)")
	// ErrRefused: the credentials just sent were refused; sending them
	// again would be refused again. The user name or the password is wrong.
	ErrRefused = errors.New("the credentials were refused: check user name and password")
)

// maxRemembered bounds the nonces a client keeps: a phone meets one registrar
// and perhaps a few proxies; beyond that the one longest unused is forgotten.
const maxRemembered = 8

// Client answers challenges for one user; it remembers nonces by (realm, proxy
// or not) and counts nc. Not safe for concurrent use.
type Client struct {
	username   string
	password   phone.Secret
	realm      string // "" answers any
	newCnonce  func() string
	remembered []*remembered // the one last used last
}

// remembered is a challenge that was answered, and how often.
type remembered struct {
	challenge
	proxy  bool
	nc     uint32
	cnonce string // of a -sess algorithm, whose key is made once (RFC 7616 §3.4.2)

	// The request last answered for: when it comes back with this nonce, the
	// answer was refused.
	method, uri string
}

// NewClient makes a client that answers challenges of realm; "" and "*" mean
// any. newCnonce gives a fresh unguessable string of letters and digits.
func NewClient(username string, password phone.Secret, realm string, newCnonce func() string) *Client {
	if realm == "*" {
		realm = ""
	}
	return &Client{username: username, password: password, realm: realm, newCnonce: newCnonce}
}

// Answer gives the value of the Authorization header (Proxy-Authorization for
// a proxy) for a request that was challenged. challenges are the raw values
// of its WWW-Authenticate or Proxy-Authenticate headers; of several, the one
// with the strongest algorithm is answered. uri is the Request-URI as sent.
//
// The error is ErrNoUsableChallenge, or ErrRefused when the same request went
// out with this very nonce and the server does not call it stale. A server
// that makes a new nonce each time cannot be told so from one that only
// renews it: whoever sends bounds the attempts.
func (c *Client) Answer(challenges []string, proxy bool, method, uri string, body []byte) (string, error) {
	chosen, err := choose(challenges, func(realm string) bool { return c.realm == "" || realm == c.realm })
	if err != nil {
		return "", err
	}
	r := c.take(chosen.realm, proxy)
	if r != nil && r.nonce == chosen.nonce {
		if !chosen.stale && r.method == method && r.uri == uri {
			return "", ErrRefused
		}
		r.challenge = chosen // its opaque or qop may differ; nc goes on
	} else {
		r = &remembered{challenge: chosen, proxy: proxy}
	}
	c.keep(r)
	return c.credentials(r, method, uri, body)
}

// Again gives a header value without being challenged, from the nonce last
// used towards a server (or proxy). ok is false when there is none.
func (c *Client) Again(proxy bool, method, uri string, body []byte) (headerValue string, ok bool) {
	for i := len(c.remembered) - 1; i >= 0; i-- {
		r := c.remembered[i]
		if r.proxy != proxy {
			continue
		}
		value, err := c.credentials(r, method, uri, body)
		return value, err == nil
	}
	return "", false
}

// take removes and returns what is remembered of a realm.
func (c *Client) take(realm string, proxy bool) *remembered {
	for i, r := range c.remembered {
		if r.realm == realm && r.proxy == proxy {
			c.remembered = append(c.remembered[:i], c.remembered[i+1:]...)
			return r
		}
	}
	return nil
}

func (c *Client) keep(r *remembered) {
	if len(c.remembered) == maxRemembered {
		c.remembered = append(c.remembered[:0], c.remembered[1:]...)
	}
	c.remembered = append(c.remembered, r)
}

// credentials writes the next use of a nonce.
func (c *Client) credentials(r *remembered, method, uri string, body []byte) (string, error) {
	if hasControl(c.username + uri) {
		return "", fmt.Errorf("user name %.80q or URI %.80q holds a control character: remove it", c.username, uri)
	}
	r.nc++
	r.method, r.uri = method, uri
	p := proof{
		username: c.username, realm: r.realm, password: c.password, algorithm: r.algorithm,
		nonce: r.nonce, qop: r.qop, nc: r.nc, method: method, uri: uri, body: body,
	}
	_, session := splitSession(r.algorithm)
	switch {
	case session && r.cnonce != "":
		p.cnonce = r.cnonce
	case session || r.qop != "":
		p.cnonce = c.newCnonce()
	}
	if session {
		r.cnonce = p.cnonce
	}
	response, err := p.response()
	if err != nil {
		return "", err
	}
	return p.header(response, r.opaque), nil
}

// header writes credentials. algorithm, qop and nc are tokens, never quoted
// (RFC 3261 §25.1); what the challenge left out is left out.
func (p proof) header(response string, opaque *string) string {
	parts := []string{
		"username=" + quote(p.username),
		"realm=" + quote(p.realm),
		"nonce=" + quote(p.nonce),
		"uri=" + quote(p.uri),
		"response=" + quote(response),
	}
	if p.algorithm != "" {
		parts = append(parts, "algorithm="+p.algorithm)
	}
	if p.cnonce != "" {
		parts = append(parts, "cnonce="+quote(p.cnonce))
	}
	if opaque != nil {
		parts = append(parts, "opaque="+quote(*opaque))
	}
	if p.qop != "" {
		parts = append(parts, "qop="+p.qop, fmt.Sprintf("nc=%08x", p.nc))
	}
	return "Digest " + strings.Join(parts, ", ")
}
