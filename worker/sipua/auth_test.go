package sipua

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/digest"
	"ringmaster/proto/phone"
)

// guard is a server's side of digest authentication: it lets user a with the
// password "secret" through and remembers what it was shown.
type guard struct {
	server *digest.Server
	proxy  bool
	shown  []string // credentials, "" for a request without
	cseqs  []uint32
}

func newGuard(proxy bool) *guard {
	nonces := 0
	return &guard{proxy: proxy, server: digest.NewServer("pbx.test", func() string {
		nonces++
		return fmt.Sprintf("nonce%d", nonces)
	}, time.Now)}
}

// admits answers a request that has not the right credentials.
func (g *guard) admits(tx *ServerTx, req *sip.Request) bool {
	status, name, challenge := 401, "Authorization", "WWW-Authenticate"
	if g.proxy {
		status, name, challenge = 407, "Proxy-Authorization", "Proxy-Authenticate"
	}
	value := ""
	if h := req.GetHeader(name); h != nil {
		value = h.Value()
	}
	g.shown = append(g.shown, value)
	g.cseqs = append(g.cseqs, req.CSeq().SeqNo)
	user, err := g.server.Check(value, string(req.Method), req.Body(), func(string) (phone.Secret, bool) {
		return phone.NewSecret("secret"), true
	})
	if err == nil && user == "a" {
		return true
	}
	res := NewResponse(req, status, "", "tag")
	res.AppendHeader(sip.NewHeader(challenge, `Digest realm="other", algorithm=AKAv1-MD5, nonce="x"`))
	res.AppendHeader(sip.NewHeader(challenge, g.server.Challenge(false)))
	_ = tx.Respond(res)
	return false
}

func (p *testPhone) login(password string) {
	p.t.Helper()
	p.do(func() { p.ua.SetCredentials(Credentials{Username: "a", Password: phone.NewSecret(password)}) })
}

var ncForm = regexp.MustCompile(`nonce="(\w+)".*nc=(\w+)`)

// nonceAndCount reads credentials as "nonce1/1".
func nonceAndCount(credentials string) string {
	m := ncForm.FindStringSubmatch(credentials)
	if m == nil {
		return credentials
	}
	n, _ := strconv.ParseUint(m[2], 16, 32)
	return fmt.Sprintf("%s/%d", m[1], n)
}

func TestChallengeIsAnsweredAndTheNonceReused(t *testing.T) {
	for _, proxy := range []bool{false, true} {
		a, b := newPhone(t, nil), newPhone(t, nil)
		a.login("secret")
		g := newGuard(proxy)
		b.handle(func(tx *ServerTx, req *sip.Request) {
			if g.admits(tx, req) {
				_ = tx.Respond(NewResponse(req, 200, "", "tag"))
			}
		})
		next := uint32(1)
		for range 3 {
			req := request(sip.MESSAGE, "call")
			req.CSeq().SeqNo = next
			_, got := a.send(Outgoing{Request: req, Targets: []Target{b.target()}, Authenticate: true,
				NextCSeq: func() uint32 { next += 10; return next }})
			got.want(200)
			next++
		}
		b.do(func() {
			var shown []string
			for _, s := range g.shown {
				shown = append(shown, nonceAndCount(s))
			}
			if want := []string{"", "nonce1/1", "nonce1/2", "nonce1/3"}; !slices.Equal(shown, want) {
				t.Errorf("proxy %v: credentials %q, want %q", proxy, shown, want)
			}
			if want := []uint32{1, 11, 12, 13}; !slices.Equal(g.cseqs, want) {
				t.Errorf("proxy %v: CSeq %v, want %v", proxy, g.cseqs, want)
			}
		})
	}
}

func TestInviteIsAckedAndRetried(t *testing.T) {
	eachTransport(t, func(t *testing.T, a, b *testPhone) {
		a.login("secret")
		g := newGuard(false)
		branches := make(map[string]bool)
		b.handle(func(tx *ServerTx, req *sip.Request) {
			branch, _ := req.Via().Params.Get("branch")
			branches[branch] = true
			if g.admits(tx, req) {
				_ = tx.Respond(NewResponse(req, 180, "", "tag"))
				_ = tx.Respond(NewResponse(req, 200, "", "tag"))
			}
		})
		tx, got := a.send(Outgoing{Request: request(sip.INVITE, "call"), Targets: []Target{b.target()}, Authenticate: true})
		got.want(180, 200)
		a.do(func() {
			if n := tx.Request().CSeq().SeqNo; n != 2 {
				t.Errorf("the INVITE in flight has CSeq %d", n)
			}
		})
		b.do(func() {
			if len(branches) != 2 {
				t.Errorf("%d branches", len(branches))
			}
		})
	})
}

