package e2e

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// aMoment is enough for a phone that has received as long as the others.
const aMoment = 200 * time.Millisecond

// three starts a server with three phones that call each other directly.
func three(t *testing.T) (c *mcpclient.Client, a, b, d *phones.Phone) {
	t.Helper()
	c, a, b = pair(t)
	return c, a, b, phones.AddDirect(t, c, "d")
}

// described is what the session descriptions of a call's INVITEs say, in order.
func described(t *testing.T, c *mcpclient.Client, call int, direction string) (directions []string, versions []int) {
	t.Helper()
	messages := c.Must("get_call_messages", mcpclient.Args{"call_id": call, "method": "INVITE", "direction": direction}).List("messages")
	for _, m := range messages {
		if m.Fields["sdp"] == nil {
			continue
		}
		s := m.Object("sdp")
		version, err := strconv.Atoi(s.Object("origin").String("version"))
		if err != nil {
			t.Fatal(err)
		}
		directions = append(directions, s.List("media")[0].String("direction"))
		versions = append(versions, version)
	}
	return directions, versions
}

func TestHoldAndUnhold(t *testing.T) {
	t.Parallel()
	c, a, b := pair(t)
	atA, atB := phones.Talk(a, b, b.URI())
	for _, step := range []struct {
		action string
		held   bool
	}{{"hold", true}, {"unhold", false}} {
		done := a.Do(step.action, mcpclient.Args{"call_id": atA})
		if done.Int("call_id") != atA || done.Bool("already") {
			t.Errorf("%s answers %s", step.action, done.Text)
		}
		if again := a.Do(step.action, nil); !again.Bool("already") {
			t.Errorf("%s again answers %s", step.action, again.Text)
		}
		if info := a.Do("get_call_info", nil); info.Bool("on_hold") != step.held || info.String("state") != "CONFIRMED" {
			t.Errorf("after %s the call is %s", step.action, info.Text)
		}
	}
	a.Plays(atA, 600)
	b.Plays(atB, 1000)
	a.Receives(atA, phones.Talking)
	b.Receives(atB, aMoment)
	offered, versions := described(t, c, atA, "TX")
	if want := []string{"sendrecv", "sendonly", "sendrecv"}; !slices.Equal(offered, want) {
		t.Errorf("a offered %v, want %v", offered, want)
	}
	answered, answers := described(t, c, atA, "RX")
	if want := []string{"sendrecv", "recvonly", "sendrecv"}; !slices.Equal(answered, want) {
		t.Errorf("b answered %v, want %v", answered, want)
	}
	for who, list := range map[string][]int{"a": versions, "b": answers} {
		for i := range list[1:] {
			if list[i+1] != list[i]+1 {
				t.Errorf("the versions of %s's descriptions are %v", who, list)
			}
		}
	}
	a.Do("hangup", nil)
	a.Heard(a.Recording(atA), 1000)
	b.Heard(b.Recording(atB), 600)
}

func TestBlindTransfer(t *testing.T) {
	t.Parallel()
	c, a, b, d := three(t)
	atA, atB := phones.Talk(a, b, b.URI())
	sent := a.Do("blind_transfer", mcpclient.Args{"dest_uri": d.URI(), "call_id": atA})
	if sent.Int("call_id") != atA || sent.String("transfer_to") != d.URI() {
		t.Errorf("blind_transfer answers %s", sent.Text)
	}
	atD := d.Answers()
	succeeded, _ := a.Sees(sent.Int("cursor"), "transfer.succeeded", nil)
	if succeeded.Int("call_id") != atA || succeeded.Object("data").Int("status") != 200 {
		t.Errorf("a saw %s", succeeded.Text)
	}
	a.Ends(atA, 200)
	b.Ends(atB, 200)
	accepted, _ := b.Sees(sent.Int("cursor"), "transfer.accepted", nil)
	next := accepted.Object("data").Int("new_call_id")
	talking(t, b, next, d, atD)
	refer := c.Must("get_call_messages", mcpclient.Args{"call_id": atB, "method": "REFER", "direction": "RX"}).List("messages")
	if len(refer) != 1 || refer[0].Object("headers").String("Refer-To") != "<"+d.URI()+">" || refer[0].Object("headers").String("Referred-By") == "" {
		t.Errorf("b received the REFER %v", refer)
	}
}

