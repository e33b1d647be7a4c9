package judge

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/spec"
)

var began = time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)

func fact(t *testing.T, text string) spec.Fact {
	t.Helper()
	root, issues := spec.ParseYAML("t.yaml", []byte("expect: ["+text+"]"))
	if len(issues) == 0 {
		var s spec.Scenario
		if s, issues = spec.Read("t.yaml", root); len(issues) == 0 {
			return s.Expect[0]
		}
	}
	t.Fatal(text, issues)
	return spec.Fact{}
}

func sounds(hz, part float64, heard, silent, missing int64) phone.Sound {
	s := phone.Sound{HeardMs: heard, SilentMs: silent, MissingMs: missing, LevelDBov: -127, PeakDBov: -127}
	if heard > 0 {
		s.LevelDBov, s.PeakDBov, s.ToneHz, s.TonePart = -20, -17, hz, part
	}
	return s
}

// What a's call heard of b's, in every way in which it can be right or wrong.
func TestAudio(t *testing.T) {
	for _, c := range []struct {
		fact        string
		heard, sent phone.Sound // by a; by b
		fault       string      // "" holds
	}{
		{"heard: {tone_hz: 440}", sounds(442.5, 0.9, 2000, 0, 20), phone.Sound{}, ""},
		{"heard: {tone_hz: 440}", sounds(445.1, 0.9, 2000, 0, 20), phone.Sound{}, "heard.tone_hz is 445.1 Hz, not 435 to 445 Hz"},
		{"heard: {tone_hz: {min: 400, max: 480}}", sounds(460, 0.9, 2000, 0, 20), phone.Sound{}, ""},
		{"heard: {tone_hz: 440}", sounds(440, 0.3, 2000, 0, 20), phone.Sound{}, "only in 30 % of what was heard"},
		{"heard: {tone_hz: 440, tone_part: {min: 0.2}}", sounds(440, 0.3, 2000, 0, 20), phone.Sound{}, ""},
		{"heard: {tone_hz: 440}", sounds(440, 1, 100, 1900, 20), phone.Sound{}, "heard is too little to have a tone"},
		{"heard: {tone_hz: 440}", sounds(0, 0, 2000, 0, 20), phone.Sound{}, "no tone stands out in heard"},
		{"heard: {tone_hz: 440}", phone.Sound{}, phone.Sound{}, "heard is not known (the call had no media"},
		{"heard: {silence: false}", sounds(440, 1, 2000, 0, 20), phone.Sound{}, ""},
		{"heard: {silence: false}", sounds(440, 1, 180, 3000, 20), phone.Sound{}, "heard is silent: heard 180 ms, silent 3000 ms, missing 20 ms"},
		{"heard: {silence: false}", sounds(0, 0, 0, 0, 3000), phone.Sound{}, "heard is silent: heard 0 ms, silent 0 ms, missing 3000 ms"},
		{"heard: {silence: true}", sounds(0, 0, 0, 0, 3000), phone.Sound{}, ""},
		{"heard: {silence: true}", sounds(0, 0, 0, 3000, 0), phone.Sound{}, ""},
		{"heard: {silence: true}", sounds(440, 1, 400, 3000, 0), phone.Sound{}, "heard is not silent: heard 400 ms"},
		{"heard: {silence: true}", sounds(0, 0, 0, 20, 0), phone.Sound{}, "cannot be called silent: the media was up for 20 ms only"},
		{"heard: {silence: true}", phone.Sound{}, phone.Sound{}, "heard is not known"},
		{"heard: {level_dbov: {min: -25, max: -15}}", sounds(440, 1, 2000, 0, 0), phone.Sound{}, ""},
		{"heard: {level_dbov: {min: -19}}", sounds(440, 1, 2000, 0, 0), phone.Sound{}, "heard.level_dbov is -20, not at least -19"},
		{"heard: {level_dbov: {max: -15}}", sounds(0, 0, 0, 2000, 0), phone.Sound{}, "heard.level_dbov is not known (heard 0 ms, silent 2000 ms, missing 0 ms)"},
		{"heard: {missing_ms: {max: 100}, heard_ms: {min: 1500}}", sounds(440, 1, 1600, 0, 100), phone.Sound{}, ""},
		{"heard: {from: b}", sounds(440, 1, 2000, 0, 0), sounds(441, 1, 2000, 0, 0), ""},
		{"heard: {from: b}", sounds(440, 1, 2000, 0, 0), sounds(880, 1, 2000, 0, 0), "heard.from: 440.0 Hz was heard, and b sent 880.0 Hz"},
		{"heard: {from: b}", sounds(440, 1, 2000, 0, 0), phone.Sound{}, "heard.from: sent is not known"},
		{"heard: {from: b}", sounds(440, 0.2, 2000, 0, 0), sounds(440, 1, 2000, 0, 0), "heard.from: no steady tone in what the call heard"},
		{"heard: {from: {phone_id: b, call_id: second}}", sounds(440, 1, 2000, 0, 0), sounds(440, 1, 2000, 0, 0), "heard.from: calls of b in this run: 1"},
		{"sent: {silence: true}", sounds(440, 1, 2000, 0, 0), phone.Sound{}, ""}, // see below
	} {
		f := fact(t, "{call: a, "+c.fact+"}")
		a := phone.CallInfo{State: phone.StateDisconnected, Heard: c.heard, Sent: sounds(0, 0, 0, 2000, 0)}
		ev := Evidence{Began: began, Calls: map[phone.ID][]phone.CallID{"a": {1}, "b": {1001}}, Known: map[Query]Answer{
			{"a", 1}: {Data: CallData(a)}, {"b", 1001}: {Data: CallData(phone.CallInfo{State: phone.StateDisconnected, Sent: c.sent})},
		}}
		got := ev.Fact(f)
		if got.Held != (c.fault == "") || !strings.Contains(got.Msg, c.fault) {
			t.Errorf("%s\n got  %v %s\n want %s", c.fact, got.Held, got.Msg, c.fault)
		}
		if want := 1 + strings.Count(c.fact, "from"); len(ev.Needs(f)) != want && !strings.Contains(c.fact, "second") {
			t.Errorf("%s asks %v", c.fact, ev.Needs(f))
		}
	}
}

