package chaos

import (
	"fmt"
	"syscall"
	"time"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// moment is when a worker dies.
type moment int

const (
	talking moment = iota
	hangs          // SIGSTOP, in a call
	// While a call is set up: when its INVITE has left, when it rings, when
	// it has just been answered.
	invited
	ringing
	answered
)

func (m moment) String() string {
	return [...]string{"talking", "hanging in a call", "calling", "at a call that rings", "at a call that was just answered"}[m]
}

type death struct {
	when  moment
	after time.Duration // since the one before
}

// choose makes the deaths of a run, in random order.
func (r *rig) choose(p plan) []death {
	var all []death
	for i := range p.deaths {
		d := death{when: talking, after: time.Duration(r.rnd.Int64N(int64(p.pause)))}
		switch {
		case i < p.hangs:
			d.when = hangs
		case i < p.hangs+p.setups:
			d.when = []moment{invited, ringing, answered}[i%3]
		}
		all = append(all, d)
	}
	r.rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// mostDeaths is how often a phone may die before it would stay down.
const mostDeaths = 3

// victim picks a pair and which of its ends dies. A phone that has died too
// often gets a new start.
func (r *rig) victim(when moment) (p *pair, end int) {
	r.t.Helper()
	for {
		p, end = r.pairs[r.rnd.IntN(len(r.pairs))], r.rnd.IntN(2)
		if !p.out {
			break
		}
	}
	if when == invited {
		end = 0 // who is called does not know yet
	}
	id := p.ends[end].ID
	if r.killed[id] == mostDeaths {
		r.end(p)
		r.c.Must("restart_phone", mcpclient.Args{"phone_id": id})
		r.killed[id] = 0
		r.call(p)
	}
	r.killed[id]++
	return p, end
}

// die lets one worker die, and looks after those who live.
func (r *rig) die(d death) {
	r.t.Helper()
	p, end := r.victim(d.when)
	if d.when == hangs {
		r.hang(p, end)
		return
	}
	began, before := r.bring(p, end, d.when)
	dead, left := p.ends[end], p.ends[1-end]
	r.noticed = append(r.noticed, dead.When(before, "phone.exited").Sub(began))
	registered := dead.When(before, "reg.success").Sub(began)
	first := r.killed[dead.ID] == 1
	if first {
		r.registered = append(r.registered, registered)
	} else {
		r.registeredLater = append(r.registeredLater, registered)
	}
	r.alone(left, fmt.Sprintf("%s died %s", dead.ID, d.when))
	if d.when == talking {
		if told := left.When(before, "call.state.disconnected").Sub(began); first {
			r.told = append(r.told, told)
		}
		r.mine.add(left.Ends(p.calls[1-end], 200))
	}
	r.toolsFit()
	r.call(p)
}

// bring brings a pair to the moment and kills one of it.
func (r *rig) bring(p *pair, end int, when moment) (began time.Time, before int) {
	r.t.Helper()
	caller, callee := p.ends[0], p.ends[1]
	pid := r.pid(p.ends[end])
	kill := func() {
		r.t.Helper()
		began = time.Now()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			r.t.Fatal(err)
		}
	}
	if when == talking {
		p.up = false
		before = p.ends[end].Do("stop_audio", mcpclient.Args{"call_id": p.calls[end]}).Int("cursor")
		kill()
		return began, before
	}
	r.end(p)
	before = caller.Do("make_call", mcpclient.Args{"dest_uri": r.uri(callee)}).Int("cursor")
	// Each is on record before it is followed by a death: what a worker did in
	// its last moment, and nobody heard of, nobody can end.
	caller.When(before, "call.state.calling")
	if when != invited {
		callee.When(before, "call.state.incoming")
		caller.When(before, "call.state.early")
	}
	if when == answered {
		callee.Do("answer_call", nil)
	}
	kill()
	return began, before
}

// alone waits until a phone is in no call any more.
func (r *rig) alone(p *phones.Phone, because string) {
	r.t.Helper()
	r.c.Until(phones.Patience, p.ID+" without a call, after "+because, p.ID+"_get_active_calls", nil, func(a mcpclient.Answer) bool {
		return a.Int("active_count") == 0
	})
}

func (r *rig) pid(p *phones.Phone) int {
	r.t.Helper()
	return r.c.Must("get_phone", mcpclient.Args{"phone_id": p.ID}).Object("worker").Int("pid")
}

// hanging is a worker that stands still and has not been noticed yet.
type hanging struct {
	*pair
	end    int
	began  time.Time
	before int
}

func (r *rig) hang(p *pair, end int) {
	r.t.Helper()
	p.out, p.up = true, false
	before := p.ends[end].Do("stop_audio", mcpclient.Args{"call_id": p.calls[end]}).Int("cursor")
	pid, began := r.pid(p.ends[end]), time.Now()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		r.t.Fatal(err)
	}
	r.hanging = append(r.hanging, &hanging{p, end, began, before})
}

// recoverHanging waits until every worker that hangs has been replaced.
func (r *rig) recoverHanging() {
	r.t.Helper()
	for _, h := range r.hanging {
		dead, left := h.ends[h.end], h.ends[1-h.end]
		r.stopped = append(r.stopped, dead.When(h.before, "phone.exited").Sub(h.began))
		dead.When(h.before, "reg.success")
		r.alone(left, dead.ID+" hung")
		r.mine.add(left.Ends(h.calls[1-h.end], 200))
		h.out = false
	}
	r.hanging = nil
	r.toolsFit()
}
