package sipnet

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"ringmaster/proto/phone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// received is one message that reached Handle.
type received struct {
	msg  sip.Message
	back Target
}

// testEndpoint is an endpoint with everything that it handled and showed.
type testEndpoint struct {
	*Endpoint
	t       *testing.T
	handled chan received

	mu    sync.Mutex
	shown []phone.SIPMessage
}

func newEndpoint(t *testing.T, change func(*Config)) *testEndpoint {
	t.Helper()
	e := &testEndpoint{t: t, handled: make(chan received, 10000)}
	cfg := Config{
		Listen: []phone.Transport{phone.UDP, phone.TCP}, Bind: loopback, Now: time.Now, Log: hclog.NewNullLogger(),
		Handle: func(msg sip.Message, back Target) { e.handled <- received{msg, back} },
		Tap: func(m phone.SIPMessage) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.shown = append(e.shown, m)
		},
	}
	if change != nil {
		change(&cfg)
	}
	endpoint, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	e.Endpoint = endpoint
	t.Cleanup(e.Close)
	return e
}

func (e *testEndpoint) target(transport phone.Transport) Target {
	return Target{Transport: transport, Addr: netip.AddrPortFrom(loopback, uint16(e.Port()))}
}

func (e *testEndpoint) next() received {
	e.t.Helper()
	return take(e.t, e.handled)
}

// lines are the tap's first lines.
func (e *testEndpoint) lines() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, m := range e.shown {
		first, _, _ := strings.Cut(string(m.Raw), "\r\n")
		direction := "RX"
		if m.Sent {
			direction = "TX"
		}
		out = append(out, direction+" "+first)
	}
	return strings.Join(out, ", ")
}

// sendAndWait sends and waits for the news.
func (e *testEndpoint) sendAndWait(msg sip.Message, to Target) error {
	e.t.Helper()
	news := make(chan error, 1)
	pending, err := e.Send(msg, to, func(err error) { news <- err })
	if !pending {
		return err
	}
	return take(e.t, news)
}

func take[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// dial connects as a foreign peer.
func (e *testEndpoint) dial(network string) net.Conn {
	e.t.Helper()
	c, err := net.Dial(network, e.target(phone.TCP).Addr.String())
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		e.t.Fatal(err)
	}
	return c
}

func (e *testEndpoint) write(c net.Conn, data string) {
	e.t.Helper()
	if _, err := io.WriteString(c, data); err != nil {
		e.t.Fatal(err)
	}
}

