package digest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ringmaster/proto/phone"
)

// fixed makes a client whose cnonces are the given ones, in turn.
func fixed(user, password, realm string, cnonces ...string) *Client {
	next := 0
	return NewClient(user, phone.NewSecret(password), realm, func() string {
		next++
		return cnonces[(next-1)%len(cnonces)]
	})
}

func parse(t *testing.T, header string) params {
	t.Helper()
	p, err := parseParams(header)
	if err != nil {
		t.Fatalf("%s: %v", header, err)
	}
	return p
}

const bobSDP = "v=0\r\no=bob 2890844526 2890844526 IN IP4 media.biloxi.com\r\ns=-\r\nc=IN IP4 media.biloxi.com\r\nt=0 0\r\n" +
	"m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 51372 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\n" +
	"m=video 53000 RTP/AVP 32\r\na=rtpmap:32 MPV/90000\r\n"

func TestPublishedResponses(t *testing.T) {
	const (
		rfc7616 = `Digest realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", algorithm=`
		mufasa  = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
		biloxi  = `Digest realm="biloxi.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`
	)
	for _, row := range []struct {
		source, challenge, user, password, method, uri, cnonce, body, want string
	}{
		{"RFC 2617 §3.5", `Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`,
			"Mufasa", "Circle Of Life", "GET", "/dir/index.html", "0a4f113b", "", "6629fae49393a05397450978507c4ef1"},
		{"RFC 7616 §3.9.1 MD5", rfc7616 + "MD5", "Mufasa", "Circle of Life", "GET", "/dir/index.html", mufasa, "", "8ca523f5e9506fed4657c9700eebdbec"},
		{"RFC 7616 §3.9.1 SHA-256", rfc7616 + "SHA-256", "Mufasa", "Circle of Life", "GET", "/dir/index.html", mufasa, "",
			"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
		{"RFC 7616 §3.9.2 as corrected by erratum 4897", `Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true`,
			"Jäsøn Doe", "Secret, or not?", "GET", "/doe.json", "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", "",
			"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"},
		{"draft-smith-sipping-auth-examples-01 §3.1", biloxi, "bob", "zanzibar", "INVITE", "sip:bob@biloxi.com", "0a4f113b", bobSDP, "bf57e4e0d0bffc0fbaedce64d59add5e"},
		{"… §3.2", biloxi + `, qop="auth,auth-int"`, "bob", "zanzibar", "INVITE", "sip:bob@biloxi.com", "0a4f113b", bobSDP, "89eb0059246c02b2f6ee02c7961d5ea3"},
		{"… §3.4", biloxi + `, qop="auth", algorithm=MD5-sess`, "bob", "zanzibar", "INVITE", "sip:bob@biloxi.com", "0a4f113b", bobSDP, "e4e4ea61d186d07a92c9e1f6919902e9"},
		{"… §3.5", biloxi + `, qop="auth-int", algorithm=MD5`, "bob", "zanzibar", "INVITE", "sip:bob@biloxi.com", "0a4f113b", bobSDP, "bdbeebb2da6adb6bca02599c2239e192"},
		{"… §3.6", biloxi + `, qop=auth-int, algorithm="md5-sess"`, "bob", "zanzibar", "INVITE", "sip:bob@biloxi.com", "0a4f113b", bobSDP, "91984da2d8663716e91554859c22ca70"},
		{"auth-int without a body", biloxi + `, qop="auth-int"`, "bob", "zanzibar", "INVITE", "sip:bob@biloxi.com", "0a4f113b", "", "2d6fc6e788367208f746582b18a69618"},
	} {
		t.Run(row.source, func(t *testing.T) {
			header, err := fixed(row.user, row.password, "", row.cnonce).Answer([]string{row.challenge}, false, row.method, row.uri, []byte(row.body))
			if err != nil {
				t.Fatal(err)
			}
			given, asked := parse(t, header), parse(t, row.challenge)
			if given["response"] != row.want {
				t.Errorf("response %s, want %s\n%s", given["response"], row.want, header)
			}
			for _, echoed := range []string{"realm", "nonce", "opaque", "algorithm"} {
				if given[echoed] != asked[echoed] {
					t.Errorf("%s is %q, was %q", echoed, given[echoed], asked[echoed])
				}
			}
			_, counted := given["nc"]
			if _, wanted := asked["qop"]; counted != wanted {
				t.Errorf("nc present: %v, qop offered: %v", counted, wanted)
			}
		})
	}
}

func TestChoiceOfChallenge(t *testing.T) {
	md5 := `Digest realm="r", nonce="m", algorithm=MD5, qop="auth"`
	sha := `Digest realm="r", nonce="s", algorithm=SHA-256, qop="auth"`
	sha512 := `Digest realm="r", nonce="t", algorithm=SHA-512-256, qop="auth"`
	aka := `Digest realm="r", nonce="a", algorithm=AKAv1-MD5, qop="auth"`
	other := `Digest realm="elsewhere", nonce="o", algorithm=SHA-256`
	for _, row := range []struct {
		name   string
		offers []string
		nonce  string // "" when none is usable
		names  string // in the error
	}{
		{"strongest though last", []string{md5, sha, sha512}, "t", ""},
		{"strongest though first", []string{sha, md5}, "s", ""},
		{"among equals the first", []string{md5, `Digest realm="r", nonce="m2"`}, "m", ""},
		{"AKA skipped", []string{aka, md5}, "m", ""},
		{"another realm skipped", []string{other, md5}, "m", ""},
		{"another scheme skipped", []string{`NTLM realm="r"`, md5}, "m", ""},
		{"unreadable skipped", []string{`Digest realm="r`, md5}, "m", ""},
		{"AKA only", []string{aka}, "", "AKAv1-MD5"},
		{"another realm only", []string{other}, "", "elsewhere"},
		{"another scheme only", []string{`Basic realm="r"`}, "", "Basic"},
		{"unknown qop only", []string{`Digest realm="r", nonce="n", qop="auth-conf"`}, "", "auth-conf"},
		{"no nonce", []string{`Digest realm="r"`}, "", "nonce"},
		{"none", nil, "", "nothing"},
	} {
		t.Run(row.name, func(t *testing.T) {
			header, err := fixed("u", "p", "r", "c").Answer(row.offers, true, "REGISTER", "sip:r", nil)
			if row.nonce == "" {
				if !errors.Is(err, ErrNoUsableChallenge) || !strings.Contains(err.Error(), row.names) {
					t.Fatalf("%q, %v: want ErrNoUsableChallenge naming %s", header, err, row.names)
				}
				return
			}
			if err != nil || parse(t, header)["nonce"] != row.nonce {
				t.Fatalf("%s, %v: want nonce %s", header, err, row.nonce)
			}
		})
	}
}

func TestQOPChoice(t *testing.T) {
	for offered, want := range map[string]string{
		"auth": "auth", "auth-int": "auth-int", "auth-int, auth": "auth", " AUTH-INT ,token": "auth-int", "": "", " , ": "", "token": "-",
	} {
		got, ok := chooseQOP(offered)
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", offered, got, want)
		}
	}
}

