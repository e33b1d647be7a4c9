package chaos

import (
	"syscall"
	"time"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// endsWithin is how long what a server leaves behind may outlive it.
const endsWithin = 3 * time.Second

// otherServerDies gives every second phone to another server, brings the pairs
// into calls, and kills that server: the far ends of its calls are told, its
// phones are registered no more, its files are whole and its processes gone, all
// within 3 s. The PBX is the first server's, and lives to tell.
func (r *rig) otherServerDies() {
	r.t.Helper()
	temp := tempDir(r.t)
	other := mcpclient.Start(r.t, programs, mcpclient.Options{Args: []string{"--log-level", "error"}, Env: []string{"TMPDIR=" + temp}})
	for i, p := range r.pairs {
		// Its account stays, for the PBX.
		phones.Add(r.t, r.c, p.ends[1].ID, mcpclient.Args{"domain": r.pbx, "register": false})
		p.ends[1] = r.add(other, 2*i+1)
	}
	status := make([]int, len(r.pairs)) // that the call of the one who lives ends with
	for i, p := range r.pairs {
		left, dead := p.ends[0], p.ends[1]
		switch i {
		case len(r.pairs) - 1: // the dead one rings
			p.calls[0] = left.Call(r.uri(dead))
			dead.Rings()
			left.Reaches(p.calls[0], "EARLY")
			status[i] = 603 // as it does when a phone that rings hangs up
		case len(r.pairs) - 2: // the dead one calls
			dead.Call(r.uri(left))
			p.calls[0] = left.Rings()
			status[i] = 487
		case 0:
			p.calls[1], p.calls[0] = phones.Talk(dead, left, r.uri(left))
			dead.Do("hold", mcpclient.Args{"call_id": p.calls[1]})
			status[i] = 200
		default:
			p.calls[0], p.calls[1] = phones.Talk(left, dead, r.uri(dead))
			status[i] = 200
		}
	}
	before := r.pairs[0].ends[0].Do("stop_audio", nil).Int("cursor")
	began := time.Now()
	r.killed9(other, temp)
	var told []time.Duration
	for i, p := range r.pairs {
		took := p.ends[0].When(before, "call.state.disconnected").Sub(began)
		if told = append(told, took); took > endsWithin {
			r.t.Errorf("%s was told %v after the death of the other server", p.ends[0].ID, took)
		}
		p.ends[0].Ends(p.calls[0], status[i])
		call := p.ends[0].Call(r.uri(p.ends[1]))
		if why := p.ends[0].Ends(call, 480).String("last_status_text"); why != "User is not registered" {
			r.t.Errorf("after the death of its server %s is still registered: %s", p.ends[1].ID, why)
		}
	}
	report(r.t, "kill -9 of a server to the calls of others with its phones ended", told)
	r.filesAreWhole(other, len(r.pairs)-2)
}

// serverDies kills the server that has the PBX, too, with all its calls up.
func (r *rig) serverDies() {
	r.t.Helper()
	r.killed9(r.c, r.temp)
	r.filesAreWhole(r.c, r.plan.phones)
}

// killed9 kills a server and requires that nothing of it is left soon after.
func (r *rig) killed9(c *mcpclient.Client, temp string) {
	r.t.Helper()
	began := time.Now()
	c.Signal(syscall.SIGKILL)
	c.WaitEnd(endsWithin)
	for left := processes(c); len(left) > 0; left = processes(c) {
		if time.Since(began) > endsWithin {
			r.t.Errorf("%v after the death of the server there are the processes %v", endsWithin, left)
			return
		}
		r.pass(10 * time.Millisecond)
	}
	if left := tempFiles(temp); len(left) > 0 {
		r.t.Errorf("the death of the server has left %v", left)
	}
	r.t.Logf("kill -9 of the server to no process left: %v", time.Since(began).Round(time.Millisecond))
}
