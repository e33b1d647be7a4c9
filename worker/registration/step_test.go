package registration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var start = time.Unix(1_700_000_000, 0)

// told writes effects in short: "landed send reg.started(…)".
func told(e effects) string {
	var words []string
	for _, r := range e.reports {
		words = append(words, fmt.Sprintf("%s(%v %d %q %d)", r.event, r.registration.IsRegistered, r.registration.StatusCode, r.registration.Reason, r.registration.Expires))
	}
	for _, flag := range []struct {
		set  bool
		name string
	}{{e.landed, "landed"}, {e.begun, "begun"}, {e.send, "send"}, {e.nothing, "nothing"}, {e.closed, "closed"}} {
		if flag.set {
			words = append(words, flag.name)
		}
	}
	return strings.Join(words, " ")
}

func TestStep(t *testing.T) {
	ok := answered{status: 200, reason: "OK", granted: 100}
	busy := answered{status: 503, reason: "Busy"}
	const (
		started = `reg.started(false 0 "no answer from pbx yet" 300) begun send`
		again   = `reg.started(true 200 "OK" 300) begun send`
		success = `reg.success(true 200 "OK" 100)`
		gone    = `reg.unregistered(false 200 "OK" 0)`
		failed  = `reg.failed(false 503 "Busy" 0)`
		cut     = "registrar pbx: cut"
		silent  = `reg.failed(false 0 "registrar pbx: silence" 0)`
	)
	type turn struct {
		after time.Duration // since the turn before
		in    any
		want  string
		due   time.Duration // from now; 0: no timer
	}
	for _, row := range []struct {
		name  string
		turns []turn
	}{
		{"registered, refreshed, unregistered", []turn{
			{0, register{}, started, 0},
			{1 * time.Second, ok, success + " landed", 90 * time.Second},
			{90 * time.Second, timeout{}, again, 0},
			{0, ok, success + " landed", 90 * time.Second},
			{time.Second, unregister{}, "begun send", 0},
			{0, answered{status: 200, reason: "OK"}, gone + " landed", 0},
			{0, unregister{}, "nothing", 0},
		}},
		{"backs off, and begins anew after a success", []turn{
			{0, register{}, started, 0},
			{0, busy, failed + " landed", time.Second},
			{time.Second, timeout{}, `reg.started(false 503 "Busy" 300) begun send`, 0},
			{0, unanswered{"registrar pbx: silence"}, silent + " landed", 2 * time.Second},
			{2 * time.Second, timeout{}, `reg.started(false 0 "registrar pbx: silence" 300) begun send`, 0},
			{0, busy, failed + " landed", 4 * time.Second},
			{4 * time.Second, timeout{}, `reg.started(false 503 "Busy" 300) begun send`, 0},
			{0, ok, success + " landed", 90 * time.Second},
			{90 * time.Second, timeout{}, again, 0},
			{0, busy, failed + " landed", time.Second},
		}},
		{"a person asks after failures", []turn{
			{0, register{}, started, 0},
			{0, busy, failed + " landed", time.Second},
			{time.Second, timeout{}, `reg.started(false 503 "Busy" 300) begun send`, 0},
			{0, busy, failed + " landed", 2 * time.Second},
			{0, register{}, `reg.started(false 503 "Busy" 300) begun send`, 0},
			{0, busy, failed + " landed", time.Second},
		}},
		{"Retry-After", []turn{
			{0, register{}, started, 0},
			{0, answered{status: 503, reason: "Busy", retryAfter: 17 * time.Second}, failed + " landed", 17 * time.Second},
		}},
		{"wrong password", []turn{
			{0, register{}, started, 0},
			{0, answered{status: 401, reason: "Unauthorized"}, `reg.failed(false 401 "Unauthorized" 0) landed`, time.Minute},
		}},
		{"423 raises what is asked for, for good", []turn{
			{0, register{}, started, 0},
			{0, answered{status: 423, reason: "Interval Too Brief", minExpires: 600}, "send", 0},
			{0, answered{status: 200, reason: "OK", granted: 600}, `reg.success(true 200 "OK" 600) landed`, 540 * time.Second},
			{540 * time.Second, timeout{}, `reg.started(true 200 "OK" 600) begun send`, 0},
		}},
		{"423 that makes no sense", []turn{
			{0, register{}, started, 0},
			{0, answered{status: 423, reason: "x", minExpires: 300}, `reg.failed(false 423 "x" 0) landed`, time.Second},
			{time.Second, timeout{}, `reg.started(false 423 "x" 300) begun send`, 0},
			{0, answered{status: 423, reason: "x", minExpires: maxExpires + 1}, `reg.failed(false 423 "x" 0) landed`, 2 * time.Second},
		}},
		{"423 without end", []turn{
			{0, register{}, started, 0},
			{0, answered{status: 423, reason: "x", minExpires: 301}, "send", 0},
			{0, answered{status: 423, reason: "x", minExpires: 302}, "send", 0},
			{0, answered{status: 423, reason: "x", minExpires: 303}, "send", 0},
			{0, answered{status: 423, reason: "x", minExpires: 304}, `reg.failed(false 423 "x" 0) landed`, time.Second},
		}},
		{"nothing granted", []turn{
			{0, register{}, started, 0},
			{0, answered{status: 200, reason: "OK"}, `reg.failed(false 200 "pbx answered OK but granted no time" 0) landed`, time.Second},
			{0, unregister{}, "nothing", 0},
		}},
		{"one at a time: fresh credentials wait their turn", []turn{
			{0, register{}, started, 0},
			{0, register{}, "", 0},
			{0, answered{status: 403, reason: "No"}, `reg.failed(false 403 "No" 0) reg.started(false 403 "No" 300) landed begun send`, 0},
			{0, ok, success + " landed", 90 * time.Second},
		}},
		{"unregister waits for the registration", []turn{
			{0, register{}, started, 0},
			{0, unregister{}, "", 0},
			{0, ok, success + " landed begun send", 0},
			{0, answered{status: 200, reason: "OK"}, gone + " landed", 0},
		}},
		{"unregister waits for a registration that fails", []turn{
			{0, register{}, started, 0},
			{0, unregister{}, "", 0},
			{0, busy, failed + " landed nothing", 0},
		}},
		{"the last word counts", []turn{
			{0, register{}, started, 0},
			{0, unregister{}, "", 0},
			{0, register{}, "", 0},
			{0, ok, success + " " + again[:strings.Index(again, " begun")] + " landed begun send", 0},
		}},
		{"unregister refused: no refresh all the same", []turn{
			{0, register{}, started, 0},
			{0, ok, success + " landed", 90 * time.Second},
			{0, unregister{}, "begun send", 0},
			{0, busy, failed + " landed", 0},
			{0, unregister{}, "begun send", 0}, // the binding may be there still
			{200 * time.Second, busy, failed + " landed", 0},
			{0, unregister{}, "nothing", 0}, // its time is over
		}},
		{"the connection ends: registered anew, as after a failure", []turn{
			{0, register{}, started, 0},
			{0, ok, success + " landed", 90 * time.Second},
			{60 * time.Second, dropped{cut}, "", time.Second},
			{time.Second, timeout{}, again, 0},
			{0, ok, success + " landed", 90 * time.Second},
			{time.Second, dropped{cut}, "", 4 * time.Second}, // by a registrar that ends every connection
			{4 * time.Second, timeout{}, again, 0},
			{0, ok, success + " landed", 90 * time.Second},
			{89500 * time.Millisecond, dropped{cut}, "", 500 * time.Millisecond}, // the refresh comes sooner
		}},
		{"the connection ends, and there is no registration", []turn{
			{0, dropped{cut}, "", 0},
			{0, register{}, started, 0},
			{0, busy, failed + " landed", time.Second},
			{0, dropped{cut}, "", time.Second},
			{0, unregister{}, "nothing", 0},
			{0, dropped{cut}, "", 0},
		}},
		{"the connection ends before the answer", []turn{
			{0, register{}, started, 0},
			{0, dropped{cut}, "", cutPatience},
			{cutPatience, timeout{}, `reg.failed(false 0 "registrar pbx: cut" 0) landed`, time.Second},
			{time.Second, timeout{}, `reg.started(false 0 "registrar pbx: cut" 300) begun send`, 0},
			{0, dropped{cut}, "", cutPatience}, // the one that the challenge came through
			{time.Second, ok, success + " landed", 90 * time.Second},
			{0, leave{}, "begun send", closePatience},
			{0, dropped{cut}, "", closePatience},
		}},
		{"closed without ever having registered", []turn{
			{0, leave{}, "nothing closed", 0},
		}},
		{"closed with a binding that another has made", []turn{
			{0, inherit{}, "nothing", 0},
			{0, leave{}, "begun send", closePatience},
			{0, answered{status: 200, reason: "OK"}, gone + " landed closed", 0},
		}},
		{"closed while registered", []turn{
			{0, register{}, started, 0},
			{0, ok, success + " landed", 90 * time.Second},
			{0, leave{}, "begun send", closePatience},
			{0, register{}, "nothing", closePatience},
			{0, answered{status: 200, reason: "OK"}, gone + " landed closed", 0},
		}},
		{"closed, and the registrar is silent", []turn{
			{0, register{}, started, 0},
			{0, ok, success + " landed", 90 * time.Second},
			{0, leave{}, "begun send", closePatience},
			{closePatience, timeout{}, "closed", 0},
		}},
		{"closed while the first REGISTER is under way", []turn{
			{0, register{}, started, 0},
			{0, leave{}, "", closePatience},
			{time.Second, ok, success + " landed begun send", closePatience},
			{0, answered{status: 200, reason: "OK"}, gone + " landed closed", 0},
		}},
		{"closed while the first REGISTER fails", []turn{
			{0, register{}, started, 0},
			{0, leave{}, "", closePatience},
			{0, busy, failed + " landed nothing closed", 0},
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, now := state{asked: 300}, start
			for i, turn := range row.turns {
				now = now.Add(turn.after)
				var e effects
				s, e = step(s, turn.in, environment{now: now, jitter: 0.5, server: "pbx"})
				if got := told(e); got != turn.want {
					t.Errorf("turn %d, %#v:\ngot  %s\nwant %s", i, turn.in, got, turn.want)
				}
				due := time.Duration(0)
				if !s.due.IsZero() {
					due = s.due.Sub(now)
				}
				if due != turn.due {
					t.Errorf("turn %d, %#v: due in %v, want %v", i, turn.in, due, turn.due)
				}
			}
		})
	}
}

