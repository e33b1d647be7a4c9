package pbx

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"

	"ringmaster/proto/digest"
	"ringmaster/proto/phone"
	"ringmaster/proto/siptx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 5 * time.Second

// quick are timers for tests that wait for them.
var quick = siptx.Timers{T1: 5 * time.Millisecond, T2: 20 * time.Millisecond, T4: 20 * time.Millisecond}

func start(t *testing.T, change func(*Config)) *PBX {
	t.Helper()
	cfg := Config{
		Addr:     netip.MustParseAddrPort("127.0.0.1:0"),
		Resolver: hosts{"pbx.test": "127.0.0.1", "elsewhere.test": "192.0.2.7"},
		Users: func(name string) (phone.Secret, bool) {
			return phone.NewSecret("secret of " + name), strings.Contains("a b c", name)
		},
	}
	if change != nil {
		change(&cfg)
	}
	p, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// hosts is a resolver that knows these.
type hosts map[string]string

func (h hosts) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if addr, ok := h[host]; ok {
		return []netip.Addr{netip.MustParseAddr(addr)}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func (h hosts) LookupSRV(context.Context, string, string, string) (string, []*net.SRV, error) {
	return "", nil, &net.DNSError{Err: "nothing asks for SRV", IsNotFound: true}
}

// peer is a phone that says exactly what the test makes it say.
type peer struct {
	t         *testing.T
	user      string
	transport string
	pbx       string // host:port
	conn      net.Conn
	reader    *bufio.Reader // of a stream
	digest    *digest.Client
	cseq      int
	branch    int
}

// newPeer makes a phone of a user, on "udp" or "tcp".
func newPeer(t *testing.T, p *PBX, user, transport string) *peer {
	t.Helper()
	conn, err := net.Dial(transport, p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	n := &peer{t: t, user: user, transport: transport, pbx: p.Addr().String(), conn: conn}
	n.reader = bufio.NewReader(conn)
	n.digest = digest.NewClient(user, phone.NewSecret("secret of "+user), "", func() string { return "cnonce" })
	return n
}

func (n *peer) addr() string { return n.conn.LocalAddr().String() }

func (n *peer) contact() string {
	if n.transport == "tcp" {
		return fmt.Sprintf("<sip:%s@%s;transport=tcp>", n.user, n.addr())
	}
	return fmt.Sprintf("<sip:%s@%s>", n.user, n.addr())
}

func (n *peer) aor(user string) string { return "sip:" + user + "@" + n.pbx }

func (n *peer) send(msg string) {
	n.t.Helper()
	if _, err := io.WriteString(n.conn, msg); err != nil {
		n.t.Fatal(err)
	}
}

// read gives the next message as it came, "" when none came in time.
func (n *peer) read(wait time.Duration) string {
	n.t.Helper()
	if err := n.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		n.t.Fatal(err)
	}
	if n.transport == "udp" {
		buf := make([]byte, 65536)
		got, err := n.conn.Read(buf)
		if err != nil {
			return ""
		}
		return string(buf[:got])
	}
	var msg strings.Builder
	length := 0
	for {
		line, err := n.reader.ReadString('\n')
		if err != nil {
			return ""
		}
		msg.WriteString(line)
		if value, ok := strings.CutPrefix(line, "Content-Length:"); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				n.t.Fatal(err)
			}
		}
		if line == "\r\n" {
			break
		}
	}
	if _, err := io.CopyN(&msg, n.reader, int64(length)); err != nil {
		n.t.Fatal(err)
	}
	return msg.String()
}

func (n *peer) next() sip.Message {
	n.t.Helper()
	raw := n.read(patience)
	if raw == "" {
		n.t.Fatalf("%s hears nothing more", n.user)
	}
	msg, err := sip.ParseMessage([]byte(raw))
	if err != nil {
		n.t.Fatalf("what came is no SIP: %v\n%s", err, raw)
	}
	return msg
}

// request wants the next message to be a request of that method.
func (n *peer) request(method sip.RequestMethod) *sip.Request {
	n.t.Helper()
	msg := n.next()
	req, ok := msg.(*sip.Request)
	if !ok || req.Method != method {
		n.t.Fatalf("%s wants %s, got:\n%v", n.user, method, msg)
	}
	return req
}

// response wants the next message, 100s apart, to be a response with that
// status to that method.
func (n *peer) response(status int, method sip.RequestMethod) *sip.Response {
	n.t.Helper()
	for {
		msg := n.next()
		res, ok := msg.(*sip.Response)
		if ok && res.StatusCode == 100 && status != 100 {
			continue
		}
		if !ok || res.StatusCode != status || res.CSeq().MethodName != method {
			n.t.Fatalf("%s wants %d to %s, got:\n%v", n.user, status, method, msg)
		}
		return res
	}
}

// silent wants nothing to have come, by asking the PBX for something that is
// answered after it.
func (n *peer) silent() {
	n.t.Helper()
	n.send(n.text("OPTIONS", "sip:"+n.pbx, nil))
	n.response(200, sip.OPTIONS)
}

