package handset

import (
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
)

// deadURI is where nothing listens.
func deadURI(t *testing.T) (uri, host string) {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host = c.LocalAddr().String()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return "sip:nobody@" + host, host
}

// atOnce is far less than the 32 s of a request that nobody answers.
const atOnce = 2 * time.Second

func TestCallToADeadPortEndsAtOnce(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells of ICMP errors")
	}
	a := newRig(t, "a", 0)
	uri, host := deadURI(t)
	began := time.Now()
	a.do(phone.MakeCall{DestURI: uri})
	over := a.awaits("call.state.disconnected")
	text, _ := over.Data["last_status_text"].(string)
	if over.Data["last_status"] != int64(503) || !strings.Contains(text, host) || !strings.Contains(text, "port unreachable") {
		t.Errorf("the call ended with %v %q", over.Data["last_status"], text)
	}
	a.refuses(phone.SendMessage{DestURI: uri, Body: "x"}, phone.Unreachable, "port unreachable")
	if took := time.Since(began); took > atOnce {
		t.Errorf("it took %v", took)
	}
}

func TestRegistrarThatIsNotThere(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells of ICMP errors")
	}
	_, host := deadURI(t)
	a := newRig(t, "a", 0, func(c *phone.Configuration) { c.Domain, c.Register = host, true })
	failed := a.awaits("reg.failed")
	if reason, _ := failed.Data["reason"].(string); !strings.Contains(reason, "port unreachable") {
		t.Errorf("registering failed: %v", failed.Data)
	}
}

// Nobody has answered: a CANCEL may not leave (RFC 3261 §9.1), and hangup says
// so. It leaves with the first sign of life.
func TestHangupBeforeAnyAnswer(t *testing.T) {
	a := newRig(t, "a", 0)
	peer, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = peer.Close() }()
	if err := peer.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	call := a.do(phone.MakeCall{DestURI: fmt.Sprintf("sip:x@%s", peer.LocalAddr())}).Call.CallID
	buf := make([]byte, 4096)
	n, from, err := peer.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	invite := string(buf[:n])

	if o := a.do(phone.Hangup{CallID: &call}); !o.Call.Pending || o.Call.State != phone.StateCalling || o.Call.Already {
		t.Errorf("hangup: %+v", *o.Call)
	}
	if o := a.do(phone.Hangup{CallID: &call}); !o.Call.Already {
		t.Errorf("hangup again: %+v", *o.Call)
	}
	trying := "SIP/2.0 100 Trying\r\n"
	for line := range strings.SplitSeq(invite, "\r\n") {
		for _, name := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
			if strings.HasPrefix(line, name) {
				trying += line + "\r\n"
			}
		}
	}
	if _, err := peer.WriteTo([]byte(trying+"Content-Length: 0\r\n\r\n"), from); err != nil {
		t.Fatal(err)
	}
	for !strings.HasPrefix(string(buf[:n]), "CANCEL ") { // there may be retransmissions of the INVITE before
		if n, _, err = peer.ReadFrom(buf); err != nil {
			t.Fatal("no CANCEL came: ", err)
		}
	}
}

// The answer is not acknowledged: a BYE may not leave (RFC 3261 §15), and hangup
// says so rather than wait for as long as it takes. It leaves with the ACK.
func TestHangupBeforeTheAck(t *testing.T) {
	a := newRig(t, "a", 0, func(c *phone.Configuration) { c.AutoAnswer = true })
	far := newWire(t)
	answered := far.invite(a.uri())
	o := a.do(phone.Hangup{}).Call
	if !o.Pending || o.State != phone.StateConnecting || o.Already {
		t.Errorf("hangup: %+v", *o)
	}
	if again := a.do(phone.Hangup{CallID: &o.CallID}).Call; !again.Already {
		t.Errorf("hangup again: %+v", *again)
	}
	far.acknowledge(a.uri(), answered)
	far.answer(far.request("BYE"), "200 OK", "", "")
	a.awaits("call.state.disconnected")
}

// With an answer under way the hangup is done when the CANCEL has left.
func TestHangupWaitsForTheCancel(t *testing.T) {
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
	call := a.do(phone.MakeCall{DestURI: b.uri()}).Call.CallID
	if o := a.do(phone.Hangup{CallID: &call}); o.Call.Pending || o.Call.Already {
		t.Errorf("hangup: %+v", *o.Call)
	}
	if over := a.awaits("call.state.disconnected"); over.Data["last_status"] != int64(487) {
		t.Errorf("a's call ended with %v", over.Data["last_status"])
	}
	b.awaits("call.state.disconnected")
}

// The far end of a call is gone, and so is its socket: the next request within
// the call says so, and ends it.
func TestCallWithAPhoneThatIsGone(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells of ICMP errors")
	}
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000, func(c *phone.Configuration) { c.AutoAnswer = true })
	call := a.do(phone.MakeCall{DestURI: b.uri()}).Call.CallID
	a.awaits("call.state.confirmed")
	b.h.Close()
	a.refuses(phone.Hold{CallID: &call}, phone.Unreachable, "port unreachable")
	if over := a.awaits("call.state.disconnected"); over.Data["last_status"] != int64(503) {
		t.Errorf("the call ended with %v %v", over.Data["last_status"], over.Data["last_status_text"])
	}
}
