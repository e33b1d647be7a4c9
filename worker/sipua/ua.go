package sipua

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/emiago/sipgo/sip"
	"github.com/hashicorp/go-hclog"

	"ringmaster/loop"
	"ringmaster/proto/digest"
	"ringmaster/proto/phone"
	"ringmaster/proto/sipnet"
	"ringmaster/proto/siptx"
)

// Config is what a UA is made of.
type Config struct {
	Transport phone.Transport // listened on, and used where a URI does not say
	LocalPort int             // 0 lets the kernel choose
	UserAgent string          // header User-Agent of requests, Server of responses; "" for none
	TLS       *tls.Config     // both ways; its certificate is needed only to be connected to
	TLSName   string          // verified where a target is named by its address alone; "" means the address
	// Tap is called for every message, in the order of the socket, from any
	// goroutine; Raw is the callee's to keep. It must not block. nil for none.
	Tap func(phone.SIPMessage)
	// Lost is told, on the loop, of a connection that the UA had made and
	// that has ended, and why, after all that came through it. nil for none.
	Lost     func(t Target, why error)
	Resolver Resolver     // nil: the system's
	Timers   siptx.Timers // zero: RFC defaults
	Log      hclog.Logger // nil for none
}

// Resolver is what asks DNS; *net.Resolver is one.
type Resolver = sipnet.Resolver

// Target is one place where a request can be sent. Addr and Transport are
// set; Host is the name that TLS verifies; Source is the local address that
// the kernel picks towards Addr.
type Target = sipnet.Target

// Handler is told of what arrives, on the loop.
type Handler interface {
	// Request is told of a new request, once; never of an ACK or a CANCEL.
	// It must be answered through tx, now or later.
	Request(tx *ServerTx, req *sip.Request)
	// Ack is told of an ACK that no transaction absorbs: that of a 2xx.
	Ack(req *sip.Request)
	// Stray is told of a 2xx to INVITE whose transaction is over.
	Stray(res *sip.Response)
}

// UA is a phone's SIP socket and what stands on it.
type UA struct {
	cfg      Config
	loop     *loop.Loop
	handler  Handler
	endpoint *sipnet.Endpoint
	layer    *siptx.Layer
	resolver Resolver

	credentials *Credentials
	digest      *digest.Client
	challenged  map[challenger]bool // who has had a challenge answered

	ctx     context.Context //nolint:containedctx // the UA's life, ended by Close; not a request's
	cancel  context.CancelFunc
	lookups sync.WaitGroup
	pending int // lookups now running
}

// Listen binds the socket and starts listening. When the port is taken the
// error is a *phone.Error of kind Precondition that names it. l must be
// running, or be run soon; h hears of nothing before that.
func Listen(l *loop.Loop, cfg Config, h Handler) (*UA, error) {
	if cfg.Log == nil {
		cfg.Log = hclog.NewNullLogger()
	}
	u := &UA{cfg: cfg, loop: l, handler: h, resolver: cfg.Resolver, challenged: make(map[challenger]bool)}
	if u.resolver == nil {
		u.resolver = net.DefaultResolver
	}
	u.ctx, u.cancel = context.WithCancel(context.Background())
	u.layer = siptx.NewLayer(l, siptx.Config{
		Timers: cfg.Timers, Send: u.send, User: user{u}, NewTag: rand.Text, RefuseMerged: true,
	})
	ready := make(chan struct{}) // u.endpoint is set before the loop can see a message
	var err error
	u.endpoint, err = sipnet.Listen(sipnet.Config{
		Listen: []phone.Transport{cfg.Transport}, Port: cfg.LocalPort, TLS: cfg.TLS,
		TLSName: cfg.TLSName, Tap: cfg.Tap, Now: l.Now, Log: cfg.Log,
		Lost: func(t Target, why error) {
			if cfg.Lost != nil {
				_ = l.Post(func() { cfg.Lost(t, why) }) // as below
			}
		},
		Undelivered: func(method, branch string, why error) {
			_ = l.Post(func() { u.layer.Undelivered(method, branch, why) }) // as below
		},
		Handle: func(msg sip.Message, back sipnet.Target) {
			<-ready
			// When the loop has ended there is nobody left to hear it.
			_ = l.Post(func() { u.layer.Receive(msg, back) })
		},
	})
	if err != nil {
		u.cancel()
		return nil, err
	}
	close(ready)
	return u, nil
}

// LocalPort is the bound port.
func (u *UA) LocalPort() int { return u.endpoint.Port() }

