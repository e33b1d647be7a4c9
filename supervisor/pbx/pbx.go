package pbx

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/hashicorp/go-hclog"

	"ringmaster/loop"
	"ringmaster/proto/digest"
	"ringmaster/proto/phone"
	"ringmaster/proto/sipnet"
	"ringmaster/proto/siptx"
)

// Config is what a PBX is made of.
type Config struct {
	Addr  netip.AddrPort // zero: 127.0.0.1:5060; with port 0 the kernel chooses one
	Realm string         // of the digest challenges, and a name of the domain; "" means "ringmaster"
	// Users gives the password of a user, and false for somebody who is none.
	// It is called on the PBX's loop and must not block.
	Users func(name string) (phone.Secret, bool)
	Log   hclog.Logger // nil for none
	// Tap is shown every message, in the order of the socket, from any
	// goroutine; Raw is its to keep. It must not block. nil for none.
	Tap      func(phone.SIPMessage)
	Now      func() time.Time // nil: time.Now
	Resolver sipnet.Resolver  // nil: the system's
	Timers   siptx.Timers     // zero: RFC defaults
	// TimerC is how long a phone may ring without a word (RFC 3261 §16.6
	// step 11); zero: 200 s.
	TimerC time.Duration
	// Expires bounds what a registration may ask for. Zero: 10 s to 1 h.
	Expires Limits
}

// Limits are the shortest and the longest life of a registration, in whole
// seconds. A shorter wish is refused with 423, a longer one cut. Max is also
// the default.
type Limits struct{ Min, Max time.Duration }

func (c Config) withDefaults() Config {
	if !c.Addr.IsValid() {
		c.Addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 5060)
	}
	if c.Realm == "" {
		c.Realm = "ringmaster"
	}
	if c.Users == nil {
		c.Users = func(string) (phone.Secret, bool) { return phone.Secret{}, false }
	}
	if c.Log == nil {
		c.Log = hclog.NewNullLogger()
	}
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	if c.TimerC <= 0 {
		c.TimerC = 200 * time.Second
	}
	if c.Expires.Min <= 0 {
		c.Expires.Min = 10 * time.Second
	}
	if c.Expires.Max <= 0 {
		c.Expires.Max = time.Hour
	}
	return c
}

// PBX is a running one. Its exported methods may be called from any
// goroutine; everything else belongs to its loop.
type PBX struct {
	cfg      Config
	loop     *loop.Loop
	endpoint *sipnet.Endpoint
	layer    *siptx.Layer
	names    *names
	own      ownAddrs
	digest   *digest.Server
	bindings *bindings
	expiry   *loop.Timer
	tokenKey [32]byte
}

// Listen binds UDP and TCP on one port and begins to serve. The error says
// why the port cannot be had.
func Listen(cfg Config) (*PBX, error) {
	cfg = cfg.withDefaults()
	p := &PBX{cfg: cfg, loop: loop.New(cfg.Now), bindings: newBindings(cfg.Expires)}
	_, _ = rand.Read(p.tokenKey[:]) // never fails (crypto/rand)
	p.digest = digest.NewServer(cfg.Realm, rand.Text, p.loop.Now)
	p.layer = siptx.NewLayer(p.loop, siptx.Config{Timers: cfg.Timers, Send: p.send, User: user{p}, NewTag: rand.Text})
	ready := make(chan struct{}) // the rest of p is set before the loop sees a message
	var err error
	p.endpoint, err = sipnet.Listen(sipnet.Config{
		Listen: []phone.Transport{phone.UDP, phone.TCP}, Bind: cfg.Addr.Addr(), Port: int(cfg.Addr.Port()),
		Tap: cfg.Tap, Now: p.loop.Now, Log: cfg.Log,
		Undelivered: func(method, branch string, why error) {
			_ = p.loop.Post(func() { p.layer.Undelivered(method, branch, why) }) // as below
		},
		Handle: func(msg sip.Message, back sipnet.Target) {
			<-ready
			// When the loop has ended there is nobody left to hear it.
			_ = p.loop.Post(func() { p.layer.Receive(msg, back) })
		},
	})
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the embedded PBX cannot start on %s: another program has that address, perhaps another run; "+
			"wait for its end, or give --pbx, the phones' domain and the numbers they call another port", cfg.Addr)
	}
	if err != nil {
		return nil, fmt.Errorf("the embedded PBX cannot start on %s: %w", cfg.Addr, err)
	}
	p.own, err = newOwnAddrs(netip.AddrPortFrom(cfg.Addr.Addr(), uint16(p.endpoint.Port())))
	p.names = newNames(p.loop, cfg.Resolver)
	close(ready)
	go p.loop.Run()
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("the embedded PBX cannot find this machine's addresses: %w", err)
	}
	return p, nil
}

// Addr is where it listens, both transports.
func (p *PBX) Addr() netip.AddrPort { return p.own.bound }

// Close closes the sockets without a word to the phones. When it returns, the
// PBX's goroutines have ended.
func (p *PBX) Close() {
	p.endpoint.Close()
	p.names.close()
	p.loop.Stop()
	<-p.loop.Stopped()
}

// Binding is where a user can be reached, for reports.
type Binding struct {
	User    string
	Contact string // the URI as registered
	Expires time.Time
	Source  netip.AddrPort // where the REGISTER came from
}

// Bindings are those of now, by user and then by age. A closed PBX has none.
func (p *PBX) Bindings() []Binding {
	var out []Binding
	if err := p.loop.Do(context.Background(), func() { out = p.bindings.report() }); err != nil {
		return nil // it is closed
	}
	return out
}

// send is the transactions' Sender.
func (p *PBX) send(msg sip.Message, to siptx.Hop, result func(error)) {
	if result == nil {
		result = func(err error) {
			if err != nil {
				p.cfg.Log.Debug("a SIP message could not be sent", "error", err)
			}
		}
	}
	later := func(err error) { _ = p.loop.Post(func() { result(err) }) } // as in Listen
	pending, err := p.endpoint.Send(msg, to.(sipnet.Target), later)
	if !pending {
		p.loop.Defer(func() { result(err) })
	}
}

// user is how the transactions reach the PBX.
type user struct{ p *PBX }

func (u user) Request(tx *siptx.ServerTx, req *sip.Request) { u.p.receive(tx, req) }
func (u user) Ack(req *sip.Request)                         { u.p.passAck(req) }

// Stray drops a late 2xx: a proxy must not pass it on (RFC 6026 §8.9).
func (u user) Stray(*sip.Response) {}
