package pbx

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringmaster/loop"
	"ringmaster/proto/digest"
	"ringmaster/proto/phone"
	"ringmaster/proto/sipnet"
)

// registers sends a REGISTER with credentials and gives the contacts of its
// 200.
func (n *peer) registers(lines ...string) []string {
	n.t.Helper()
	n.askProven("REGISTER", "sip:"+n.pbx, append([]string{"To: <" + n.aor(n.user) + ">"}, lines...)...)
	var out []string
	for _, h := range n.response(200, sip.REGISTER).GetHeaders("Contact") {
		out = append(out, h.Value())
	}
	return out
}

func (n *peer) expect(got []string, want ...string) {
	n.t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		n.t.Fatalf("contacts\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestARegistrarKeepsContacts(t *testing.T) {
	p := start(t, nil)
	n := newPeer(t, p, "a", "udp")
	n.expect(n.registers("Contact: <sip:a@192.0.2.1>;expires=60;q=0.5"), "<sip:a@192.0.2.1>;q=0.5;expires=60")
	n.expect(n.registers("Contact: <sip:a@192.0.2.2>", "Expires: 120"),
		"<sip:a@192.0.2.1>;q=0.5;expires=60", "<sip:a@192.0.2.2>;expires=120")
	// Expires longer than the longest is cut, and no wish gets the longest.
	n.expect(n.registers("Contact: <sip:a@192.0.2.1>;expires=99999, <sip:a@192.0.2.2>"),
		"<sip:a@192.0.2.1>;expires=3600", "<sip:a@192.0.2.2>;expires=3600")
	n.expect(n.registers("Contact: <sip:a@192.0.2.2>;expires=0"), "<sip:a@192.0.2.1>;expires=3600")
	if got := p.Bindings(); len(got) != 1 || got[0].User != "a" || got[0].Contact != "sip:a@192.0.2.1" || got[0].Source.String() != n.addr() {
		t.Fatalf("bindings %+v", got)
	}
	n.expect(n.registers("Contact: *", "Expires: 0"))
	if got := p.Bindings(); len(got) != 0 {
		t.Fatalf("bindings %+v after *", got)
	}
}

func TestAFetchChangesNothing(t *testing.T) {
	p := start(t, nil)
	n := newPeer(t, p, "a", "udp")
	n.register()
	n.expect(n.registers("Contact:"), n.contact()+";expires=3600")
	n.expect(n.registers("Contact:", "Expires: 0"), n.contact()+";expires=3600")
}

func TestWhatARegistrarRefuses(t *testing.T) {
	p := start(t, nil)
	self := p.Addr().String()
	ten := make([]string, 11)
	for i := range ten {
		ten[i] = fmt.Sprintf("<sip:a@192.0.2.%d>", i+1)
	}
	tests := []struct {
		name   string
		lines  []string
		status int
		header string
	}{
		{"too short", []string{"Contact: <sip:a@192.0.2.1>;expires=9"}, 423, "Min-Expires: 10"},
		{"star with another", []string{"Contact: *, <sip:a@192.0.2.1>", "Expires: 0"}, 400, ""},
		{"star without Expires", []string{"Contact: *"}, 400, ""},
		{"no sip", []string{"Contact: <tel:+358>"}, 400, ""},
		{"ourselves", []string{"Contact: <sip:b@" + self + ">"}, 403, ""},
		{"somebody else", []string{"To: <sip:b@" + self + ">"}, 403, ""},
		{"more than ten", []string{"Contact: " + strings.Join(ten, ", ")}, 403, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := newPeer(t, p, "a", "udp")
			lines := append([]string{"To: <" + n.aor("a") + ">"}, test.lines...)
			n.askProven("REGISTER", "sip:"+n.pbx, lines...)
			res := n.response(test.status, sip.REGISTER)
			if name, value, ok := strings.Cut(test.header, ": "); ok && res.GetHeader(name).Value() != value {
				t.Errorf("%s: %s, want %s", name, res.GetHeader(name).Value(), value)
			}
			if got := p.Bindings(); len(got) != 0 {
				t.Errorf("it bound %+v", got)
			}
		})
	}
	t.Run("an extension", func(t *testing.T) {
		n := newPeer(t, p, "a", "udp")
		n.ask("REGISTER", "sip:"+n.pbx, "Require: path, outbound")
		if got := n.response(420, sip.REGISTER).GetHeader("Unsupported").Value(); got != "path, outbound" {
			t.Errorf("Unsupported: %s", got)
		}
	})
	t.Run("another domain", func(t *testing.T) {
		n := newPeer(t, p, "a", "udp")
		n.ask("REGISTER", "sip:192.0.2.9")
		n.response(403, sip.REGISTER)
	})
}

