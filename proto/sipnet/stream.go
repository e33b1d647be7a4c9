package sipnet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
)

const (
	maxConns     = 512  // of one endpoint, both ways
	maxQueued    = 1024 // messages that wait for one connection
	dialPatience = 10 * time.Second
	// writePatience bounds one write to a peer that does not read.
	writePatience = 10 * time.Second
	// flushPatience bounds what Close waits for.
	flushPatience = 250 * time.Millisecond
)

// connKey names a connection: the far end, and the name that TLS verified.
type connKey struct {
	transport phone.Transport
	addr      netip.AddrPort
	host      string
}

// conn is one TCP or TLS connection, perhaps still being made. Its writer
// goroutine owns it; a reader goroutine lives inside the writer's life.
type conn struct {
	endpoint *Endpoint
	key      connKey
	queue    chan outgoing
	gone     chan struct{} // closed by the reader when the stream has ended
	why      error         // set by the reader before that
}

type outgoing struct {
	raw   []byte
	later func(error)
}

func (o outgoing) done(err error) {
	if o.later != nil {
		o.later(err)
	}
}

func newConn(e *Endpoint, key connKey) *conn {
	return &conn{endpoint: e, key: key, queue: make(chan outgoing, maxQueued), gone: make(chan struct{})}
}

// sendStream queues a message on the connection to its target, made now if
// there is none. A response whose connection is gone goes to the sent-by port
// (RFC 3261 §18.2.2).
func (e *Endpoint) sendStream(raw []byte, to Target, via *sip.ViaHeader, isResponse bool, later func(error)) (bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false, errClosed
	}
	key := connKey{to.Transport, to.Addr, e.tlsName(to)}
	c := e.conns[key]
	if c == nil && isResponse {
		key.addr = sentByAddr(via, to.Transport, to.Addr.Addr())
		c = e.conns[key]
	}
	if c == nil {
		if len(e.conns) >= maxConns {
			return false, fmt.Errorf("%d connections are open already", maxConns)
		}
		c = newConn(e, key)
		e.conns[key] = c
		e.readers.Go(func() { c.dialAndRun() })
	}
	select {
	case c.queue <- outgoing{raw, later}:
		return true, nil
	default:
		return false, fmt.Errorf("%d messages wait for the connection to %s already", maxQueued, key.addr)
	}
}

// tlsName is the name that the far end's certificate must have; "" stands for
// the address.
func (e *Endpoint) tlsName(t Target) string {
	if t.Transport != phone.TLS {
		return ""
	}
	name := strings.ToLower(t.Host)
	if _, err := netip.ParseAddr(name); err == nil && e.cfg.TLSName != "" {
		name = strings.ToLower(e.cfg.TLSName)
	}
	return name
}

func (c *conn) dialAndRun() {
	ctx, cancel := context.WithTimeout(c.endpoint.ctx, dialPatience)
	defer cancel()
	d := net.Dialer{}
	stream, err := d.DialContext(ctx, "tcp", c.key.addr.String())
	if err != nil {
		c.fail(fmt.Errorf("no connection to %s: %w", c.key.addr, err))
		return
	}
	if c.key.transport == phone.TLS {
		cfg := c.endpoint.cfg.TLS.Clone()
		if cfg.ServerName == "" {
			cfg.ServerName = c.key.host
		}
		if cfg.ServerName == "" {
			cfg.ServerName = c.key.addr.Addr().String()
		}
		secure := tls.Client(stream, cfg)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = stream.Close()
			c.fail(fmt.Errorf("no TLS with %s: %w", c.key.addr, distrust(err)))
			return
		}
		stream = secure
	}
	err = c.run(stream)
	if c.endpoint.ctx.Err() == nil {
		c.endpoint.cfg.Lost(c.target(), err)
	}
}

// distrust says what to do about a certificate that nobody vouches for.
func distrust(err error) error {
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		return fmt.Errorf("%w: give the certificate of whoever signed it as tls_ca_file", err)
	}
	return err
}

func (c *conn) target() Target {
	return Target{Transport: c.key.transport, Addr: c.key.addr, Host: c.key.host}
}

// run reads and writes until the stream or the endpoint ends, and says why it
// did.
func (c *conn) run(stream net.Conn) error {
	e := c.endpoint
	e.readers.Go(func() { c.read(stream) })
	err := c.write(stream)
	_ = stream.Close() // the reader ends with it
	c.fail(err)
	return err
}

