package handset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"ringmaster/proto/phone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 8 * time.Second

// rig is a phone of a test, with its events in order.
type rig struct {
	t      *testing.T
	h      *Handset
	port   int
	events chan phone.Event
	seen   []string

	dialogs chan phone.Dialog
}

// newRig makes a phone that talks to nobody but whom it is told to.
func newRig(t *testing.T, id string, first phone.CallID, change ...func(*phone.Configuration)) *rig {
	t.Helper()
	r := &rig{t: t, h: New("Ringmaster/test", hclog.NewNullLogger()), events: make(chan phone.Event, 1000), dialogs: make(chan phone.Dialog, 1000)}
	c := phone.Configuration{
		Settings: phone.Settings{
			PhoneID: phone.ID(id), Domain: "127.0.0.1", Username: id, Password: phone.NewSecret("x"), Transport: phone.UDP,
		},
		RecordingsDir: t.TempDir(), CapturesDir: t.TempDir(), SDPSessionName: "Ringmaster",
		CallIDs: phone.Block{First: first, Count: phone.BlockSize},
	}
	for _, f := range change {
		f(&c)
	}
	configured, err := r.h.Configure(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	r.port = configured.LocalPort
	ctx, stop := context.WithCancel(context.Background())
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		_ = r.h.Watch(ctx, 0, func(e phone.Entry) error {
			if e.Event != nil {
				r.events <- *e.Event
			}
			if e.Dialog != nil {
				r.dialogs <- *e.Dialog
			}
			return nil
		})
	}()
	t.Cleanup(func() {
		r.h.Close()
		stop()
		<-watched
	})
	return r
}

func (r *rig) uri() string { return fmt.Sprintf("sip:%s@127.0.0.1:%d", r.h.cfg.Username, r.port) }

// do performs a command that must succeed.
func (r *rig) do(cmd phone.Command) phone.Outcome {
	r.t.Helper()
	o, err := r.try(cmd)
	if err != nil {
		r.t.Fatalf("%s: %T: %v", r.h.cfg.PhoneID, cmd, err)
	}
	return o
}

func (r *rig) try(cmd phone.Command) (phone.Outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return r.h.Do(ctx, cmd)
}

// refuses performs a command that must fail with that kind and words.
func (r *rig) refuses(cmd phone.Command, kind phone.ErrorKind, words string) {
	r.t.Helper()
	_, err := r.try(cmd)
	var e *phone.Error
	if !errors.As(err, &e) || e.Kind != kind || !strings.Contains(e.Sentence, words) {
		r.t.Errorf("%s: %T: %v, want a %v error with %q", r.h.cfg.PhoneID, cmd, err, kind, words)
	}
}

// awaits waits for an event of that type; what comes before it is passed over.
func (r *rig) awaits(eventType string) phone.Event {
	r.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e := <-r.events:
			r.seen = append(r.seen, e.Type)
			if e.Type == eventType {
				return e
			}
		case <-deadline:
			r.t.Fatalf("%s: no %s; there were %v", r.h.cfg.PhoneID, eventType, r.seen)
		}
	}
}

// awaitsAll waits for events of those types, in whatever order.
func (r *rig) awaitsAll(types ...string) {
	r.t.Helper()
	deadline := time.After(patience)
	for len(types) > 0 {
		select {
		case e := <-r.events:
			r.seen = append(r.seen, e.Type)
			if i := slices.Index(types, e.Type); i >= 0 {
				types = slices.Delete(types, i, i+1)
			}
		case <-deadline:
			r.t.Fatalf("%s: no %v; there were %v", r.h.cfg.PhoneID, types, r.seen)
		}
	}
}

// connect makes a confirmed call from a to b and returns both ids.
func connect(a, b *rig) (out, in phone.CallID) {
	a.t.Helper()
	out = a.do(phone.MakeCall{DestURI: b.uri()}).Call.CallID
	in = *b.awaits("call.state.incoming").CallID
	b.do(phone.Answer{CallID: &in, Status: 200})
	a.awaits("call.state.confirmed")
	b.awaits("call.state.confirmed")
	return out, in
}