func TestRefusalThatIsFinal(t *testing.T) {
	for _, row := range []struct {
		name         string
		password     string
		authenticate bool
		attempts     int
	}{
		{"wrong password", "wrong", true, 2},
		{"no credentials", "", true, 1},
		{"not asked for", "secret", false, 1},
	} {
		a, b := newPhone(t, nil), newPhone(t, nil)
		if row.password != "" {
			a.login(row.password)
		}
		g := newGuard(false)
		b.handle(func(tx *ServerTx, req *sip.Request) { g.admits(tx, req) })
		_, got := a.send(Outgoing{Request: request(sip.MESSAGE, "call"), Targets: []Target{b.target()}, Authenticate: row.authenticate})
		got.want(401)
		b.do(func() {
			if len(g.shown) != row.attempts {
				t.Errorf("%s: %d attempts, want %d", row.name, len(g.shown), row.attempts)
			}
		})
	}
}

func TestStaleNonceIsRenewedOnce(t *testing.T) {
	for _, row := range []struct {
		stale int // how often the server calls it stale
		want  int
	}{{1, 200}, {2, 401}} {
		a, b := newPhone(t, nil), newPhone(t, nil)
		a.login("secret")
		requests := 0
		b.handle(func(tx *ServerTx, req *sip.Request) {
			requests++
			challenge := fmt.Sprintf(`Digest realm="r", nonce="n%d", qop="auth"`, requests)
			switch {
			case requests > 1+row.stale:
				_ = tx.Respond(NewResponse(req, 200, "", "tag"))
				return
			case requests > 1:
				challenge += ", stale=TRUE"
			}
			res := NewResponse(req, 401, "", "tag")
			res.AppendHeader(sip.NewHeader("WWW-Authenticate", challenge))
			_ = tx.Respond(res)
		})
		_, got := a.send(Outgoing{Request: request(sip.MESSAGE, "call"), Targets: []Target{b.target()}, Authenticate: true})
		got.want(row.want)
	}
}

func TestProxyAndServerBothChallenge(t *testing.T) {
	a, b := newPhone(t, nil), newPhone(t, nil)
	a.login("secret")
	proxy, server := newGuard(true), newGuard(false)
	b.handle(func(tx *ServerTx, req *sip.Request) {
		if proxy.admits(tx, req) && server.admits(tx, req) {
			_ = tx.Respond(NewResponse(req, 200, "", "tag"))
		}
	})
	_, got := a.send(Outgoing{Request: request(sip.MESSAGE, "call"), Targets: []Target{b.target()}, Authenticate: true})
	got.want(200)
	b.do(func() {
		last := proxy.shown[len(proxy.shown)-1]
		if len(proxy.shown) != 3 || nonceAndCount(last) != "nonce1/2" {
			t.Errorf("the proxy was shown %q", proxy.shown)
		}
	})
}

func TestCredentialsGoOnlyToWhoAsked(t *testing.T) {
	a, asks, other := newPhone(t, nil), newPhone(t, nil), newPhone(t, nil)
	a.login("secret")
	g := newGuard(false)
	asks.handle(func(tx *ServerTx, req *sip.Request) {
		if g.admits(tx, req) {
			_ = tx.Respond(NewResponse(req, 200, "", "tag"))
		}
	})
	_, got := a.send(Outgoing{Request: request(sip.MESSAGE, "1"), Targets: []Target{asks.target()}, Authenticate: true})
	got.want(200)
	seen := make(chan bool, 1)
	other.handle(func(tx *ServerTx, req *sip.Request) {
		seen <- req.GetHeader("Authorization") != nil
		_ = tx.Respond(NewResponse(req, 200, "", "tag"))
	})
	_, got = a.send(Outgoing{Request: request(sip.MESSAGE, "2"), Targets: []Target{other.target()}, Authenticate: true})
	got.want(200)
	if take(t, seen) {
		t.Error("a stranger was shown credentials")
	}
}

func TestNewCredentialsForgetNonces(t *testing.T) {
	a, b := newPhone(t, nil), newPhone(t, nil)
	g := newGuard(false)
	b.handle(func(tx *ServerTx, req *sip.Request) {
		if g.admits(tx, req) {
			_ = tx.Respond(NewResponse(req, 200, "", "tag"))
		}
	})
	for i := range 2 {
		a.login("secret")
		_, got := a.send(Outgoing{Request: request(sip.MESSAGE, fmt.Sprint(i)), Targets: []Target{b.target()}, Authenticate: true})
		got.want(200)
	}
	b.do(func() {
		if len(g.shown) != 4 || g.shown[2] != "" {
			t.Errorf("shown %q", g.shown)
		}
	})
}