func TestNonceIsCountedAndReused(t *testing.T) {
	c := fixed("u", "p", "*", "c1", "c2", "c3", "c4")
	if _, ok := c.Again(false, "REGISTER", "sip:r", nil); ok {
		t.Fatal("answered before any challenge")
	}
	challenge := []string{`Digest realm="r", nonce="n1", qop="auth", opaque=""`}
	check := func(header, nonce string, nc int, cnonce string) {
		t.Helper()
		p := parse(t, header)
		if p["nonce"] != nonce || p["nc"] != fmt.Sprintf("%08x", nc) || p["cnonce"] != cnonce {
			t.Errorf("%s: want nonce %s, nc %d, cnonce %s", header, nonce, nc, cnonce)
		}
	}
	first, err := c.Answer(challenge, false, "REGISTER", "sip:r", nil)
	if err != nil {
		t.Fatal(err)
	}
	check(first, "n1", 1, "c1")
	if !strings.Contains(first, `opaque=""`) {
		t.Errorf("%s: the empty opaque is not echoed", first)
	}
	if _, ok := c.Again(true, "REGISTER", "sip:r", nil); ok {
		t.Error("a registrar's nonce was offered to a proxy")
	}
	second, _ := c.Again(false, "REGISTER", "sip:r", nil)
	check(second, "n1", 2, "c2")

	// The same nonce for a request that went out without credentials.
	third, err := c.Answer(challenge, false, "MESSAGE", "sip:x@r", nil)
	if err != nil {
		t.Fatal(err)
	}
	check(third, "n1", 3, "c3")

	// A new nonce, then stale with the old one: both answered.
	fourth, err := c.Answer([]string{`Digest realm="r", nonce="n2", qop="auth"`}, false, "MESSAGE", "sip:x@r", nil)
	if err != nil {
		t.Fatal(err)
	}
	check(fourth, "n2", 1, "c4")
	if _, err = c.Answer([]string{`Digest realm="r", nonce="n2", qop="auth", stale=TRUE`}, false, "MESSAGE", "sip:x@r", nil); err != nil {
		t.Error(err)
	}

	// The same request, the same nonce, not stale: refused, and forgotten.
	if _, err = c.Answer([]string{`Digest realm="r", nonce="n2", qop="auth"`}, false, "MESSAGE", "sip:x@r", nil); !errors.Is(err, ErrRefused) {
		t.Errorf("%v, want ErrRefused", err)
	}
	if _, ok := c.Again(false, "MESSAGE", "sip:x@r", nil); ok {
		t.Error("a refused nonce is used again")
	}
}