func request(t *testing.T) sip.Message {
	t.Helper()
	msg, err := parse(newParser(), crlf(options))
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func TestOnePortForAllTransports(t *testing.T) {
	a, b := newEndpoint(t, nil), newEndpoint(t, nil)
	for _, transport := range []phone.Transport{phone.UDP, phone.TCP} {
		if err := a.sendAndWait(request(t), b.target(transport)); err != nil {
			t.Fatalf("%s: %v", transport, err)
		}
		got := b.next()
		if got.back.Transport != transport || got.msg.Transport() != strings.ToUpper(string(transport)) {
			t.Errorf("%s: arrived over %s, %s", transport, got.back.Transport, got.msg.Transport())
		}
		if !strings.Contains(got.msg.Via().Value(), "received=127.0.0.1") {
			t.Errorf("%s: Via is %s", transport, got.msg.Via().Value())
		}
	}
}

func TestPortTaken(t *testing.T) {
	taken := newEndpoint(t, nil)
	for _, transport := range []phone.Transport{phone.UDP, phone.TCP} {
		_, err := Listen(Config{
			Listen: []phone.Transport{transport}, Bind: loopback, Port: taken.Port(), Now: time.Now, Log: hclog.NewNullLogger(),
		})
		var e *phone.Error
		want := fmt.Sprintf("SIP port %d is in use: choose another local_port, or 0 for a free one", taken.Port())
		if !errors.As(err, &e) || e.Kind != phone.Precondition || e.Sentence != want {
			t.Errorf("%s: %v", transport, err)
		}
	}
}

func TestPortIsFreeAfterClose(t *testing.T) {
	first := newEndpoint(t, nil)
	port := first.Port()
	first.Close()
	newEndpoint(t, func(c *Config) { c.Port = port })
	if err := first.sendAndWait(request(t), first.target(phone.TCP)); !errors.Is(err, errClosed) {
		t.Errorf("sending after Close: %v", err)
	}
	if err := first.sendAndWait(request(t), first.target(phone.UDP)); !errors.Is(err, errClosed) {
		t.Errorf("sending after Close: %v", err)
	}
}

func TestAllAddresses(t *testing.T) {
	e := newEndpoint(t, func(c *Config) { c.Bind = netip.Addr{} })
	source, err := e.Source(loopback)
	if err != nil || source != loopback {
		t.Errorf("source towards loopback: %v, %v", source, err)
	}
	second := netip.AddrFrom4([4]byte{127, 0, 0, 2})
	a := newEndpoint(t, func(c *Config) { c.Bind = second })
	if got, err := a.Source(loopback); err != nil || got != second {
		t.Errorf("a bound endpoint's source: %v, %v", got, err)
	}
	if err := a.sendAndWait(request(t), e.target(phone.UDP)); err != nil {
		t.Fatal(err)
	}
	if got := e.next(); got.back.Addr != netip.AddrPortFrom(second, 5060) { // no rport: the sent-by port
		t.Errorf("it came from %s", got.back.Addr)
	}
}

func TestKeepAlives(t *testing.T) {
	e := newEndpoint(t, nil)
	datagram := e.dial("udp")
	e.write(datagram, "\r\n\r\n")
	e.write(datagram, "\x00\x00\x00\x00")
	e.write(datagram, string(crlf(options)))
	e.next()

	stream := e.dial("tcp")
	e.write(stream, "\r\n\r\n")
	pong := make([]byte, 2)
	if _, err := io.ReadFull(stream, pong); err != nil || string(pong) != "\r\n" {
		t.Fatalf("the ping was answered with %q, %v", pong, err)
	}
	e.write(stream, string(crlf(options)))
	e.next()
	if got, want := e.lines(), "RX OPTIONS sip:b@h SIP/2.0, RX OPTIONS sip:b@h SIP/2.0"; got != want {
		t.Errorf("the tap saw %s", got)
	}
	if n := e.Malformed(); n != 0 {
		t.Errorf("%d keep-alives were counted as malformed", n)
	}
}

func TestTapIsByteForByte(t *testing.T) {
	e := newEndpoint(t, nil)
	raw := "OPTIONS   sip:b@h SIP/2.0\r\nv:SIP/2.0/TCP  a.test;branch=z9hG4bK1\r\nf: \"A\"<sip:a@h>;tag=f\r\n" +
		"t: sip:b@h\r\ni:id\r\nCSeq: 1   OPTIONS\r\nX-Odd:  \t x \r\nl: 5\r\n\r\n\x00\r\n\xff!"
	raw = strings.Replace(raw, "   sip", " sip", 1)
	for _, network := range []string{"udp", "tcp"} {
		c := e.dial(network)
		e.write(c, raw[:20])
		if network == "udp" { // a datagram is a message: the cut one is malformed
			e.write(c, raw)
		} else {
			e.write(c, raw[20:])
		}
		if got := e.next(); string(got.msg.Body()) != "\x00\r\n\xff!" {
			t.Errorf("%s: body %q", network, got.msg.Body())
		}
		e.mu.Lock()
		last := e.shown[len(e.shown)-1]
		e.mu.Unlock()
		if string(last.Raw) != raw || last.Sent || last.Remote != c.LocalAddr().String() || last.Time.IsZero() {
			t.Errorf("%s: the tap saw %+v\n%q", network, last, last.Raw)
		}
	}
}

func TestAnswersAreShownAfterWhatTheyAnswer(t *testing.T) {
	a := newEndpoint(t, nil)
	var echo *testEndpoint
	ready := make(chan struct{})
	echo = newEndpoint(t, func(c *Config) {
		c.Handle = func(msg sip.Message, back Target) {
			<-ready
			_, _ = echo.Send(sip.NewResponseFromRequest(msg.(*sip.Request), 200, "OK", nil), back, nil)
		}
	})
	close(ready)
	for _, transport := range []phone.Transport{phone.UDP, phone.TCP} {
		for range 200 {
			req := request(t).(*sip.Request)
			req.Via().Params.Add("rport", "")
			if _, err := a.Send(req, echo.target(transport), nil); err != nil {
				t.Fatal(err)
			}
			a.next()
		}
	}
	want := strings.TrimSuffix(strings.Repeat("TX OPTIONS sip:b@h SIP/2.0, RX SIP/2.0 200 OK, ", 400), ", ")
	if got := a.lines(); got != want {
		t.Error("an answer was shown before its request")
	}
}

func TestRubbishHarmsNothing(t *testing.T) {
	e := newEndpoint(t, nil)
	c := e.dial("udp")
	good := string(crlf(options))
	const each = 300
	for i := range each {
		e.write(c, "rubbish")
		e.write(c, good[:40+i%60])
		if i%50 == 0 {
			e.write(c, good)
			e.next()
		}
	}
	e.write(c, good)
	e.next()
	if n := e.Malformed(); n == 0 || n > 2*each {
		t.Errorf("%d malformed messages", n)
	}
	stream := e.dial("tcp")
	e.write(stream, "rubbish\r\n\r\n"+good) // one bad message with a boundary costs only itself
	e.next()
	e.write(stream, "x\r\nContent-Length: x\r\n\r\n") // without a boundary, the connection
	if _, err := stream.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the broken stream: %v", err)
	}
	e.write(e.dial("tcp"), good)
	e.next()
}

func TestResponsesUseTheConnection(t *testing.T) {
	e := newEndpoint(t, nil)
	c := e.dial("tcp")
	e.write(c, string(crlf(options)))
	got := e.next()
	res := sip.NewResponseFromRequest(got.msg.(*sip.Request), 200, "OK", nil)
	if err := e.sendAndWait(res, got.back); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1000)
	n, err := c.Read(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "SIP/2.0 200 OK\r\n") {
		t.Errorf("%q, %v", buf[:n], err)
	}
}

