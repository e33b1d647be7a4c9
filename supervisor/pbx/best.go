package pbx

import (
	"slices"

	"github.com/emiago/sipgo/sip"
)

// best chooses, of the final responses of all branches, none of them a 2xx,
// the one that goes back (RFC 3261 §16.7 step 6): a 6xx, else of the lowest
// class, and there first one that tells the caller what to do better, last
// one that says that a phone was not there. Among equals the first. A
// challenge gets those of the other branches added (step 7).
func best(finals []*sip.Response) *sip.Response {
	chosen := slices.MinFunc(finals, func(a, b *sip.Response) int { return rank(a.StatusCode) - rank(b.StatusCode) })
	if chosen.StatusCode != 401 && chosen.StatusCode != 407 {
		return chosen
	}
	for _, other := range finals {
		if other == chosen || other.StatusCode != 401 && other.StatusCode != 407 {
			continue
		}
		for _, name := range []string{"WWW-Authenticate", "Proxy-Authenticate"} {
			for _, h := range other.GetHeaders(name) {
				chosen.AppendHeader(sip.HeaderClone(h))
			}
		}
	}
	return chosen
}

func rank(status int) int {
	switch status {
	case 401, 407:
		return 400
	case 415, 420, 484:
		return 401
	case 408, 480, 487:
		return 499
	}
	if status >= 600 {
		return 0
	}
	return status/100*100 + 2
}
