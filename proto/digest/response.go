package digest

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	icholy "github.com/icholy/digest"

	"ringmaster/proto/phone"
)

// proof is what a response proves knowledge of the password about.
type proof struct {
	username, realm string
	password        phone.Secret
	algorithm       string // as the challenge gave it
	nonce           string
	qop             string // "", "auth" or "auth-int"
	cnonce          string // "" only without qop and -sess
	nc              uint32 // of this use of the nonce, from 1
	method, uri     string
	body            []byte
}

// response computes the request-digest of RFC 7616 §3.4.1, in lower-case hex.
// It fails for an algorithm whose strength is 0.
func (p proof) response() (string, error) {
	base, session := splitSession(p.algorithm)
	offered := &icholy.Challenge{Realm: p.realm, Nonce: p.nonce, Algorithm: base}
	if p.qop != "" {
		offered.QOP = []string{p.qop}
	}
	options := icholy.Options{
		Method:   p.method,
		URI:      p.uri,
		GetBody:  func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(p.body)), nil },
		Count:    int(p.nc),
		Username: p.username,
		Password: p.password.Reveal(),
		Cnonce:   p.cnonce,
	}
	if session {
		options.A1 = p.sessionKey(base)
	}
	credentials, err := icholy.Digest(offered, options)
	if err != nil {
		return "", fmt.Errorf("digest response: %w", err)
	}
	return credentials.Response, nil
}

// sessionKey is H(A1) of a -sess algorithm, RFC 7616 §3.4.2:
// A1 = H(username:realm:password):nonce:cnonce.
func (p proof) sessionKey(base string) string {
	user := sum(base, p.username+":"+p.realm+":"+p.password.Reveal())
	return sum(base, user+":"+p.nonce+":"+p.cnonce)
}

// sum hashes s with the algorithm of that (capital) name into lower-case hex.
func sum(algorithm, s string) string {
	var h hash.Hash
	switch algorithm {
	case "SHA-256":
		h = sha256.New()
	case "SHA-512-256":
		h = sha512.New512_256()
	default:
		h = md5.New()
	}
	_, _ = io.WriteString(h, s) // a hash's Write never fails
	return hex.EncodeToString(h.Sum(nil))
}