func TestResponseAfterTheConnectionIsGone(t *testing.T) { // RFC 3261 §18.2.2
	e, peer := newEndpoint(t, nil), newEndpoint(t, nil)
	c := e.dial("tcp")
	sentBy := fmt.Sprintf("TCP 127.0.0.1:%d;", peer.Port())
	e.write(c, strings.Replace(string(crlf(options)), "UDP a.test;", sentBy, 1))
	got := e.next()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	e.Endpoint.mu.Lock()
	clear(e.conns) // what the connection's own end does a little later
	e.Endpoint.mu.Unlock()
	res := sip.NewResponseFromRequest(got.msg.(*sip.Request), 200, "OK", nil)
	if err := e.sendAndWait(res, got.back); err != nil {
		t.Fatal(err)
	}
	if _, ok := peer.next().msg.(*sip.Response); !ok {
		t.Error("what came is no response")
	}
}

func TestUnreachableStream(t *testing.T) {
	e := newEndpoint(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := Target{Transport: phone.TCP, Addr: l.Addr().(*net.TCPAddr).AddrPort()}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.sendAndWait(request(t), to); err == nil || !strings.Contains(err.Error(), "no connection to 127.0.0.1:") {
		t.Errorf("error %v", err)
	}
}

func TestCloseWritesWhatIsQueued(t *testing.T) {
	a, b := newEndpoint(t, nil), newEndpoint(t, nil)
	if err := a.sendAndWait(request(t), b.target(phone.TCP)); err != nil { // the connection is there
		t.Fatal(err)
	}
	const n = 50
	for range n {
		if _, err := a.Send(request(t), b.target(phone.TCP), nil); err != nil {
			t.Fatal(err)
		}
	}
	a.Close()
	for range n + 1 {
		b.next()
	}
}

func TestQueueOfAConnectionIsBounded(t *testing.T) {
	a := newEndpoint(t, nil)
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // accepts in the kernel, reads nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = deaf.Close() })
	to := Target{Transport: phone.TCP, Addr: deaf.Addr().(*net.TCPAddr).AddrPort()}
	msg := request(t).(*sip.Request)
	msg.SetBody([]byte(strings.Repeat("x", 60000)))
	for range 10 * maxQueued {
		if _, err = a.Send(msg, to, nil); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "messages wait for the connection") {
		t.Errorf("error %v", err)
	}
}

func TestTooLongForADatagram(t *testing.T) {
	e := newEndpoint(t, nil)
	msg := request(t).(*sip.Request)
	msg.SetBody(make([]byte, 65500))
	if err := e.sendAndWait(msg, e.target(phone.UDP)); err == nil || !strings.Contains(err.Error(), "does not fit into a UDP datagram") {
		t.Errorf("error %v", err)
	}
	if e.lines() != "" {
		t.Errorf("the tap saw %s", e.lines())
	}
}

func TestSourcesAreRemembered(t *testing.T) {
	var s sources
	begin := time.Now()
	for i := range maxSources + 10 {
		remote := netip.AddrFrom4([4]byte{127, 0, byte(i >> 8), byte(i)})
		if _, err := s.towards(remote, begin); err != nil {
			t.Fatal(err)
		}
		if len(s.known) > maxSources {
			t.Fatalf("%d are remembered", len(s.known))
		}
	}
	fake := netip.AddrFrom4([4]byte{192, 0, 2, 1})
	s.known[loopback] = knownSource{fake, begin}
	if got, _ := s.towards(loopback, begin.Add(sourceLife-1)); got != fake {
		t.Errorf("young: %v was asked for again", got)
	}
	if got, _ := s.towards(loopback, begin.Add(sourceLife)); got != loopback {
		t.Errorf("old: %v was kept", got)
	}
}

// Whoever has made a connection learns of its end, and why; not by Close.
func TestLostConnections(t *testing.T) {
	type loss struct {
		to  Target
		why error
	}
	lost := make(chan loss, 10)
	note := func(c *Config) { c.Lost = func(to Target, why error) { lost <- loss{to, why} } }
	client, server := newEndpoint(t, note), newEndpoint(t, note)
	to := server.target(phone.TCP)
	if err := client.sendAndWait(request(t), to); err != nil {
		t.Fatal(err)
	}
	server.next()
	server.Close()
	if l := take(t, lost); l.to.Addr != to.Addr || l.to.Transport != phone.TCP || !strings.Contains(l.why.Error(), "was closed") {
		t.Errorf("%+v", l)
	}
	other := newEndpoint(t, nil)
	if err := client.sendAndWait(request(t), other.target(phone.TCP)); err != nil {
		t.Fatal(err)
	}
	other.next()
	client.Close()
	if len(lost) != 0 {
		t.Errorf("lost more than one connection: %+v", <-lost)
	}
}