func TestRefusedTransferLeavesTheCall(t *testing.T) {
	t.Parallel()
	_, a, b, d := three(t)
	atA, atB := phones.Talk(a, b, b.URI())
	sent := a.Do("blind_transfer", mcpclient.Args{"dest_uri": d.URI()})
	d.Do("reject_call", mcpclient.Args{"call_id": d.Rings(), "status_code": 603})
	failed, _ := a.Sees(sent.Int("cursor"), "transfer.failed", nil)
	if status := failed.Object("data").Int("status"); status != 603 {
		t.Errorf("the transfer failed with %d", status)
	}
	talking(t, a, atA, b, atB)
}

func TestAttendedTransfer(t *testing.T) {
	t.Parallel()
	_, a, b, d := three(t)
	toB, atB := phones.Talk(a, b, b.URI())
	toD, atD := phones.Talk(a, d, d.URI())
	a.Refuses("attended_transfer", mcpclient.Args{"call_id": toB, "dest_call_id": atD}, strconv.Itoa(atD), "'d'")
	sent := a.Do("attended_transfer", mcpclient.Args{"call_id": toB, "dest_call_id": toD})
	if !sent.Bool("transferred") {
		t.Errorf("attended_transfer answers %s", sent.Text)
	}
	a.Sees(sent.Int("cursor"), "transfer.succeeded", nil)
	a.Ends(toB, 200)
	a.Ends(toD, 200)
	b.Ends(atB, 200)
	d.Ends(atD, 200)
	talking(t, b, active(t, b), d, active(t, d))
}

// active is the one active call of a phone.
func active(t *testing.T, p *phones.Phone) int {
	t.Helper()
	calls := p.Do("get_active_calls", nil).List("calls")
	if len(calls) != 1 {
		t.Fatalf("%s has the calls %v", p.ID, calls)
	}
	return calls[0].Int("call_id")
}

// talking requires that two calls are connected: each hears the other's tone.
func talking(t *testing.T, a *phones.Phone, atA int, b *phones.Phone, atB int) {
	t.Helper()
	a.Reaches(atA, "CONFIRMED")
	b.Reaches(atB, "CONFIRMED")
	a.Plays(atA, 600)
	b.Plays(atB, 1000)
	a.Receives(atA, phones.Talking)
	b.Receives(atB, aMoment)
	a.Do("hangup", mcpclient.Args{"call_id": atA})
	a.Heard(a.Recording(atA), 1000)
	b.Heard(b.Recording(atB), 600)
}

func TestConference(t *testing.T) {
	t.Parallel()
	_, a, b, d := three(t)
	toB, atB := phones.Talk(a, b, b.URI())
	toD, atD := phones.Talk(a, d, d.URI())
	mixed := a.Do("conference", mcpclient.Args{"call_ids": []int{toB, toD}})
	if mixed.Int("participants") != 2 {
		t.Errorf("conference answers %s", mixed.Text)
	}
	a.Plays(toB, 600)
	a.Plays(toD, 600)
	b.Plays(atB, 1000)
	d.Plays(atD, 1500)
	a.Receives(toB, phones.Talking)
	b.Receives(atB, aMoment)
	d.Receives(atD, aMoment)
	a.Do("hangup", mcpclient.Args{"call_id": toB})
	a.Do("hangup", mcpclient.Args{"call_id": toD})
	for _, tone := range []float64{600, 1000, 1500} {
		b.Heard(b.Recording(atB), tone)
		d.Heard(d.Recording(atD), tone)
	}
	a.Heard(a.Recording(toB), 1000)
	a.Heard(a.Recording(toD), 1500)
}
