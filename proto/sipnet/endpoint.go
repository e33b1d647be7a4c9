package sipnet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/hashicorp/go-hclog"

	"ringmaster/proto/phone"
)

// Config is what an endpoint is made of.
type Config struct {
	Listen []phone.Transport // at least one; all on the same port
	Bind   netip.Addr        // zero: every address, IPv4 and IPv6
	Port   int               // 0: the kernel's choice
	// TLS is used both ways. Without a certificate in it nobody can connect
	// over TLS, and the phone is reached through the connections it makes.
	TLS *tls.Config
	// TLSName is the name that TLS verifies where a target is named by its
	// address alone, as in the Contact of a server that was found by name; ""
	// means the address.
	TLSName string
	// Tap is shown every message, in the order of the socket, from any
	// goroutine; Raw is its to keep. It must not block.
	Tap func(phone.SIPMessage)
	// Handle gets every well-formed message from the goroutine that read it,
	// one at a time for each socket. back is where responses to it go; its
	// Source is not set. While Handle blocks, that socket is not read.
	Handle func(msg sip.Message, back Target)
	// Lost is told of a connection that this endpoint had made and that has
	// ended, and why, from any goroutine, after all that came through it; not
	// of one that Close ends. It must not block. nil for none.
	Lost func(to Target, why error)
	// Undelivered is told, from any goroutine, of a request whose datagram
	// the network has given back, and why, as Handle is told of messages. nil
	// for none.
	Undelivered func(method, branch string, why error)
	Now         func() time.Time
	Log         hclog.Logger
}

// Endpoint is the sockets. Its methods may be called from any goroutine.
type Endpoint struct {
	cfg       Config
	port      int
	udp       *udpSocket
	listeners []net.Listener
	parser    *sip.Parser
	sources   sources
	malformed atomic.Uint64

	ctx     context.Context //nolint:containedctx // the endpoint's life, ended by Close; not a request's
	cancel  context.CancelFunc
	readers sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[connKey]*conn
}

var errClosed = errors.New("the phone's SIP socket is closed")

// Listen binds the sockets and begins to read them. The error is a
// *phone.Error: Precondition, naming the port, when it is taken or not
// permitted; Invalid for a transport that does not exist.
func Listen(cfg Config) (*Endpoint, error) {
	if len(cfg.Listen) == 0 {
		return nil, phone.Errorf(phone.Invalid, "an endpoint listens on at least one of udp, tcp and tls")
	}
	for _, t := range cfg.Listen {
		if t != phone.UDP && t != phone.TCP && t != phone.TLS {
			return nil, phone.Errorf(phone.Invalid, "transport %.20q is not known: use udp, tcp or tls", t)
		}
	}
	if cfg.Tap == nil {
		cfg.Tap = func(phone.SIPMessage) {}
	}
	if cfg.Lost == nil {
		cfg.Lost = func(Target, error) {}
	}
	if cfg.Undelivered == nil {
		cfg.Undelivered = func(string, string, error) {}
	}
	if cfg.TLS == nil {
		cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	e := &Endpoint{cfg: cfg, parser: newParser(), conns: make(map[connKey]*conn)}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	if err := e.bind(); err != nil {
		e.cancel()
		return nil, err
	}
	if e.udp != nil {
		e.readers.Go(e.udp.read)
	}
	for i, t := range e.streams() {
		e.readers.Go(func() { e.accept(e.listeners[i], t) })
	}
	return e, nil
}

// bindTries is how often the kernel may choose a port that is free for the
// first transport and taken for another.
const bindTries = 20

func (e *Endpoint) bind() error {
	for try := 1; ; try++ {
		err := e.bindOnce()
		if err == nil {
			return nil
		}
		e.closeSockets()
		if e.cfg.Port != 0 || !errors.Is(err, syscall.EADDRINUSE) || try == bindTries {
			return bindError(e.cfg.Port, err)
		}
	}
}

func (e *Endpoint) bindOnce() error {
	e.port, e.listeners = e.cfg.Port, nil
	for _, t := range e.cfg.Listen {
		var host string
		if e.cfg.Bind.IsValid() {
			host = e.cfg.Bind.String()
		}
		addr := net.JoinHostPort(host, fmt.Sprint(e.port))
		if t == phone.UDP {
			c, err := net.ListenPacket("udp", addr)
			if err != nil {
				return err
			}
			e.udp = newUDPSocket(e, c.(*net.UDPConn))
			e.port = c.LocalAddr().(*net.UDPAddr).Port
			continue
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		e.listeners = append(e.listeners, l)
		e.port = l.Addr().(*net.TCPAddr).Port
	}
	return nil
}

// portError is a phone's error that keeps its cause.
type portError struct {
	told  *phone.Error
	cause error
}

func (e *portError) Error() string { return e.told.Error() }

func (e *portError) Unwrap() []error { return []error{e.told, e.cause} }

// bindError says what a phone can do about a port that it cannot have.
func bindError(port int, err error) error {
	return &portError{bindSentence(port, err), err}
}

func bindSentence(port int, err error) *phone.Error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return phone.Errorf(phone.Precondition, "SIP port %d is in use: choose another local_port, or 0 for a free one", port)
	case errors.Is(err, syscall.EACCES):
		return phone.Errorf(phone.Precondition, "SIP port %d is not permitted to this user: choose one above 1023, or 0 for a free one", port)
	default:
		return phone.Errorf(phone.Precondition, "SIP port %d cannot be bound: %v", port, err)
	}
}