func TestTwoPhonesCallEachOther(t *testing.T) {
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
	o := a.do(phone.MakeCall{DestURI: b.uri(), Headers: map[string]string{"X-Test": "1"}})
	if o.Call.CallID != 0 || o.Call.State != phone.StateCalling {
		t.Errorf("make_call answers %+v", o.Call)
	}
	in := b.awaits("call.state.incoming")
	if *in.CallID != 1000 || in.Data["direction"] != "inbound" || in.Data["remote_uri"] != "sip:a@127.0.0.1" {
		t.Errorf("the call comes in as %+v", in)
	}
	a.awaits("call.state.early") // b rings by itself
	if calls := b.do(phone.ListCalls{}).Calls; calls[0].State != phone.StateIncoming {
		t.Errorf("b's call is %v before anybody has touched it", calls[0].State)
	}
	b.do(phone.Answer{Status: 183})
	b.do(phone.Answer{Status: 200})
	a.awaits("call.state.connecting")
	a.awaits("call.state.confirmed")
	b.awaits("call.state.confirmed")
	if again := b.do(phone.Answer{CallID: in.CallID, Status: 200}); !again.Call.Already {
		t.Error("answering twice is not told")
	}
	info := a.do(phone.GetCall{}).Calls[0]
	if info.Codec != "PCMA" || info.LastStatus != 200 || info.State != phone.StateConfirmed || info.RemoteContact == "" {
		t.Errorf("the call is %+v", info)
	}
	b.do(phone.Hangup{})
	over := a.awaits("call.state.disconnected")
	if over.Data["last_status"] != int64(200) || over.Data["last_status_text"] != normalClearingText {
		t.Errorf("a's call ended as %v", over.Data)
	}
	if calls := a.do(phone.ListCalls{}).Calls; len(calls) != 1 || calls[0].State != phone.StateDisconnected {
		t.Errorf("a's calls are %+v", calls)
	}
	zero := phone.CallID(0)
	if again := a.do(phone.Hangup{CallID: &zero}); !again.Call.Already {
		t.Error("hanging up a call that is over is not told")
	}
}

const normalClearingText = "Normal call clearing"

func TestRefusedAndCancelledCalls(t *testing.T) {
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
	a.do(phone.MakeCall{DestURI: b.uri()})
	b.awaits("call.state.incoming")
	b.do(phone.Reject{Status: 486})
	for _, r := range []*rig{a, b} {
		if e := r.awaits("call.state.disconnected"); e.Data["last_status"] != int64(486) || e.Data["last_status_text"] != "Busy Here" {
			t.Errorf("%s: the refusal is %v", r.h.cfg.PhoneID, e.Data)
		}
	}
	a.do(phone.MakeCall{DestURI: b.uri()})
	b.awaits("call.state.incoming")
	b.do(phone.Answer{Status: 180})
	a.awaits("call.state.early")
	a.do(phone.Hangup{})
	for _, r := range []*rig{a, b} {
		if e := r.awaits("call.state.disconnected"); e.Data["last_status"] != int64(487) {
			t.Errorf("%s: the cancelled call ended as %v", r.h.cfg.PhoneID, e.Data)
		}
	}
}

func TestCommandsThatMakeNoSense(t *testing.T) {
	a := newRig(t, "a", 0)
	none := phone.CallID(9999)
	a.refuses(phone.MakeCall{DestURI: "b"}, phone.Invalid, "no SIP URI")
	a.refuses(phone.Hangup{}, phone.NotFound, "no active call")
	a.refuses(phone.Answer{Status: 200}, phone.NotFound, "no waiting call")
	a.refuses(phone.Hangup{CallID: &none}, phone.NotFound, "call 9999 not found")
	a.refuses(phone.MakeCall{DestURI: "sip:b@nowhere.invalid"}, phone.Unreachable, "nowhere.invalid")
	if calls := a.do(phone.ListCalls{}).Calls; len(calls) != 0 {
		t.Errorf("a call that never was is listed: %+v", calls)
	}
}