func TestQuality(t *testing.T) {
	data := CallData(phone.CallInfo{State: phone.StateConfirmed, Quality: &phone.Quality{MOS: 4.2, RFactor: 88, LossPercent: 1.5, JitterMs: 3}})
	for text, held := range map[string]bool{
		"mos: {min: 4.1}": true, "mos: {min: 4.3}": false, "loss_percent: {max: 2}": true, "loss_percent: {max: 1}": false,
		"r_factor: {min: 80}, jitter_ms: {max: 5}": true, "jitter_ms: {max: 2}": false, "on_hold: true": false, "on_hold: false": true,
	} {
		ev := Evidence{Calls: map[phone.ID][]phone.CallID{"a": {1}}, Known: map[Query]Answer{{"a", 1}: {Data: data}}}
		got := ev.Fact(fact(t, "{call: a, "+text+"}"))
		if got.Held != held || got.Open == held {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

// What is 0 because there was nothing to count does not hold.
func TestNumbersOfNothing(t *testing.T) {
	answered := phone.CallInfo{State: phone.StateDisconnected, Duration: 1500 * time.Millisecond, RTP: phone.RTPStats{RxPackets: 75, RTTUsec: 200}}
	refused := phone.CallInfo{State: phone.StateDisconnected, LastStatus: 486}
	justNow := phone.CallInfo{State: phone.StateConfirmed}
	for text, want := range map[string]string{
		"duration: {max: 5s}": "the call was not answered", "rtp: {rx_loss: 0}": "rtp.rx_loss is not known (no packets have come)", "rtp: {rx_loss: {max: 3}}": "no packets",
		"rtp: {rx_jitter_usec: {max: 99}}": "no packets", "rtp: {rtt_usec: {max: 900}}": "rtp.rtt_usec is not known", "rtp: {rx_packets: 0}": "",
	} {
		for i, call := range []phone.CallInfo{refused, answered} {
			ev := Evidence{Calls: map[phone.ID][]phone.CallID{"a": {1}}, Known: map[Query]Answer{{"a", 1}: {Data: CallData(call)}}}
			got := ev.Fact(fact(t, "{call: a, "+text+"}"))
			if held := (want == "") != (i == 1); got.Held != held || (!held && !strings.Contains(got.Msg, want)) {
				t.Errorf("%s of %d: %+v", text, i, got)
			}
		}
	}
	ev := Evidence{Calls: map[phone.ID][]phone.CallID{"a": {1}}, Known: map[Query]Answer{{"a", 1}: {Data: CallData(justNow)}}}
	if got := ev.Fact(fact(t, "{call: a, duration: {max: 5s}}")); !got.Held {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsStillOpen(t *testing.T) {
	ev := Evidence{Began: began, Now: began.Add(time.Second), Over: true, Calls: map[phone.ID][]phone.CallID{"a": {1}}}
	ev.Known = map[Query]Answer{{"a", 1}: {Err: errors.New("gone")}}
	for text, open := range map[string]bool{
		"dtmf.in":                            true,
		"{event: dtmf.in, within_ms: 2s}":    true,
		"{event: dtmf.in, within_ms: 900}":   false,
		"{in_order: [dtmf.in, im.received]}": true,
		"{call: a, codec: PCMA}":             false,
		"{call: b, codec: PCMA}":             true,
	} {
		if got := ev.Fact(fact(t, text)); got.Held || got.Open != open {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

// Events are in the order of their time stamps, whichever phone told first.
func TestOrderAcrossPhones(t *testing.T) {
	at := func(d time.Duration, id phone.ID) phone.Event {
		return phone.Event{Type: "call.state.confirmed", PhoneID: id, Time: began.Add(d)}
	}
	ev := Evidence{Began: began, Events: Insert(Insert(nil, at(2*time.Millisecond, "b")), at(time.Millisecond, "a"))}
	const order = "{in_order: [{event: call.state.confirmed, phone_id: %}, {event: call.state.confirmed, phone_id: @}]}"
	if got := ev.Fact(fact(t, strings.NewReplacer("%", "a", "@", "b").Replace(order))); !got.Held {
		t.Error(got.Msg)
	}
	if got := ev.Fact(fact(t, strings.NewReplacer("%", "b", "@", "a").Replace(order))); got.Held {
		t.Error(got.Msg)
	}
}

// A first step that comes twice does not hide that the second followed in time.
func TestSeriesLooksAtEveryWay(t *testing.T) {
	ev := Evidence{Began: began}
	for i, kind := range []string{"dtmf.out", "dtmf.out", "dtmf.in", "dtmf.in", "im.received"} {
		ev.Events = append(ev.Events, phone.Event{Type: kind, Time: began.Add(time.Duration(i) * time.Second)})
	}
	for text, held := range map[string]bool{
		"{in_order: [dtmf.out, {event: dtmf.in, within_ms: 1s}, {event: im.received, within_ms: 2s}]}": true,
		"{in_order: [dtmf.out, {event: dtmf.in, within_ms: 1s}, {event: im.received, within_ms: 1s}]}": false,
		"{in_order: [dtmf.out, {event: dtmf.in, within_ms: 2s}, {event: im.received, within_ms: 1s}]}": true,
		"{in_order: [dtmf.in, dtmf.in, dtmf.in]}":                                                      false,
		"{in_order: [{event: dtmf.in, within_ms: 1s}, im.received]}":                                   false,
	} {
		if got := ev.Fact(fact(t, text)); got.Held != held {
			t.Errorf("%s: %+v", text, got)
		}
	}
	if got := ev.Fact(fact(t, "{in_order: [im.received, im.received]}")); !strings.HasSuffix(got.Msg, "after im.received at +4.000 s; it came that one time only") {
		t.Errorf("%+v", got)
	}
}

// What came from the network cannot break out of a sentence.
func TestWordsAreClean(t *testing.T) {
	ev := Evidence{Began: began, Events: []phone.Event{{Type: "im.received", PhoneID: "a", Time: began, Data: map[string]any{"body": "\x1b[2J\r\n" + strings.Repeat("x", 5000)}}}}
	got := ev.Fact(fact(t, "{event: im.received, match: {body: hi}}"))
	if got.Held || len(got.Msg) > 400 || strings.ContainsAny(got.Msg, "\x1b\r\n") || !strings.Contains(got.Msg, `\x1b[2J\r\n`) {
		t.Errorf("%q", got.Msg)
	}
}
