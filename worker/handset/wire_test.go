package handset

import (
	"encoding/binary"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// wire is a far end's socket.
type wire struct {
	t    *testing.T
	conn net.PacketConn
	to   net.Addr
	last uint32 // the timestamp of the newest event
}

func newWire(t *testing.T) *wire {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &wire{t: t, conn: conn}
}

// request reads until a request of that method comes.
func (w *wire) request(method string) string {
	w.t.Helper()
	if err := w.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		w.t.Fatal(err)
	}
	buf := make([]byte, 8192)
	for {
		n, from, err := w.conn.ReadFrom(buf)
		if err != nil {
			w.t.Fatalf("no %s came: %v", method, err)
		}
		if w.to = from; strings.HasPrefix(string(buf[:n]), method+" ") {
			return string(buf[:n])
		}
	}
}

func header(message, name string) string {
	return regexp.MustCompile(`(?m)^` + name + `:[^\r\n]*`).FindString(message)
}

func (w *wire) send(message string) {
	w.t.Helper()
	if _, err := w.conn.WriteTo([]byte(message), w.to); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) answer(req, status, headers, body string) {
	w.t.Helper()
	to := header(req, "To")
	if !strings.Contains(to, "tag=") {
		to += ";tag=far"
	}
	if body != "" {
		headers += "Content-Type: application/sdp\r\n"
	}
	w.send(fmt.Sprintf("SIP/2.0 %s\r\n%s\r\n%s\r\n%s\r\n%s\r\n%s\r\n%sContent-Length: %d\r\n\r\n%s", status,
		header(req, "Via"), header(req, "From"), to, header(req, "Call-ID"), header(req, "CSeq"), headers, len(body), body))
}

// invite calls a phone and never says ACK of itself.
func (w *wire) invite(uri string) (answered string) {
	w.t.Helper()
	to, err := net.ResolveUDPAddr("udp", uri[strings.Index(uri, "@")+1:])
	if err != nil {
		w.t.Fatal(err)
	}
	w.to = to
	here := w.conn.LocalAddr()
	body := fmt.Sprintf("v=0\r\no=x 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 8\r\n", here.(*net.UDPAddr).Port)
	w.send(fmt.Sprintf("INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKone\r\nMax-Forwards: 70\r\nFrom: <sip:x@%s>;tag=far\r\nTo: <%s>\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\nContact: <sip:x@%s>\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
		uri, here, here, uri, here, len(body), body))
	return w.request("SIP/2.0 200")
}

// acknowledge says ACK to the answer of invite.
func (w *wire) acknowledge(uri, answered string) {
	w.t.Helper()
	w.send(fmt.Sprintf("ACK %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKtwo\r\nMax-Forwards: 70\r\n%s\r\n%s\r\nCall-ID: one\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
		uri, w.conn.LocalAddr(), header(answered, "From"), header(answered, "To")))
}

// reinvite offers anew in the dialog that an INVITE of the phone has begun, and
// says ACK.
func (w *wire) reinvite(invite, contact, body string) {
	w.t.Helper()
	target := regexp.MustCompile(`<(.*?)>`).FindStringSubmatch(header(invite, "Contact"))[1]
	request := func(method, headers, body string) {
		w.send(fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\nFrom:%s;tag=far\r\nTo:%s\r\n%s\r\nCSeq: 1 %s\r\n%sContent-Length: %d\r\n\r\n%s",
			method, target, w.conn.LocalAddr(), method, strings.TrimPrefix(header(invite, "To"), "To:"), strings.TrimPrefix(header(invite, "From"), "From:"),
			header(invite, "Call-ID"), method, headers, len(body), body))
	}
	request("INVITE", fmt.Sprintf("Contact: <%s>\r\nContent-Type: application/sdp\r\n", contact), body)
	if got := w.request("SIP/2.0 200"); strings.Contains(got, "telephone-event") {
		w.t.Errorf("telephone-event is answered:\n%s", got)
	}
	request("ACK", "", "")
}

// digits reads an RTP packet and adds the digit that it begins, if it does.
func (w *wire) digits(before string) string {
	w.t.Helper()
	if err := w.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		w.t.Fatal(err)
	}
	buf := make([]byte, 2048)
	n, _, err := w.conn.ReadFrom(buf)
	if err != nil || n < 16 || buf[1]&0x7F != 101 {
		return before
	}
	if stamp := binary.BigEndian.Uint32(buf[4:]); stamp != w.last {
		w.last = stamp
		return before + string("0123456789*#ABCD"[buf[12]])
	}
	return before
}