// auto_answer acts at once: on a call that rings already too.
func TestAutoAnswerTakesACallThatRings(t *testing.T) {
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
	first := a.do(phone.MakeCall{DestURI: b.uri()}).Call.CallID
	b.awaits("call.state.incoming")
	second := a.do(phone.MakeCall{DestURI: b.uri()}).Call.CallID
	early := *b.awaits("call.state.incoming").CallID
	b.do(phone.Answer{CallID: &early, Status: 183})
	off, on := false, true
	b.do(phone.UpdateSettings{Update: phone.Update{AutoAnswer: &off}})
	for _, c := range b.do(phone.ListCalls{}).Calls {
		if c.State != phone.StateIncoming && c.State != phone.StateEarly {
			t.Errorf("call %d is %v though nothing was to be answered", c.CallID, c.State)
		}
	}
	b.do(phone.UpdateSettings{Update: phone.Update{AutoAnswer: &on}})
	for range 2 {
		if got := *a.awaits("call.state.confirmed").CallID; got != first && got != second {
			t.Errorf("call %d was answered", got)
		}
	}
}

// What the far end refused is not offered again, nor is its own offer refused for
// want of it.
func TestACallKeepsItsCodecsAfterARefusal(t *testing.T) {
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
	b.do(phone.UpdateSettings{Update: phone.Update{Codecs: &[]string{"PCMA"}}})
	connect(a, b)
	a.refuses(phone.SetCodecs{Codecs: []string{"G722"}}, phone.Refused, "488")
	if got := a.do(phone.UpdateSettings{Update: phone.Update{Codecs: &[]string{"G722"}}}).Updated.CodecReinviteError; !strings.Contains(got, "488") {
		t.Errorf("the far end refused: %q", got)
	}
	a.do(phone.Hold{})
	b.do(phone.Hold{})
	a.do(phone.Unhold{})
	b.do(phone.Unhold{})
	if info := a.do(phone.GetCall{}).Calls[0]; info.Codec != "PCMA" {
		t.Errorf("a speaks %s", info.Codec)
	}
}

// A phone's codecs hold for a call that rings: its answer has not left.
func TestCodecsOfACallThatRings(t *testing.T) {
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
	for _, c := range []struct {
		before, codecs []string
		status         int64 // with which the call ends; 0: it is confirmed
		codec          string
	}{
		{[]string{"PCMA", "PCMU"}, []string{"G722", "PCMU"}, 0, "G722"},
		{[]string{"G722"}, []string{"L16"}, 488, ""},
	} {
		b.do(phone.UpdateSettings{Update: phone.Update{Codecs: &c.before}})
		a.do(phone.MakeCall{DestURI: b.uri()})
		in := *b.awaits("call.state.incoming").CallID
		b.do(phone.UpdateSettings{Update: phone.Update{Codecs: &c.codecs}})
		if c.status != 0 {
			if got := a.awaits("call.state.disconnected").Data["last_status"]; got != c.status {
				t.Errorf("%v: the call ended with %v", c.codecs, got)
			}
			continue
		}
		b.do(phone.Answer{CallID: &in, Status: 200})
		out := *a.awaits("call.state.confirmed").CallID
		b.awaits("call.state.confirmed")
		if got := a.do(phone.GetCall{CallID: &out}).Calls[0].Codec; got != c.codec {
			t.Errorf("%v: a speaks %s", c.codecs, got)
		}
		a.do(phone.Hangup{CallID: &out})
		a.awaits("call.state.disconnected")
	}
}

func TestMessages(t *testing.T) {
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
	a.do(phone.SendMessage{DestURI: b.uri(), Body: "hällo"})
	if e := b.awaits("im.received"); e.Data["body"] != "hällo" || e.Data["from"] != "sip:a@127.0.0.1" || e.Data["content_type"] != "text/plain" {
		t.Errorf("the message came as %v", e.Data)
	}
	a.do(phone.SendMessage{DestURI: b.uri(), Body: strings.Repeat("ä", 5000) + "."})
	if e := b.awaits("im.received"); e.Data["body"] != strings.Repeat("ä", eventBody/2)+"… (5905 more bytes)" {
		t.Errorf("the long message came as %v", e.Data)
	}
}

