package digest

import (
	"errors"
	"fmt"
	"strings"
)

// challenge is one WWW-Authenticate or Proxy-Authenticate value.
type challenge struct {
	realm     string
	nonce     string
	opaque    *string // nil when there is none; "" is echoed too
	algorithm string  // as given, "" when left out
	stale     bool
	qop       string // the one we use: "auth", "auth-int", or "" as in RFC 2069
}

// parseChallenge reads a challenge. It fails, saying what was offered, when
// the challenge is none that we can answer.
func parseChallenge(header string) (challenge, error) {
	p, err := parseParams(header)
	if err != nil {
		scheme, _ := cutScheme(header)
		return challenge{}, fmt.Errorf("%.40q", scheme)
	}
	c := challenge{
		realm:     p["realm"],
		nonce:     p["nonce"],
		algorithm: p["algorithm"],
		stale:     strings.EqualFold(p["stale"], "true"),
	}
	if opaque, ok := p["opaque"]; ok {
		c.opaque = &opaque
	}
	if c.nonce == "" {
		return challenge{}, errors.New("a Digest challenge without a nonce")
	}
	if strength(c.algorithm) == 0 {
		return challenge{}, fmt.Errorf("algorithm %.40q", c.algorithm)
	}
	var ok bool
	if c.qop, ok = chooseQOP(p["qop"]); !ok {
		return challenge{}, fmt.Errorf("qop %.40q", p["qop"])
	}
	return c, nil
}

// chooseQOP picks "auth" where it is offered: auth-int breaks wherever a
// proxy on the way touches the body, as SIP gateways do with SDP. No offer is
// the form of RFC 2069.
func chooseQOP(offered string) (qop string, ok bool) {
	none := true
	for option := range strings.SplitSeq(offered, ",") {
		switch option = strings.ToLower(strings.TrimSpace(option)); option {
		case "auth":
			return "auth", true
		case "auth-int":
			qop = option
		}
		none = none && option == ""
	}
	return qop, none || qop != ""
}

// strength orders algorithms; 0 means that we cannot answer it (AKAv1-MD5
// needs a SIM card). RFC 8760 §2.4 lets local policy overrule the server's
// order, and ours is the strongest first.
func strength(algorithm string) int {
	base, _ := splitSession(algorithm)
	switch base {
	case "MD5":
		return 1
	case "SHA-256":
		return 2
	case "SHA-512-256":
		return 3
	}
	return 0
}

// splitSession takes the -sess off an algorithm's name, in capitals. No name
// means MD5 (RFC 3261 §22.4).
func splitSession(algorithm string) (base string, session bool) {
	if algorithm == "" {
		return "MD5", false
	}
	return strings.CutSuffix(strings.ToUpper(algorithm), "-SESS")
}

// choose finds the strongest of the challenges for one of our realms; among
// equals the first.
func choose(headers []string, ours func(realm string) bool) (challenge, error) {
	var best challenge
	var refused []string
	for _, header := range headers {
		c, err := parseChallenge(header)
		switch {
		case err != nil:
			refused = append(refused, err.Error())
		case !ours(c.realm):
			refused = append(refused, fmt.Sprintf("realm %.80q", c.realm))
		case strength(c.algorithm) > strength(best.algorithm) || best.nonce == "":
			best = c
		}
	}
	if best.nonce == "" {
		if len(refused) == 0 {
			refused = []string{"nothing"}
		}
		return challenge{}, fmt.Errorf("%w: the server offered %s", ErrNoUsableChallenge, strings.Join(refused, ", "))
	}
	return best, nil
}
