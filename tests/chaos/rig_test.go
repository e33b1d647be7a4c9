package chaos

import (
	"fmt"
	"math/rand/v2"
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
	registeredLater, stopped  []time.Duration
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
	r.temp = tempDir(t)
	r.pbx = phones.FreeAddr(t)
	r.c = mcpclient.Start(t, programs, mcpclient.Options{Args: []string{"--pbx", r.pbx, "--log-level", "error"}, Env: []string{"TMPDIR=" + r.temp}})
	return r
}

// tempDir makes a folder of a short path, for unix sockets.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "c") //nolint:usetesting // t.TempDir is too long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// addPhones adds the phones, or adds them again; the first two capture, too.
func (r *rig) addPhones() {
	r.t.Helper()
	r.phones, r.pairs = nil, nil
	for i := range r.plan.phones {
		r.phones = append(r.phones, r.add(r.c, i))
	}
	for i := 0; i+1 < len(r.phones); i += 2 {
		r.pairs = append(r.pairs, &pair{ends: [2]*phones.Phone{r.phones[i], r.phones[i+1]}})
	}
}

// add adds one phone, which registers, to a server.
func (r *rig) add(c *mcpclient.Client, i int) *phones.Phone {
	r.t.Helper()
	p := phones.Add(r.t, c, fmt.Sprintf("p%d", i), mcpclient.Args{"domain": r.pbx, "capture_enabled": i < 2})
	if !p.Added.Bool("is_registered") {
		r.t.Fatalf("%s is not registered: %s", p.ID, p.Added.Text)
	}
	return p
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
	var ended [2]mcpclient.Answer
	for i, end := range p.ends {
		ended[i] = end.Ends(p.calls[i], 200)
		r.mine.add(ended[i])
	}
	for i := range ended {
		r.mine.unseen += max(0, ended[1-i].Object("rtp").Int("tx_packets")-ended[i].Object("rtp").Int("rx_packets")-underway)
	}
}

// underway is how many RTP packets of a call may have been sent and not been
// taken in when the call ends, and when it begins: what comes after the BYE is
// not read.
const underway = 5

// pass lets the calls go on for some time.
func (r *rig) pass(d time.Duration) {
	<-time.After(d)
}

// tally counts the RTP packets that came in, by their sequence numbers. Of
// those calls whose both ends lived to tell, unseen packets were sent by the one
// and never came to the other.
type tally struct{ calls, packets, lost, late, unseen int }

func (s *tally) add(info mcpclient.Answer) {
	rtp := info.Object("rtp")
	s.calls++
	s.packets += rtp.Int("rx_packets")
	s.lost += rtp.Int("rx_loss")
	s.late += rtp.Int("rx_discard")
}

func (s tally) String() string {
	return fmt.Sprintf("%d ends of calls, %d RTP packets in, %d lost, %d unseen, %d of no use (late, or after the end)", s.calls, s.packets, s.lost, s.unseen, s.late)
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

// toolsFit requires that every phone works again, but for those that hang, and
// that the list of tools becomes that of the phones that are there, with every
// tool of theirs.
func (r *rig) toolsFit() {
	r.t.Helper()
	hangs := map[string]bool{}
	for _, h := range r.hanging {
		hangs[h.ends[h.end].ID] = true
	}
	r.c.Until(phones.Patience, "a tool list that fits the phones", "list_phones", nil, func(a mcpclient.Answer) bool {
		var listed, wanted []string
		for _, row := range a.List("phones") {
			id, tools := row.String("phone_id"), row.Fields["tools"].([]any)
			if !hangs[id] && (row.Object("worker").String("state") != "running" || len(tools) != r.phones[0].Added.Int("tools_registered")) {
				return false
			}
			for _, name := range tools {
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
		return len(listed) > 0 && slices.Equal(wanted, listed)
	})
}

func median(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)/2]
}

func report(t *testing.T, what string, took []time.Duration) {
	t.Helper()
	if len(took) == 0 {
		return
	}
	typical := median(took)
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d)/float64(time.Millisecond)) }
	t.Logf("%s: median %s ms, least %s, p90 %s, most %s (%d)", what, ms(typical), ms(took[0]), ms(took[len(took)*9/10]), ms(took[len(took)-1]), len(took))
}
