package chaos

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// rig is a server with its embedded PBX and phones that call each other in
// pairs.
type rig struct {
	t    *testing.T
	plan plan
	c    *mcpclient.Client
	temp string // where the server keeps what is of no use after it
	pbx  string
	rnd  *rand.Rand

	phones []*phones.Phone
	pairs  []*pair

	mine    tally
	hanging []*hanging
	killed  map[string]int // deaths by phone, since it was started by somebody

	// How long things took after a death. A phone's second and third are
	// followed by a pause before its next worker.
	noticed, registered, told []time.Duration
	registeredLater           []time.Duration
}

// pair is a call, or the two phones of one to be.
type pair struct {
	ends  [2]*phones.Phone // the caller first
	calls [2]int
	up    bool
	out   bool // one of them hangs: nothing is done with the pair
}

func newRig(t *testing.T, p plan) *rig {
	t.Helper()
	r := &rig{t: t, plan: p, rnd: rand.New(rand.NewPCG(*seed, 0)), killed: map[string]int{}}
	t.Logf("seed %d", *seed)
	var err error
	if r.temp, err = os.MkdirTemp("", "c"); err != nil { //nolint:usetesting // a short path, for unix sockets
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(r.temp); err != nil {
			t.Error(err)
		}
	})
	r.pbx = freeAddr(t)
	r.c = mcpclient.Start(t, programs, mcpclient.Options{Args: []string{"--pbx", r.pbx, "--log-level", "error"}, Env: []string{"TMPDIR=" + r.temp}})
	return r
}

// freeAddr finds a port that is free for both UDP and TCP.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 50 {
		u, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := u.LocalAddr().String()
		l, err := net.Listen("tcp4", addr)
		u.Close()
		if err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatal("no loopback port is free for both UDP and TCP")
	return ""
}

// addPhones adds the phones, or adds them again; the first two capture, too.
func (r *rig) addPhones() {
	r.t.Helper()
	r.phones, r.pairs = nil, nil
	for i := range r.plan.phones {
		p := phones.Add(r.t, r.c, fmt.Sprintf("p%d", i), mcpclient.Args{"domain": r.pbx, "capture_enabled": i < 2})
		if !p.Added.Bool("is_registered") {
			r.t.Fatalf("%s is not registered: %s", p.ID, p.Added.Text)
		}
		r.phones = append(r.phones, p)
	}
	for i := 0; i+1 < len(r.phones); i += 2 {
		r.pairs = append(r.pairs, &pair{ends: [2]*phones.Phone{r.phones[i], r.phones[i+1]}})
	}
}

func (r *rig) uri(p *phones.Phone) string { return "sip:" + p.User + "@" + r.pbx }

func (r *rig) callAll() {
	for _, p := range r.pairs {
		r.call(p)
	}
}

func (r *rig) call(p *pair) {
	r.t.Helper()
	p.calls[0], p.calls[1] = phones.Talk(p.ends[0], p.ends[1], r.uri(p.ends[1]))
	p.up = true
}

func (r *rig) endAll() {
	for _, p := range r.pairs {
		r.end(p)
	}
}

// end ends a pair's call in order and counts what came in on it.
func (r *rig) end(p *pair) {
	r.t.Helper()
	if !p.up {
		return
	}
	p.up = false
	p.ends[0].Do("hangup", mcpclient.Args{"call_id": p.calls[0]})
	for i, end := range p.ends {
		r.mine.add(end.Ends(p.calls[i], 200))
	}
}

// pass lets the calls go on for some time.
func (r *rig) pass(d time.Duration) {
	<-time.After(d)
}

// tally counts the RTP packets that came in, by their sequence numbers.
type tally struct{ calls, packets, lost, late int }

func (s *tally) add(info mcpclient.Answer) {
	rtp := info.Object("rtp")
	s.calls++
	s.packets += rtp.Int("rx_packets")
	s.lost += rtp.Int("rx_loss")
	s.late += rtp.Int("rx_discard")
}

func (s tally) String() string {
	return fmt.Sprintf("%d ends of calls, %d RTP packets in, %d lost, %d of no use (late, or after the end)", s.calls, s.packets, s.lost, s.late)
}

func (r *rig) takeTally() tally {
	s := r.mine
	r.mine = tally{}
	return s
}

// nothingLost requires that every event of every worker has come through.
func (r *rig) nothingLost() {
	r.t.Helper()
	for _, row := range r.c.Must("list_phones", nil).List("phones") {
		if n := row.Object("worker").Int("events_lost"); n != 0 {
			r.t.Errorf("of %s %d events were lost", row.String("phone_id"), n)
		}
	}
}

// toolsFit requires that the list of tools becomes that of the phones that
// are there.
func (r *rig) toolsFit() {
	r.t.Helper()
	var listed, wanted []string
	r.c.Until(phones.Patience, "a tool list that fits the phones", "list_phones", nil, func(a mcpclient.Answer) bool {
		wanted, listed = nil, nil
		for _, row := range a.List("phones") {
			for _, name := range row.Fields["tools"].([]any) {
				wanted = append(wanted, name.(string))
			}
		}
		for _, name := range r.c.Tools() {
			if strings.HasPrefix(name, "p") && name[1] >= '0' && name[1] <= '9' {
				listed = append(listed, name)
			}
		}
		slices.Sort(wanted)
		slices.Sort(listed)
		return slices.Equal(wanted, listed)
	})
}

func report(t *testing.T, what string, took []time.Duration) {
	t.Helper()
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d)/float64(time.Millisecond)) }
	t.Logf("%s: median %s ms, least %s, p90 %s, most %s (%d)", what, ms(took[len(took)/2]), ms(took[0]), ms(took[len(took)*9/10]), ms(took[len(took)-1]), len(took))
}
