package registration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringmaster/loop"
	"ringmaster/proto/digest"
	"ringmaster/proto/phone"
	"ringmaster/worker/sipua"
)

// server is a registrar on a socket of its own, with one account, 6001:secret.
type server struct {
	auth *digest.Server
	took chan string // the Contact of each REGISTER that got through
}

func (s *server) Request(tx *sipua.ServerTx, req *sip.Request) {
	secret := func(user string) (phone.Secret, bool) { return phone.NewSecret("secret"), user == "6001" }
	var proof string
	if h := req.GetHeader("Authorization"); h != nil {
		proof = h.Value()
	}
	if _, err := s.auth.Check(proof, "REGISTER", req.Body(), secret); err != nil {
		res := sipua.NewResponse(req, 401, "Unauthorized", "t")
		res.AppendHeader(sip.NewHeader("WWW-Authenticate", s.auth.Challenge(false)))
		_ = tx.Respond(res)
		return
	}
	res := sipua.NewResponse(req, 200, "OK", "t")
	res.AppendHeader(sip.HeaderClone(req.Contact()))
	_ = tx.Respond(res)
	s.took <- req.Contact().Value()
}
func (s *server) Ack(*sip.Request)    {}
func (s *server) Stray(*sip.Response) {}

// listen opens a UA on loopback and closes it with the test.
func listen(t *testing.T, h sipua.Handler) (*sipua.UA, *loop.Loop) {
	t.Helper()
	l := loop.New(nil)
	ua, err := sipua.Listen(l, sipua.Config{Transport: phone.UDP}, h)
	if err != nil {
		t.Fatal(err)
	}
	go l.Run()
	t.Cleanup(func() { l.Stop(); <-l.Stopped(); ua.Close() })
	return ua, l
}

// On real sockets: a wrong password, the right one, a refresh with the nonce
// remembered, and the binding removed.
func TestOnTheWire(t *testing.T) {
	nonces := 0
	s := &server{took: make(chan string, 4)}
	s.auth = digest.NewServer("ringmaster", func() string { nonces++; return fmt.Sprintf("nonce%d", nonces) }, time.Now)
	there, _ := listen(t, s)
	here, l := listen(t, s)
	tokens := 0
	reg := New(Config{
		Loop: l, UA: here, Username: "6001", Domain: fmt.Sprintf("127.0.0.1:%d", there.LocalPort()), Expires: 120,
		NewToken: func() string { tokens++; return fmt.Sprintf("token%d", tokens) },
		Random:   func(int) int { return 0 },
		Report:   func(string, phone.Registration) {},
	})
	outcome := make(chan phone.Registration, 1)
	command := func(password string, give func(func(phone.Registration))) phone.Registration {
		t.Helper()
		err := l.Post(func() {
			if password != "" {
				here.SetCredentials(sipua.Credentials{Username: "6001", Password: phone.NewSecret(password)})
			}
			give(func(r phone.Registration) { outcome <- r })
		})
		if err != nil {
			t.Fatal(err)
		}
		select {
		case r := <-outcome:
			return r
		case <-time.After(10 * time.Second):
			t.Fatal("no outcome")
			return phone.Registration{}
		}
	}
	contact := fmt.Sprintf("sip:6001@127.0.0.1:%d", here.LocalPort())
	if r := command("wrong", reg.Register); r != (phone.Registration{StatusCode: 401, Reason: "Unauthorized"}) {
		t.Errorf("wrong password: %+v", r)
	}
	for _, password := range []string{"secret", ""} {
		if r := command(password, reg.Register); r != (phone.Registration{IsRegistered: true, StatusCode: 200, Reason: "OK", Expires: 120}) {
			t.Errorf("right password: %+v", r)
		}
		if took := <-s.took; !strings.Contains(took, contact) || !strings.Contains(took, "expires=120") {
			t.Errorf("took %s, want %s", took, contact)
		}
	}
	if r := command("", reg.Unregister); r != (phone.Registration{StatusCode: 200, Reason: "OK"}) {
		t.Errorf("unregistered: %+v", r)
	}
	if took := <-s.took; !strings.Contains(took, contact) || !strings.Contains(took, "expires=0") {
		t.Errorf("took %s", took)
	}
	if nonces != 3 { // wrong password twice, then once; the nonce is used again from there
		t.Errorf("%d challenges, want 3", nonces)
	}
}
