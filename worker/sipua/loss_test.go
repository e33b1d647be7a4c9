package sipua

import (
	"net"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
)

// relay stands between a and b on UDP and loses the first copies of what
// drops names.
type relay struct {
	conn *net.UDPConn
	done chan struct{}
}

func newRelay(t *testing.T, a, b *testPhone, drops func(first string) int) Target {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{conn: conn, done: make(chan struct{})}
	go r.run(a, b, drops)
	t.Cleanup(func() {
		_ = conn.Close()
		<-r.done
	})
	return loopbackTarget(phone.UDP, conn.LocalAddr().(*net.UDPAddr).Port)
}

func (r *relay) run(a, b *testPhone, drops func(first string) int) {
	defer close(r.done)
	buf := make([]byte, 65536)
	seen := make(map[string]int)
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		first, _, _ := strings.Cut(string(buf[:n]), "\r\n")
		seen[first]++
		if seen[first] <= drops(first) {
			continue
		}
		to := b.target().Addr
		if from.Port() == to.Port() {
			to = a.target().Addr
		}
		_, _ = r.conn.WriteToUDPAddrPort(buf[:n], to)
	}
}

func TestLossIsRepaired(t *testing.T) {
	// Every message is lost twice before it gets through, and every one that
	// arrives is told once.
	for _, status := range []int{200, 486} {
		a, b := newPhone(t, fast), newPhone(t, fast)
		through := newRelay(t, a, b, func(string) int { return 2 })
		invites := 0
		acks := make(chan struct{}, 10)
		failed := make(chan error, 1)
		b.do(func() { b.onAck = func(*sip.Request) { acks <- struct{}{} } })
		b.handle(func(tx *ServerTx, req *sip.Request) {
			invites++
			tx.OnFail(func(err error) { failed <- err })
			res := NewResponse(req, status, "", "tag")
			_ = tx.Respond(res)
			if status == 200 { // as a dialog does until the ACK comes
				_ = tx.Respond(res)
				_ = tx.Respond(res)
			}
		})
		_, got := a.send(Outgoing{Request: request(sip.INVITE, "call"), Targets: []Target{through}})
		got.want(status)
		if status == 200 {
			a.do(func() {
				ack := request(sip.ACK, "call")
				for range 3 {
					if err := a.ua.SendAck(ack, through); err != nil {
						t.Error(err)
					}
				}
			})
			take(t, acks)
		} else {
			// The ACK ends the retransmissions: the transaction is gone from
			// b's table after timer I rather than failing at timer H.
			b.do(func() { b.ua.loop.After(64*b.ua.cfg.Timers.T1, func() { acks <- struct{}{} }) })
			take(t, acks)
		}
		b.do(func() {
			if invites != 1 {
				t.Errorf("b was told of %d INVITEs", invites)
			}
		})
		select {
		case err := <-failed:
			t.Errorf("%d: %v", status, err)
		default:
		}
	}
}

func TestRequestsOtherThanInviteSurviveLoss(t *testing.T) {
	a, b := newPhone(t, fast), newPhone(t, fast)
	through := newRelay(t, a, b, func(string) int { return 3 })
	told := 0
	b.handle(func(tx *ServerTx, req *sip.Request) {
		told++
		_ = tx.Respond(NewResponse(req, 200, "", "tag"))
	})
	_, got := a.send(Outgoing{Request: request(sip.INFO, "call"), Targets: []Target{through}})
	got.want(200)
	b.do(func() {
		if told != 1 {
			t.Errorf("b was told %d times", told)
		}
	})
}

func TestFurther2xxReachesTheCaller(t *testing.T) {
	a, b := newPhone(t, nil), newPhone(t, nil)
	b.handle(func(tx *ServerTx, req *sip.Request) {
		for _, tag := range []string{"one", "one", "two"} { // as a forking proxy passes them on
			res := NewResponse(req, 200, "", tag)
			_ = tx.Respond(res)
		}
	})
	_, got := a.send(Outgoing{Request: request(sip.INVITE, "call"), Targets: []Target{b.target()}})
	got.want(200, 200, 200)
}