func TestAWrongPasswordIsChallengedAgain(t *testing.T) {
	p := start(t, nil)
	for _, name := range []string{"a", "nobody"} {
		n := newPeer(t, p, name, "udp")
		n.digest = digest.NewClient(name, phone.NewSecret("wrong"), "", func() string { return "cnonce" })
		n.askProven("REGISTER", "sip:"+n.pbx, "To: <"+n.aor(name)+">")
		if got := n.response(401, sip.REGISTER).GetHeader("WWW-Authenticate").Value(); strings.Contains(got, "stale") {
			t.Errorf("%s is told that only the nonce is old: %s", name, got)
		}
	}
}

func TestANonceIsNotUsedTwice(t *testing.T) {
	p := start(t, nil)
	n := newPeer(t, p, "a", "udp")
	n.register()
	n.ask("REGISTER", "sip:"+n.pbx)
	first := n.response(401, sip.REGISTER)
	value, err := n.digest.Answer([]string{first.GetHeader("WWW-Authenticate").Value()}, false, "REGISTER", "sip:"+n.pbx, nil)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"To: <" + n.aor("a") + ">", "Authorization: " + value}
	n.ask("REGISTER", "sip:"+n.pbx, lines...)
	n.response(200, sip.REGISTER)
	n.ask("REGISTER", "sip:"+n.pbx, lines...)
	if got := n.response(401, sip.REGISTER).GetHeader("WWW-Authenticate").Value(); !strings.HasSuffix(got, "stale=true") {
		t.Errorf("no stale in %s", got)
	}
}

func TestARegistrationKeepsOrder(t *testing.T) {
	p := start(t, nil)
	n := newPeer(t, p, "a", "udp")
	n.register()
	n.cseq -= 2
	n.askProven("REGISTER", "sip:"+n.pbx, "To: <"+n.aor("a")+">", "Contact: "+n.contact()+";expires=0")
	n.response(500, sip.REGISTER) // the CSeq that made the binding
	if len(p.Bindings()) != 1 {
		t.Error("an old request removed the binding")
	}
}

func TestABindingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &PBX{loop: loop.New(nil), bindings: newBindings(Limits{time.Second, time.Hour})}
		go p.loop.Run()
		defer func() { p.loop.Stop(); <-p.loop.Stopped() }()
		err := p.loop.Do(t.Context(), func() {
			for i, life := range []int{30, 10, 20} {
				req := registerRequest(t, fmt.Sprintf("Contact: <sip:a@192.0.2.%d>;expires=%d", i, life))
				if why := p.bindings.update("a", req, sipnet.Target{}, p.loop.Now()); why != nil {
					t.Error(why)
				}
			}
			p.armExpiry()
		})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for _, step := range []struct {
			second, left int
		}{{9, 3}, {10, 2}, {19, 2}, {20, 1}, {29, 1}, {30, 0}} {
			<-time.After(time.Until(began.Add(time.Duration(step.second) * time.Second)))
			synctest.Wait()
			if got := len(p.Bindings()); got != step.left {
				t.Errorf("%d bindings after %d s, want %d", got, step.second, step.left)
			}
		}
	})
}

func registerRequest(t *testing.T, lines ...string) *sip.Request {
	t.Helper()
	msg, err := sip.ParseMessage([]byte("REGISTER sip:pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n" +
		"From: <sip:a@pbx.test>;tag=1\r\nTo: <sip:a@pbx.test>\r\nCall-ID: one\r\nCSeq: 1 REGISTER\r\n" +
		strings.Join(lines, "\r\n") + "\r\nContent-Length: 0\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return msg.(*sip.Request)
}
