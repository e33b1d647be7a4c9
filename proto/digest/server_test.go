package digest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
)

// house is a server with one user, u:p, and a clock to turn.
type house struct {
	*Server
	now time.Time
}

func newHouse() *house {
	h := &house{now: time.Unix(1_700_000_000, 0)}
	issued := 0
	h.Server = NewServer(`the "realm"`, func() string { issued++; return fmt.Sprintf("nonce%d", issued) }, func() time.Time { return h.now })
	return h
}

func (h *house) check(header string) (string, error) {
	return h.Check(header, "REGISTER", nil, func(user string) (phone.Secret, bool) {
		return phone.NewSecret("p"), user == "u"
	})
}

// answer is what a phone makes of a challenge.
func answer(t *testing.T, challenge, user, password string) (header string, c *Client) {
	t.Helper()
	c = fixed(user, password, "", "c1", "c2", "c3")
	header, err := c.Answer([]string{challenge}, false, "REGISTER", "sip:r", nil)
	if err != nil {
		t.Fatal(err)
	}
	return header, c
}

func TestServerTakesTheRightAnswerOnce(t *testing.T) {
	h := newHouse()
	header, client := answer(t, h.Challenge(false), "u", "p")
	if user, err := h.check(header); user != "u" || err != nil {
		t.Fatal(user, err)
	}
	if _, err := h.check(header); !errors.Is(err, ErrStale) {
		t.Errorf("replayed: %v, want ErrStale", err)
	}
	second, _ := client.Again(false, "REGISTER", "sip:r", nil)
	third, _ := client.Again(false, "REGISTER", "sip:r", nil)
	for _, header := range []string{third, second} { // the network turned them round
		if _, err := h.check(header); err != nil {
			t.Error(err)
		}
	}
	if _, err := h.check(second); !errors.Is(err, ErrStale) {
		t.Errorf("replayed out of order: %v, want ErrStale", err)
	}
}

func TestServerRefuses(t *testing.T) {
	h := newHouse()
	challenge := h.Challenge(false)
	right, _ := answer(t, challenge, "u", "p")
	wrong, _ := answer(t, challenge, "u", "P")
	nobody, _ := answer(t, challenge, "v", "p")
	foreign, _ := answer(t, strings.Replace(challenge, "nonce1", "nonceX", 1), "u", "p")
	foreignWrong, _ := answer(t, strings.Replace(challenge, "nonce1", "nonceX", 1), "u", "P")
	elsewhere, _ := answer(t, `Digest realm="elsewhere", nonce="nonce1"`, "u", "p")
	sha, _ := answer(t, strings.Replace(challenge, "MD5", "SHA-256", 1), "u", "p")
	integrity, _ := answer(t, strings.Replace(challenge, `"auth"`, `"auth-int"`, 1), "u", "p")
	for _, row := range []struct {
		name, header string
		want         error
	}{
		{"wrong password", wrong, ErrWrong},
		{"unknown user", nobody, ErrUnknownUser},
		{"a nonce that is not ours", foreign, ErrStale},
		{"a nonce that is not ours and a wrong password", foreignWrong, ErrWrong},
		{"another realm", elsewhere, ErrOtherRealm},
		{"another algorithm", sha, ErrMalformed},
		{"another qop", integrity, ErrMalformed},
		{"a short nc", strings.Replace(right, "nc=00000001", "nc=1", 1), ErrMalformed},
		{"a changed nc", strings.Replace(right, "nc=00000001", "nc=00000002", 1), ErrWrong},
		{"a changed uri", strings.Replace(right, "sip:r", "sip:s", 1), ErrWrong},
		{"no digest", "Basic dTpw", ErrMalformed},
		{"nothing", "", ErrMalformed},
	} {
		if user, err := h.check(row.header); !errors.Is(err, row.want) || user != "" {
			t.Errorf("%s: %q, %v; want %v", row.name, user, err, row.want)
		}
	}
	if _, err := h.check(right); err != nil {
		t.Errorf("after all those: %v", err)
	}
}

func TestNonceLife(t *testing.T) {
	h := newHouse()
	header, client := answer(t, h.Challenge(false), "u", "p")
	h.now = h.now.Add(nonceLife)
	if _, err := h.check(header); err != nil {
		t.Errorf("at its end: %v", err)
	}
	h.now = h.now.Add(time.Second)
	late, _ := client.Again(false, "REGISTER", "sip:r", nil)
	if _, err := h.check(late); !errors.Is(err, ErrStale) {
		t.Errorf("after its end: %v, want ErrStale", err)
	}
	fresh, err := client.Answer([]string{h.Challenge(true)}, false, "REGISTER", "sip:r", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.check(fresh); err != nil {
		t.Errorf("after the stale challenge: %v", err)
	}
}

func TestAnswerWithoutQOPIsTakenOnce(t *testing.T) {
	h := newHouse()
	h.Challenge(false)
	header, _ := answer(t, `Digest realm="the \"realm\"", nonce="nonce1"`, "u", "p")
	if _, err := h.check(header); err != nil {
		t.Error(err)
	}
	if _, err := h.check(header); !errors.Is(err, ErrStale) {
		t.Errorf("replayed: %v, want ErrStale", err)
	}
}

func TestReplayWindow(t *testing.T) {
	h := newHouse()
	h.Challenge(false)
	for _, row := range []struct {
		nc   uint32
		want bool
	}{{5, true}, {5, false}, {1, true}, {1, false}, {69, true}, {5, false}, {6, true}, {68, true}, {68, false}, {4_000_000_000, true}, {69, false}, {3_999_999_999, true}} {
		if got := h.spend("nonce1", row.nc); got != row.want {
			t.Errorf("nc %d: %v, want %v", row.nc, got, row.want)
		}
	}
}

func TestIssuedNoncesAreBounded(t *testing.T) {
	h := newHouse()
	first, _ := answer(t, h.Challenge(false), "u", "p")
	for range maxNonces {
		h.Challenge(false)
	}
	if len(h.nonces) != maxNonces || len(h.oldest) != maxNonces {
		t.Errorf("%d and %d kept, want %d", len(h.nonces), len(h.oldest), maxNonces)
	}
	if _, err := h.check(first); !errors.Is(err, ErrStale) {
		t.Errorf("%v, want ErrStale", err)
	}
}