func (e *Endpoint) streams() []phone.Transport {
	var out []phone.Transport
	for _, t := range e.cfg.Listen {
		if t != phone.UDP {
			out = append(out, t)
		}
	}
	return out
}

// Port is the bound port.
func (e *Endpoint) Port() int { return e.port }

// Malformed is how many messages were thrown away because they could not be
// read.
func (e *Endpoint) Malformed() uint64 { return e.malformed.Load() }

// Source is the local address that the kernel picks towards remote, or the
// one that the endpoint is bound to.
func (e *Endpoint) Source(remote netip.Addr) (netip.Addr, error) {
	if e.cfg.Bind.IsValid() && !e.cfg.Bind.IsUnspecified() {
		return e.cfg.Bind, nil
	}
	return e.sources.towards(remote, e.cfg.Now())
}

// Send sends a message as it is now. When pending is false, err says whether
// it has left. When pending is true it is on its way, perhaps waiting for a
// connection, and later is called once, from another goroutine, with the
// same news. later may be nil.
func (e *Endpoint) Send(msg sip.Message, to Target, later func(error)) (pending bool, err error) {
	raw := encode(msg)
	if to.Transport != phone.UDP {
		_, isResponse := msg.(*sip.Response)
		return e.sendStream(raw, to, msg.Via(), isResponse, later)
	}
	if e.udp == nil {
		return false, errors.New("this endpoint has no UDP socket: use a target of the transport that it listens on")
	}
	return false, e.udp.write(raw, to.Addr)
}

// receive takes one message as read from a socket.
func (e *Endpoint) receive(raw []byte, from netip.AddrPort, back Target) {
	msg, err := parse(e.parser, raw)
	if err != nil {
		e.countMalformed(raw, from, err)
		return
	}
	msg.SetTransport(sip.NetworkToUpper(string(back.Transport)))
	msg.SetSource(from.String())
	if req, ok := msg.(*sip.Request); ok {
		markReceived(req.Via(), from)
		if back.Transport == phone.UDP {
			back.Addr = replyAddr(req.Via(), from)
		}
	}
	e.cfg.Handle(msg, back)
}

// countMalformed logs the first few and then ever fewer, so that a flood of
// rubbish does not become a flood of log lines.
func (e *Endpoint) countMalformed(raw []byte, from netip.AddrPort, err error) {
	n := e.malformed.Add(1)
	if n > 10 && n&(n-1) != 0 {
		return
	}
	e.cfg.Log.Debug("malformed SIP message", "from", from.String(), "bytes", len(raw),
		"begins", fmt.Sprintf("%.60q", raw), "error", fmt.Sprintf("%.120v", err), "total", n)
}

// show gives a message to the tap.
func (e *Endpoint) show(at time.Time, sent bool, t phone.Transport, remote netip.AddrPort, raw []byte) {
	e.cfg.Tap(phone.SIPMessage{Time: at, Sent: sent, Transport: t, Remote: remote.String(), Raw: raw})
}

func (e *Endpoint) closeSockets() {
	// Nothing to be done about a socket that fails to close.
	if e.udp != nil {
		_ = e.udp.conn.Close()
	}
	for _, l := range e.listeners {
		_ = l.Close()
	}
}

// Close closes every socket and returns when the goroutines have ended. What
// streams had queued is written first, for at most a quarter of a second. It
// must not be called from within Handle, nor while Handle waits for the
// caller.
func (e *Endpoint) Close() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.cancel()
	e.closeSockets()
	e.readers.Wait()
}
