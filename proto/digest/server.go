package digest

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ringmaster/proto/phone"
)

// Errors of Server.Check. Only ErrStale deserves a Challenge(true).
var (
	// ErrOtherRealm: the credentials are for somebody else; look at the next.
	ErrOtherRealm = errors.New("credentials of another realm")
	// ErrUnknownUser: nobody of that name.
	ErrUnknownUser = errors.New("unknown user")
	// ErrWrong: the response does not prove the password.
	ErrWrong = errors.New("wrong password")
	// ErrStale: the response is right but its nonce is not ours, too old, or
	// this use of it has been seen before.
	ErrStale = errors.New("stale nonce")
	// ErrMalformed: no digest credentials, or none of the challenged kind.
	ErrMalformed = errors.New("malformed credentials")
)

const (
	// nonceLife is how long a nonce may be used.
	nonceLife = 5 * time.Minute
	// maxNonces bounds what challenges cost, since anybody can cause one. Of
	// more, the oldest is forgotten, and its user is challenged once more.
	maxNonces = 4096
)

// Server challenges for one realm and checks the answers. It challenges with
// MD5 and qop "auth", which every SIP user agent answers. Not safe for
// concurrent use.
type Server struct {
	realm    string
	newNonce func() string
	now      func() time.Time
	nonces   map[string]*issued
	oldest   []string // nonces in the order of issue
}

// issued is a nonce that is out, and which of its counts have been used.
type issued struct {
	at      time.Time
	highest uint32
	window  uint64 // bit i: highest-i was used
}

// NewServer makes a server for realm. newNonce gives a fresh unguessable
// string each time.
func NewServer(realm string, newNonce func() string, now func() time.Time) *Server {
	return &Server{realm: realm, newNonce: newNonce, now: now, nonces: map[string]*issued{}}
}

// Challenge gives the value of a WWW-Authenticate or Proxy-Authenticate
// header with a new nonce. stale tells the client that its password was right.
func (s *Server) Challenge(stale bool) string {
	if len(s.oldest) == maxNonces {
		delete(s.nonces, s.oldest[0])
		s.oldest = append(s.oldest[:0], s.oldest[1:]...)
	}
	nonce := s.newNonce()
	s.nonces[nonce] = &issued{at: s.now()}
	s.oldest = append(s.oldest, nonce)
	value := fmt.Sprintf("Digest realm=%s, nonce=%s, algorithm=MD5, qop=\"auth\"", quote(s.realm), quote(nonce))
	if stale {
		value += ", stale=true"
	}
	return value
}

// Check reads the value of an Authorization or Proxy-Authorization header and
// returns the user it proves. password gives a user's password. The digest's
// uri is taken as it stands: proxies may have rewritten the Request-URI
// (RFC 3261 §22.4).
func (s *Server) Check(headerValue, method string, body []byte, password func(user string) (phone.Secret, bool)) (user string, err error) {
	given, err := parseParams(headerValue)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if given["realm"] != s.realm {
		return "", ErrOtherRealm
	}
	p, err := given.proof()
	if err != nil {
		return "", err
	}
	p.method, p.body = method, body
	var known bool
	if p.password, known = password(p.username); !known {
		return "", ErrUnknownUser
	}
	want, err := p.response()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(given["response"]))) != 1 {
		return "", ErrWrong
	}
	if !s.spend(p.nonce, p.nc) {
		return "", ErrStale
	}
	return p.username, nil
}

// proof reads what the response is computed from. Without qop, as in
// RFC 2069, there is no count, and the nonce counts as used for the first time.
func (given params) proof() (proof, error) {
	p := proof{
		username: given["username"], realm: given["realm"], algorithm: given["algorithm"],
		nonce: given["nonce"], cnonce: given["cnonce"], uri: given["uri"], qop: given["qop"], nc: 1,
	}
	if base, session := splitSession(p.algorithm); base != "MD5" || session {
		return proof{}, fmt.Errorf("%w: algorithm %.40q, challenged with MD5", ErrMalformed, p.algorithm)
	}
	if p.qop == "" {
		return p, nil
	}
	nc, err := strconv.ParseUint(given["nc"], 16, 32)
	if err != nil || len(given["nc"]) != 8 || nc == 0 || p.qop != "auth" || p.cnonce == "" {
		return proof{}, fmt.Errorf("%w: qop auth wants a cnonce and an nc of 8 hex digits", ErrMalformed)
	}
	p.nc = uint32(nc)
	return p, nil
}

// spend uses one count of a nonce and reports whether it was there to use.
// Counts may come in another order than they were made (a phone has several
// requests under way), within the window.
func (s *Server) spend(nonce string, nc uint32) bool {
	n, ok := s.nonces[nonce]
	if !ok || s.now().Sub(n.at) > nonceLife {
		return false
	}
	if nc > n.highest {
		n.window = n.window<<(nc-n.highest) | 1 // a shift past 63 leaves 0
		n.highest = nc
		return true
	}
	bit := uint64(1) << (n.highest - nc)
	if bit == 0 || n.window&bit != 0 {
		return false
	}
	n.window |= bit
	return true
}