// text writes a request with a new branch; lines replace the headers of the
// same name or are added to them, "Contact:" leaves that out, and what
// follows "\n" is the body.
func (n *peer) text(method, uri string, lines []string) string {
	n.branch++
	if method != "ACK" && method != "CANCEL" {
		n.cseq++
	}
	headers := []string{
		fmt.Sprintf("Via: SIP/2.0/%s %s;branch=z9hG4bK-%s-%d;rport", strings.ToUpper(n.transport), n.addr(), n.addr(), n.branch),
		fmt.Sprintf("From: <%s>;tag=%s", n.aor(n.user), n.user+"tag"),
		fmt.Sprintf("To: <%s>", uri),
		"Call-ID: call of " + n.addr(),
		fmt.Sprintf("CSeq: %d %s", n.cseq, method),
		"Max-Forwards: 70",
		"Contact: " + n.contact(),
	}
	body := ""
	for _, line := range lines {
		if text, ok := strings.CutPrefix(line, "\n"); ok {
			body = text
			continue
		}
		name, _, _ := strings.Cut(line, ":")
		replaced := false
		for i, h := range headers {
			if strings.HasPrefix(h, name+":") && name != "Route" && name != "Contact" && !replaced {
				headers[i], replaced = line, true
			}
		}
		if name == "Contact" {
			headers = dropDefault(headers, "Contact: "+n.contact())
		}
		if !replaced && line != "Contact:" {
			headers = append(headers, line)
		}
	}
	headers = append(headers, fmt.Sprintf("Content-Length: %d", len(body)))
	return method + " " + uri + " SIP/2.0\r\n" + strings.Join(headers, "\r\n") + "\r\n\r\n" + body
}

func dropDefault(headers []string, line string) []string {
	var out []string
	for _, h := range headers {
		if h != line {
			out = append(out, h)
		}
	}
	return out
}

// ask sends a request without credentials.
func (n *peer) ask(method, uri string, lines ...string) {
	n.t.Helper()
	n.send(n.text(method, uri, lines))
}

// askProven sends a request, is challenged, and sends it with credentials.
func (n *peer) askProven(method, uri string, lines ...string) {
	n.t.Helper()
	n.ask(method, uri, lines...)
	status, asks, answers := 407, "Proxy-Authenticate", "Proxy-Authorization"
	if method == "REGISTER" {
		status, asks, answers = 401, "WWW-Authenticate", "Authorization"
	}
	res := n.response(status, sip.RequestMethod(method))
	if method == "INVITE" {
		n.ackFailure(res, uri)
	}
	value, err := n.digest.Answer([]string{res.GetHeader(asks).Value()}, status == 407, method, uri, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	n.ask(method, uri, append(lines, answers+": "+value)...)
}

// ackFailure sends the ACK of a final response that is no 2xx.
func (n *peer) ackFailure(res *sip.Response, uri string) {
	n.send("ACK " + uri + " SIP/2.0\r\n" + echo(res, sip.ACK) + "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
}

// cancel sends the CANCEL of the INVITE that was sent last.
func (n *peer) cancel(uri string, lines ...string) {
	n.branch--
	n.send(n.text("CANCEL", uri, lines))
}

// echo writes the headers that a response shares with its request, for an ACK
// of it.
func echo(msg sip.Message, method sip.RequestMethod) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Via: %s\r\n", msg.Via().Value())
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\n", msg.From().Value(), msg.To().Value(), msg.CallID().Value())
	fmt.Fprintf(&b, "CSeq: %d %s\r\n", msg.CSeq().SeqNo, method)
	return b.String()
}

// answer sends a response to req, with a To tag of its own and Record-Route
// as it came.
func (n *peer) answer(req *sip.Request, status int, lines ...string) {
	n.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d Whatever\r\n", status)
	for _, name := range []string{"Via", "Record-Route", "From", "To", "Call-ID", "CSeq"} {
		for _, h := range req.GetHeaders(name) {
			value := h.Value()
			if name == "To" && !strings.Contains(value, ";tag=") {
				value += ";tag=tag-of-" + n.addr()
			}
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	fmt.Fprintf(&b, "Contact: %s\r\n", n.contact())
	for _, line := range lines {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	n.send(b.String())
}

// register makes the peer reachable, for an hour.
func (n *peer) register() {
	n.t.Helper()
	n.askProven("REGISTER", "sip:"+n.pbx, "To: <"+n.aor(n.user)+">", "Contact: "+n.contact())
	n.response(200, sip.REGISTER)
}

// routes are a dialog's Route lines: of the caller from the response that
// made it, of the callee from the request.
func routes(msg sip.Message, caller bool) []string {
	var out []string
	for _, h := range msg.GetHeaders("Record-Route") {
		if caller {
			out = append([]string{"Route: " + h.Value()}, out...)
		} else {
			out = append(out, "Route: "+h.Value())
		}
	}
	return out
}
