package phones

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ringmaster/tests/mcpclient"
)

// Patience is how long anything may take that happens at once by rights: far
// longer than it takes, so that a loaded machine fails no test.
const Patience = 10 * time.Second

// Phone is one phone of a session.
type Phone struct {
	ID   string
	User string
	Port int // of its SIP socket
	// Added is add_phone's answer.
	Added mcpclient.Answer

	t testing.TB
	c *mcpclient.Client
}

// Add adds a phone with the given arguments of add_phone, over these: its user
// is its id, and it records.
func Add(t testing.TB, c *mcpclient.Client, id string, args mcpclient.Args) *Phone {
	t.Helper()
	all := mcpclient.Args{
		"phone_id": id, "username": id, "password": "unused", "domain": "127.0.0.1", "recording_enabled": true,
	}
	maps.Copy(all, args)
	added := c.Must("add_phone", all)
	return &Phone{ID: id, User: all["username"].(string), Port: added.Int("local_port"), Added: added, t: t, c: c}
}

// AddDirect adds a phone that has no registrar: others call its URI.
func AddDirect(t testing.TB, c *mcpclient.Client, id string) *Phone {
	t.Helper()
	return Add(t, c, id, mcpclient.Args{"register": false})
}

// URI is where the phone is reached without a registrar.
func (p *Phone) URI() string {
	return fmt.Sprintf("sip:%s@%s", p.User, net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Port)))
}

// Do calls one of the phone's own tools, which has to succeed.
func (p *Phone) Do(action string, args mcpclient.Args) mcpclient.Answer {
	p.t.Helper()
	return p.c.Must(p.ID+"_"+action, args)
}

// Refuses calls one of the phone's own tools, which has to fail and to say
// every one of the words.
func (p *Phone) Refuses(action string, args mcpclient.Args, words ...string) {
	p.t.Helper()
	p.c.MustFail(p.ID+"_"+action, args, words...)
}

// Call begins a call and returns its id.
func (p *Phone) Call(uri string) int {
	p.t.Helper()
	return p.Do("make_call", mcpclient.Args{"dest_uri": uri}).Int("call_id")
}

// Rings waits for an incoming call and returns its id.
func (p *Phone) Rings() int {
	p.t.Helper()
	return p.incoming("INCOMING", "EARLY")
}

// Confirmed waits for an incoming call that is answered, and returns its id.
func (p *Phone) Confirmed() int {
	p.t.Helper()
	return p.incoming("CONFIRMED")
}

func (p *Phone) incoming(states ...string) (id int) {
	p.t.Helper()
	want := "an incoming call in " + strings.Join(states, " or ")
	p.c.Until(Patience, want, p.ID+"_get_active_calls", nil, func(a mcpclient.Answer) bool {
		for _, call := range a.List("calls") {
			if call.String("direction") == "inbound" && slices.Contains(states, call.String("state")) {
				id = call.Int("call_id")
				return true
			}
		}
		return false
	})
	return id
}

// Reaches waits until a call is in a state and returns what is known of it.
func (p *Phone) Reaches(call int, state string) mcpclient.Answer {
	p.t.Helper()
	return p.c.Until(Patience, fmt.Sprintf("call %d %s", call, state), p.ID+"_get_call_info", mcpclient.Args{"call_id": call},
		func(a mcpclient.Answer) bool { return a.String("state") == state })
}

// Ends waits until a call is over, with the given last status.
func (p *Phone) Ends(call, lastStatus int) mcpclient.Answer {
	p.t.Helper()
	info := p.Reaches(call, "DISCONNECTED")
	if got := info.Int("last_status"); got != lastStatus {
		p.t.Errorf("call %d of %s ended with %d (%s), want %d", call, p.ID, got, info.String("last_status_text"), lastStatus)
	}
	return info
}

// Answers lets the phone answer the call that rings, and returns its id.
func (p *Phone) Answers() int {
	p.t.Helper()
	id := p.Rings()
	p.Do("answer_call", mcpclient.Args{"call_id": id})
	return id
}

// Talk lets one phone call another at a URI, and the other answer; it returns
// both ends of the call when both are confirmed.
func Talk(from, to *Phone, uri string) (fromCall, toCall int) {
	from.t.Helper()
	fromCall = from.Call(uri)
	toCall = to.Answers()
	from.Reaches(fromCall, "CONFIRMED")
	to.Reaches(toCall, "CONFIRMED")
	return fromCall, toCall
}

// Messages waits until the phone has so many messages, and returns them.
func (p *Phone) Messages(n int) []mcpclient.Answer {
	p.t.Helper()
	return p.c.Until(Patience, fmt.Sprintf("%d messages", n), p.ID+"_get_messages", nil,
		func(a mcpclient.Answer) bool { return a.Int("total_count") >= n }).List("messages")
}