// Close closes the sockets; when it returns, the goroutines are gone. It is
// not called from the loop. Transactions that were open end without a word.
func (u *UA) Close() {
	u.cancel()
	u.endpoint.Close()
	u.lookups.Wait()
	_ = u.loop.Post(u.layer.Close) // an ended loop has no transactions
}

// user is how the transactions reach the UA's handler.
type user struct{ u *UA }

func (h user) Request(tx *siptx.ServerTx, req *sip.Request) {
	h.u.handler.Request(&ServerTx{tx: tx, ua: h.u}, req)
}
func (h user) Ack(req *sip.Request)    { h.u.handler.Ack(req) }
func (h user) Stray(res *sip.Response) { h.u.handler.Stray(res) }

// send is the transactions' Sender.
func (u *UA) send(msg sip.Message, to siptx.Hop, result func(error)) {
	u.sign(msg)
	if result == nil {
		result = func(err error) {
			if err != nil {
				u.cfg.Log.Debug("a SIP message could not be sent", "error", err)
			}
		}
	}
	later := func(err error) { _ = u.loop.Post(func() { result(err) }) } // as in Listen
	pending, err := u.endpoint.Send(msg, to.(Target), later)
	if !pending {
		u.loop.Defer(func() { result(err) })
	}
}

// sign adds the name of the software.
func (u *UA) sign(msg sip.Message) {
	name := "User-Agent"
	if _, ok := msg.(*sip.Response); ok {
		name = "Server"
	}
	if u.cfg.UserAgent != "" && len(msg.GetHeaders(name)) == 0 {
		msg.AppendHeader(sip.NewHeader(name, u.cfg.UserAgent))
	}
}

// source is the local address towards t.
func (u *UA) source(t Target) (netip.Addr, error) {
	if t.Source.IsValid() {
		return t.Source, nil
	}
	return u.endpoint.Source(t.Addr.Addr())
}

// LocalAddr is the address that datagrams to remote leave from, and those from
// it arrive at.
func (u *UA) LocalAddr(remote netip.Addr) (netip.AddrPort, error) {
	addr, err := u.endpoint.Source(remote)
	return netip.AddrPortFrom(addr, uint16(u.LocalPort())), err
}

// Contact is this phone's address as seen from t; user is a username, see
// User. Without a route there it
// has no usable host; sending to t then fails too.
func (u *UA) Contact(user string, t Target) sip.Uri {
	uri := sip.Uri{Scheme: "sip", User: User(user), Host: u.hostTowards(t), Port: u.LocalPort()}
	if u.cfg.Transport != phone.UDP {
		uri.UriParams = sip.HeaderParams{{K: "transport", V: string(u.cfg.Transport)}}
	}
	return uri
}

func (u *UA) hostTowards(t Target) string {
	addr, err := u.source(t)
	if err != nil {
		return "0.0.0.0"
	}
	return addr.WithZone("").String()
}

// via makes the top Via of a request to t, with a new branch.
func (u *UA) via(t Target) *sip.ViaHeader {
	return &sip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: sip.NetworkToUpper(string(t.Transport)),
		Host: u.hostTowards(t), Port: u.LocalPort(),
		Params: sip.HeaderParams{{K: "rport"}, {K: "branch", V: sip.RFC3261BranchMagicCookie + rand.Text()}},
	}
}

// SendAck sends the ACK of a 2xx to t, outside transactions. A Via with a new
// branch is added when it has none, so that the same ACK can be given again.
// The error says what is wrong with the request.
func (u *UA) SendAck(ack *sip.Request, t Target) error {
	if ack.Via() == nil {
		ack.PrependHeader(u.via(t))
	}
	if err := u.layer.SendAlone(ack, t); err != nil {
		return phone.Errorf(phone.Invalid, "the ACK cannot be sent: %v", err)
	}
	return nil
}

// unreachable says that a request got nowhere; its status is the one that such
// an end counts as (RFC 3261 §8.1.3.1).
func unreachable(req *sip.Request, t Target, err error) error {
	failed := phone.Errorf(phone.Unreachable, "%s to %s (%s) failed: %v", req.Method, t.Addr, t.Transport, err)
	if failed.Status = 503; errors.Is(err, siptx.ErrTimeout) {
		failed.Status = 408
	}
	return failed
}

func noTarget(req *sip.Request) error {
	return fmt.Errorf("%s has nowhere to go", req.Method)
}