// Whatever happens in whatever order, the phone is never left without a timer
// or a REGISTER under way while it should be registered, and never in a hurry.
func TestStepIsNeverStuckNorHasty(t *testing.T) {
	inputs := []any{register{}, unregister{}, timeout{}, answered{status: 200, granted: 60}, answered{status: 200, granted: 1}, answered{status: 423, minExpires: 400}, answered{status: 403}, unanswered{}}
	var walk func(s state, depth int, path []string)
	walk = func(s state, depth int, path []string) {
		if s.want && s.flight == grounded && s.due.IsZero() {
			t.Fatalf("stuck after %v: %+v", path, s)
		}
		if !s.due.IsZero() && s.due.Sub(start) < 800*time.Millisecond {
			t.Fatalf("hasty after %v: %+v", path, s)
		}
		if depth == 0 {
			return
		}
		for _, in := range inputs {
			switch in.(type) {
			case answered, unanswered:
				if s.flight == grounded {
					continue
				}
			case timeout:
				if s.due.IsZero() {
					continue
				}
			}
			next, _ := step(s, in, environment{now: start})
			walk(next, depth-1, append(slices.Clip(path), fmt.Sprintf("%#v", in)))
		}
	}
	walk(state{asked: 300}, 5, nil)
}

func TestRefreshAfter(t *testing.T) {
	for granted, want := range map[int]float64{3600: 3240, 300: 270, 60: 54, 40: 35, 20: 15, 10: 5, 6: 3, 2: 1, 1: 1} {
		if got := refreshAfter(time.Duration(granted) * time.Second); got.Seconds() != want {
			t.Errorf("granted %d s: after %v, want %v s", granted, got, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for _, row := range []struct {
		failures, status int
		asked            time.Duration
		jitter           float64
		want             time.Duration
	}{
		{1, 0, 0, 0.5, time.Second},
		{1, 0, 0, 0, 800 * time.Millisecond},
		{1, 0, 0, 1, 1200 * time.Millisecond},
		{2, 503, 0, 0.5, 2 * time.Second},
		{6, 503, 0, 0.5, 32 * time.Second},
		{7, 503, 0, 0.5, time.Minute},
		{1_000_000, 503, 0, 0.5, time.Minute},
		{1, 403, 0, 0.5, time.Minute},
		{1, 503, 10 * time.Second, 0.5, 10 * time.Second},
		{7, 503, 10 * time.Second, 0.5, time.Minute},
		{1, 503, 24 * time.Hour, 0.5, time.Hour},
	} {
		if got := retryAfter(row.failures, row.status, row.asked, row.jitter); got != row.want {
			t.Errorf("%+v: %v", row, got)
		}
	}
}