func TestSessionKeyKeepsItsCnonce(t *testing.T) {
	c := fixed("u", "p", "", "c1", "c2")
	_, err := c.Answer([]string{`Digest realm="r", nonce="n", algorithm=SHA-256-sess, qop=auth`}, false, "REGISTER", "sip:r", nil)
	if err != nil {
		t.Fatal(err)
	}
	header, _ := c.Again(false, "REGISTER", "sip:r", nil)
	if p := parse(t, header); p["cnonce"] != "c1" || p["nc"] != "00000002" {
		t.Error(header)
	}
}

func TestRememberedNoncesAreBounded(t *testing.T) {
	c := fixed("u", "p", "", "c")
	for i := range 3 * maxRemembered {
		if _, err := c.Answer([]string{fmt.Sprintf(`Digest realm="r%d", nonce="n"`, i)}, false, "INVITE", "sip:r", nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.remembered) != maxRemembered {
		t.Errorf("%d remembered, want %d", len(c.remembered), maxRemembered)
	}
}

func TestQuoting(t *testing.T) {
	const realm = `a "quoted", back\slashed realm é`
	header, err := fixed(`dom\user"1`, "p", realm, "c").Answer(
		[]string{`Digest realm="a \"quoted\", back\\slashed realm é",nonce="a,b=c" , opaque="x\"y"`}, false, "REGISTER", "sip:r", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`username="dom\\user\"1"`, `realm="a \"quoted\", back\\slashed realm é"`, `nonce="a,b=c"`, `opaque="x\"y"`} {
		if !strings.Contains(header, want) {
			t.Errorf("%s lacks %s", header, want)
		}
	}
	if _, err = fixed("u\r\nEvil: 1", "p", "", "c").Answer([]string{`Digest realm="r", nonce="n"`}, false, "REGISTER", "sip:r", nil); err == nil {
		t.Error("a line break in the user name was written")
	}
	if strings.Contains(header, `"p"`) {
		t.Error("the password is shown")
	}
}

func TestReadingParameters(t *testing.T) {
	for header, want := range map[string]params{
		`Digest realm="a", nonce=b`:                   {"realm": "a", "nonce": "b"},
		"digest\tREALM = a.b_c/d ,, nonce = \"n\" , ": {"realm": "a.b_c/d", "nonce": "n"},
		`Digest a=1, a=2`:                             {"a": "1"},
		`Digest a="", b=`:                             {"a": "", "b": ""},
		`Digest`:                                      {},
		`Digest realm`:                                nil,
		`Digest =x`:                                   nil,
		`Digest realm="a" nonce="b"`:                  nil,
		`Digest realm=a b`:                            nil,
		`Digest realm="a`:                             nil,
		`Digest realm="a\`:                            nil,
		`Basic realm="a"`:                             nil,
		"Digest realm=\"a\r\nEvil: x\"":               nil,
		"":                                            nil,
		`Digest a="` + strings.Repeat("x", 9000) + `"`: nil,
	} {
		got, err := parseParams(header)
		if (err != nil) != (want == nil) || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%.60q: %v, %v; want %v", header, got, err, want)
		}
	}
}