// fail takes the connection out of the table and tells those who wait.
func (c *conn) fail(err error) {
	e := c.endpoint
	e.mu.Lock()
	if e.conns[c.key] == c {
		delete(e.conns, c.key)
	}
	e.mu.Unlock()
	for { // nobody queues any more
		select {
		case o := <-c.queue:
			o.done(err)
		default:
			return
		}
	}
}

func (c *conn) write(stream net.Conn) error {
	for {
		select {
		case o := <-c.queue:
			if err := c.writeOne(stream, o, writePatience); err != nil {
				return err
			}
		case <-c.gone:
			if errors.Is(c.why, io.EOF) {
				return fmt.Errorf("the connection to %s was closed", c.key.addr)
			}
			return fmt.Errorf("the connection to %s broke: %w", c.key.addr, c.why)
		case <-c.endpoint.ctx.Done():
			return c.flush(stream)
		}
	}
}

// flush writes what is still queued when the endpoint closes.
func (c *conn) flush(stream net.Conn) error {
	for {
		select {
		case o := <-c.queue:
			if err := c.writeOne(stream, o, flushPatience); err != nil {
				return err
			}
		default:
			return errClosed
		}
	}
}

func (c *conn) writeOne(stream net.Conn, o outgoing, patience time.Duration) error {
	e := c.endpoint
	_ = stream.SetWriteDeadline(time.Now().Add(patience)) // a closed stream tells with the write
	if !isKeepAlive(o.raw) {
		// Shown first: an answer to it can be read before the write returns.
		e.show(e.cfg.Now(), true, c.key.transport, c.key.addr, o.raw)
	}
	_, err := stream.Write(o.raw)
	if err != nil {
		err = fmt.Errorf("the connection to %s broke: %w", c.key.addr, err)
	}
	o.done(err)
	return err
}

func (c *conn) read(stream net.Conn) {
	defer close(c.gone)
	e := c.endpoint
	back := c.target()
	buf := make([]byte, 16384)
	var f framer
	for {
		n, err := stream.Read(buf)
		if err != nil {
			c.why = err
			return
		}
		f.add(buf[:n])
		for {
			raw, err := f.next()
			if err != nil {
				e.countMalformed(f.buf, c.key.addr, err)
				c.why = err
				return
			}
			for range f.pings() {
				c.pong()
			}
			if raw == nil {
				break
			}
			if looksLikeSIP(raw) {
				e.show(e.cfg.Now(), false, c.key.transport, c.key.addr, raw)
			}
			e.receive(raw, c.key.addr, back)
		}
	}
}

// pong answers a keep-alive; when the queue is full the peer sees life enough.
func (c *conn) pong() {
	select {
	case c.queue <- outgoing{raw: []byte("\r\n")}:
	default:
	}
}

// accept takes connections until the listener is closed.
func (e *Endpoint) accept(l net.Listener, t phone.Transport) {
	for {
		stream, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // too many open files: no use in asking at once again
			select {
			case <-e.ctx.Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
			continue
		}
		if !e.take(stream, t) {
			_ = stream.Close()
		}
	}
}

// take starts serving an accepted connection, unless there are too many.
func (e *Endpoint) take(stream net.Conn, t phone.Transport) bool {
	remote := stream.RemoteAddr().(*net.TCPAddr).AddrPort()
	remote = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
	c := newConn(e, connKey{transport: t, addr: remote})
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || len(e.conns) >= maxConns || e.conns[c.key] != nil || t == phone.TLS && !canServe(e.cfg.TLS) {
		return false
	}
	e.conns[c.key] = c
	e.readers.Go(func() { c.serve(stream) })
	return true
}

func (c *conn) serve(stream net.Conn) {
	if c.key.transport == phone.TLS {
		ctx, cancel := context.WithTimeout(c.endpoint.ctx, dialPatience)
		defer cancel()
		secure := tls.Server(stream, c.endpoint.cfg.TLS)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = stream.Close()
			c.fail(fmt.Errorf("no TLS with %s: %w", c.key.addr, err))
			return
		}
		stream = secure
	}
	_ = c.run(stream) // whoever connected may connect again
}

func canServe(cfg *tls.Config) bool {
	return len(cfg.Certificates) > 0 || cfg.GetCertificate != nil || cfg.GetConfigForClient != nil
}