func TestHoldAndUnhold(t *testing.T) {
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
	connect(a, b)
	if o := a.do(phone.Hold{}); o.Call.Already {
		t.Error("the first hold says already")
	}
	if o := a.do(phone.Hold{}); !o.Call.Already {
		t.Error("the second hold does not say already")
	}
	b.do(phone.Hold{}) // both hold
	a.do(phone.Unhold{})
	b.do(phone.Unhold{})
	b.do(phone.SetCodecs{Codecs: []string{"PCMU"}})
	if info := a.do(phone.GetCall{}).Calls[0]; info.Codec != "PCMU" {
		t.Errorf("after the change a speaks %s", info.Codec)
	}
	wide := []string{"G722"}
	if o := b.do(phone.UpdateSettings{Update: phone.Update{Codecs: &wide}}); len(o.Updated.CodecReinvitedIDs) != 1 {
		t.Errorf("update_phone re-INVITEd %+v", o.Updated)
	}
	if info := a.do(phone.GetCall{}).Calls[0]; info.Codec != "G722" {
		t.Errorf("after b's update a speaks %s", info.Codec)
	}
	a.refuses(phone.SetCodecs{Codecs: []string{"G729"}}, phone.Invalid, `"G729" is not built in`)
}

func TestBlindTransfer(t *testing.T) {
	a, b, c := newRig(t, "a", 0), newRig(t, "b", 1000), newRig(t, "c", 2000)
	connect(a, b)
	a.do(phone.BlindTransfer{DestURI: c.uri()})
	a.awaits("transfer.accepted")
	in := c.awaits("call.state.incoming")
	c.do(phone.Answer{CallID: in.CallID, Status: 200})
	a.awaitsAll("transfer.succeeded", "call.state.disconnected")
	b.awaits("call.state.disconnected")
	if calls := b.do(phone.ListCalls{}).Calls; len(calls) < 1 || calls[0].State != phone.StateConfirmed || calls[0].Direction != phone.Outbound {
		t.Errorf("b's calls are %+v", calls)
	}
}

func TestAttendedTransfer(t *testing.T) {
	a, b, c := newRig(t, "a", 0), newRig(t, "b", 1000), newRig(t, "c", 2000)
	connect(a, b)
	connect(a, c)
	a.do(phone.AttendedTransfer{})
	a.awaitsAll("transfer.succeeded", "call.state.disconnected", "call.state.disconnected")
	b.awaits("call.state.disconnected")
	c.awaits("call.state.confirmed")
	for _, r := range []*rig{b, c} {
		if calls := r.do(phone.ListCalls{}).Calls; calls[0].State != phone.StateConfirmed {
			t.Errorf("%s's calls are %+v", r.h.cfg.PhoneID, calls)
		}
	}
}

// A Replaces that means a call only while it rings (RFC 3891 §3) leaves one that
// is answered alone.
func TestReplacesOfEarlyCallsOnly(t *testing.T) {
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
	a.do(phone.MakeCall{DestURI: b.uri()})
	in := *b.awaits("call.state.incoming").CallID
	b.do(phone.Answer{CallID: &in, Status: 200})
	atA, atB := a.awaits("call.state.confirmed").Data, b.awaits("call.state.confirmed").Data
	replaces := fmt.Sprintf("%v;to-tag=%v;from-tag=%v", atB["sip_call_id"], atB["local_tag"], atA["local_tag"])
	call := func(flag string) {
		a.do(phone.MakeCall{DestURI: b.uri(), Headers: map[string]string{"Replaces": replaces + flag}})
	}
	call(";early-only")
	if got := a.awaits("call.state.disconnected").Data["last_status"]; got != int64(486) {
		t.Errorf("with early-only: %v", got)
	}
	call("")
	a.awaits("call.state.confirmed")
	if got := a.awaits("call.state.disconnected").Data["sip_call_id"]; got != atA["sip_call_id"] {
		t.Errorf("not the call that was replaced is over, but %v", got)
	}
}

func TestShutdownEndsCalls(t *testing.T) {
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
	connect(a, b)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := a.h.Shutdown(ctx, phone.Shutdown{HangupCalls: true}); err != nil {
		t.Error(err)
	}
	b.awaits("call.state.disconnected")
	a.refuses(phone.ListCalls{}, phone.Gone, "shut down")
}
