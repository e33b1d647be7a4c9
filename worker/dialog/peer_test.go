package dialog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"ringmaster/loop"
	"ringmaster/proto/phone"
	"ringmaster/worker/sipua"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 5 * time.Second

// peer is a far end that says exactly what the test makes it say.
type peer struct {
	t    *testing.T
	conn *net.UDPConn
	to   *net.UDPAddr
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &peer{t: t, conn: conn}
}

func (p *peer) port() int { return p.conn.LocalAddr().(*net.UDPAddr).Port }

// next reads the next message and remembers where it came from.
func (p *peer) next() sip.Message {
	p.t.Helper()
	buf := make([]byte, 65536)
	if err := p.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		p.t.Fatal(err)
	}
	n, from, err := p.conn.ReadFromUDP(buf)
	if err != nil {
		p.t.Fatalf("nothing more came: %v", err)
	}
	p.to = from
	msg, err := sip.ParseMessage(buf[:n])
	if err != nil {
		p.t.Fatalf("what came is no SIP: %v\n%s", err, buf[:n])
	}
	return msg
}

// request reads messages until a request of that method comes.
func (p *peer) request(method sip.RequestMethod) *sip.Request {
	p.t.Helper()
	for {
		if req, ok := p.next().(*sip.Request); ok && req.Method == method {
			return req
		}
	}
}

// response reads messages until a response with that status comes.
func (p *peer) response(status int) *sip.Response {
	p.t.Helper()
	for {
		if res, ok := p.next().(*sip.Response); ok && res.StatusCode == status {
			return res
		}
	}
}

func (p *peer) send(msg string) {
	p.t.Helper()
	if _, err := p.conn.WriteToUDP([]byte(msg), p.to); err != nil {
		p.t.Fatal(err)
	}
}

// answer sends a response to req; extra are further header lines, and with tag
// "" the To stays as it came.
func (p *peer) answer(req *sip.Request, status int, tag string, extra ...string) {
	p.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d Whatever\r\n", status)
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		for _, h := range req.GetHeaders(name) {
			value := h.Value()
			if name == "To" && tag != "" && !strings.Contains(value, ";tag=") {
				value += ";tag=" + tag
			}
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	for _, line := range extra {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	p.send(b.String())
}

func (p *peer) contact() string { return fmt.Sprintf("Contact: <sip:peer@127.0.0.1:%d>", p.port()) }

// end is our end, with an observer that writes down what it hears.
type end struct {
	t     *testing.T
	loop  *loop.Loop
	ua    *sipua.UA
	e     *Endpoint
	heard chan string
	kept  map[string]phone.Dialog // the dialogs that are not over, by Call-ID; of the loop
	dead  sync.Once

	incoming chan *Session
	answer   []byte // to offers within the dialog
	refuse   error
}

func newEnd(t *testing.T) *end {
	t.Helper()
	return newEndAt(t, 0)
}

// newEndAt makes an end with a certain port.
func newEndAt(t *testing.T, port int) *end {
	t.Helper()
	n := &end{kept: map[string]phone.Dialog{}, t: t, loop: loop.New(nil), heard: make(chan string, 100), incoming: make(chan *Session, 1)}
	var tokens atomic.Int64
	n.e = NewEndpoint(Config{
		Loop: n.loop, Username: "me", Domain: "example.com",
		NewToken: func() string { return fmt.Sprintf("token%d", tokens.Add(1)) },
		Random:   func(int) int { return 0 },
		Incoming: func(s *Session, _ Invite) Observer {
			n.incoming <- s
			n.heard <- "incoming"
			return n
		},
		Changed: func(d phone.Dialog) {
			if d.Over {
				delete(n.kept, d.SIPCallID)
			} else {
				n.kept[d.SIPCallID] = d
			}
		},
	})
	ua, err := sipua.Listen(n.loop, sipua.Config{Transport: phone.UDP, LocalPort: port, UserAgent: "test", Log: hclog.NewNullLogger()}, n.e)
	if err != nil {
		t.Fatal(err)
	}
	n.ua = ua
	n.e.Use(ua, func(tx *sipua.ServerTx, _ *sip.Request) { respond(tx, 405, "Method Not Allowed") })
	go n.loop.Run()
	t.Cleanup(n.die)
	return n
}

// die ends everything without a word.
func (n *end) die() {
	n.dead.Do(func() {
		n.loop.Stop()
		<-n.loop.Stopped()
		n.ua.Close()
	})
}

// on runs fn on the loop.
func (n *end) on(fn func()) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.loop.Do(ctx, fn); err != nil {
		n.t.Fatal(err)
	}
}

// hears waits for the next thing that the observer was told.
func (n *end) hears(want string) {
	n.t.Helper()
	select {
	case got := <-n.heard:
		if got != want {
			n.t.Fatalf("the observer heard %q, want %q", got, want)
		}
	case <-time.After(patience):
		n.t.Fatalf("the observer never heard %q", want)
	}
}

func (n *end) invite(p *peer) (s *Session) {
	n.t.Helper()
	n.on(func() {
		s = n.e.Invite(URI{sip.Uri{Scheme: "sip", User: "peer", Host: "127.0.0.1", Port: p.port()}}, nil, n)
	})
	return s
}

func (n *end) Offer(netip.Addr) ([]byte, error) { return []byte("offer"), nil }
func (n *end) InviteSent()                      { n.heard <- "sent" }
func (n *end) Progressed(a Answer)              { n.heard <- fmt.Sprint("progressed ", a.Status) }
func (n *end) Accepted(a Answer) []byte {
	n.heard <- fmt.Sprint("accepted ", a.Status)
	return nil
}
func (n *end) AckSent()          { n.heard <- "ack sent" }
func (n *end) Declined(a Answer) { n.heard <- fmt.Sprint("declined ", a.Status) }
func (n *end) Failed(error)      { n.heard <- "failed" }
func (n *end) Acked(body []byte) { n.heard <- "acked " + string(body) }
func (n *end) AckMissing()       { n.heard <- "ack missing" }
func (n *end) Cancelled()        { n.heard <- "cancelled" }
func (n *end) Byed()             { n.heard <- "byed" }
func (n *end) Notified(status int, _ string, over bool) {
	n.heard <- fmt.Sprint("notified ", status, " ", over)
}
func (n *end) Referred(r Referral) (int, string) {
	n.heard <- fmt.Sprint("referred to ", r.To.String(), " ", r.Headers)
	return 0, ""
}
func (n *end) Lost(err error) {
	status := 0
	var refused *phone.Error
	if errors.As(err, &refused) {
		status = refused.Status
	}
	n.heard <- fmt.Sprint("lost ", status)
}
func (n *end) Informed(t string, body []byte) bool {
	n.heard <- "info " + t
	return t == "application/dtmf-relay"
}
func (n *end) Reoffered(body []byte) ([]byte, error) {
	n.heard <- "reoffered " + string(body)
	return n.answer, n.refuse
}
