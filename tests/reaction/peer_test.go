package reaction

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
)

// peer is a SIP element that says MESSAGE, and says 200 to every request.
type peer struct {
	conn    *net.UDPConn
	asked   chan struct{} // one for each MESSAGE that came, without its retransmissions
	sent    int
	reading chan struct{} // closed when nothing is read any more
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{conn: conn, asked: make(chan struct{}, 64), reading: make(chan struct{})}
	go p.read()
	t.Cleanup(func() {
		_ = conn.Close() // it ends the reader
		<-p.reading
	})
	return p
}

func (p *peer) port() int { return p.conn.LocalAddr().(*net.UDPAddr).Port }

func (p *peer) uri() string { return fmt.Sprintf("sip:peer@127.0.0.1:%d", p.port()) }

// read answers every request at once.
func (p *peer) read() {
	defer close(p.reading)
	buf := make([]byte, 65536)
	seen := map[string]bool{}
	for {
		n, from, err := p.conn.ReadFromUDP(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		message := string(buf[:n])
		if err != nil || !strings.HasPrefix(message, "MESSAGE ") {
			continue
		}
		var answer bytes.Buffer
		answer.WriteString("SIP/2.0 200 OK\r\n")
		var id string
		for line := range strings.SplitSeq(message, "\r\n") {
			name, _, _ := strings.Cut(line, ":")
			switch strings.ToLower(name) {
			case "call-id":
				id = line
				fallthrough
			case "via", "from", "to", "cseq":
				answer.WriteString(line + "\r\n")
			}
		}
		answer.WriteString("Content-Length: 0\r\n\r\n")
		_, _ = p.conn.WriteToUDP(answer.Bytes(), from) // a lost answer is asked for again
		if !seen[id] {
			seen[id] = true
			p.asked <- struct{}{}
		}
	}
}

// say sends a MESSAGE to a phone's port.
func (p *peer) say(t *testing.T, to int, body string) {
	t.Helper()
	p.sent++
	here := p.conn.LocalAddr()
	text := strings.Join([]string{
		fmt.Sprintf("MESSAGE sip:a@127.0.0.1:%d SIP/2.0", to),
		fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bK-%d", here, p.sent),
		"Max-Forwards: 70",
		fmt.Sprintf("From: <sip:peer@%s>;tag=%d", here, p.sent),
		fmt.Sprintf("To: <sip:a@127.0.0.1:%d>", to),
		fmt.Sprintf("Call-ID: in-%d", p.sent),
		"CSeq: 1 MESSAGE",
		"Content-Type: text/plain",
		fmt.Sprintf("Content-Length: %d", len(body)),
		"", body,
	}, "\r\n")
	if _, err := p.conn.WriteToUDP([]byte(text), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: to}); err != nil {
		t.Fatal(err)
	}
}
