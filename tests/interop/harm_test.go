package interop

import (
	"math"
	"testing"
	"time"

	"ringmaster/tests/asterisk"
	"ringmaster/tests/harm"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/peers"
	"ringmaster/tests/phones"
)

// milliwatt is the extension of Asterisk that answers with a tone, and its
// frequency in Hz.
const (
	milliwatt   = "7005"
	milliwattHz = 1004.0
)

// harmed is our phone a in a call through a relay that harms the media.
type harmed struct {
	t    *testing.T
	a    *phones.Phone
	r    *harm.Relay
	call int
}

// TestHarmedMedia lets a relay harm what Asterisk and baresip send, and holds
// what the phone says of it against what the relay did.
func TestHarmedMedia(t *testing.T) {
	x := exchange{asterisk.Start(t)}
	for _, c := range []struct {
		feature         string
		toPhone, toPeer harm.Plan
		test            func(h *harmed)
	}{
		{"loss, reordering and duplication: statistics exact, tone concealed", harm.Plan{Seed: 1, Drop: 0.05, Swap: 0.03, Double: 0.03}, harm.Plan{}, lossy},
		{"SSRC, sequence and timestamp begin anew", harm.Plan{NewSource: 150}, harm.Plan{}, begunAnew},
		{"jitter of 15 ms", harm.Plan{Jitter: 15 * time.Millisecond}, harm.Plan{}, jittery},
		{"RTCP round trip of 80 ms", harm.Plan{Delay: 50 * time.Millisecond}, harm.Plan{Delay: 30 * time.Millisecond}, farAway},
	} {
		for _, peer := range []string{"Asterisk 22", "baresip"} {
			t.Run(c.feature+" "+peer, func(t *testing.T) {
				t.Parallel()
				covers(t, c.feature, peer)
				h := &harmed{t: t}
				if peer == "baresip" {
					h.callBaresip(c.toPhone, c.toPeer)
				} else {
					h.callAsterisk(x, c.toPhone, c.toPeer)
				}
				c.test(h)
			})
		}
	}
}

func (h *harmed) callAsterisk(x exchange, toPhone, toPeer harm.Plan) {
	h.t.Helper()
	h.r = harm.Start(h.t, x.Addr, toPhone, toPeer)
	client := mcpclient.Start(h.t, programs, mcpclient.Options{})
	h.a = phones.Add(h.t, client, "a", mcpclient.Args{"domain": x.Addr, "username": "6001", "password": x.Password, "register": false})
	h.call = h.a.Call(h.r.URI(milliwatt))
	h.a.Reaches(h.call, "CONFIRMED")
}

func (h *harmed) callBaresip(toPhone, toPeer harm.Plan) {
	h.t.Helper()
	far := peers.StartBaresip(h.t, 8000, phones.ToneLevel, "PCMA/8000/1")
	h.r = harm.Start(h.t, far.Addr, toPhone, toPeer)
	client := mcpclient.Start(h.t, programs, mcpclient.Options{})
	h.a = phones.AddDirect(h.t, client, "a")
	h.call = h.a.Call(h.r.URI("peer"))
	far.Await("CALL_INCOMING")
	far.From("peer")
	far.Do("accept", "")
	h.a.Reaches(h.call, "CONFIRMED")
	far.Await("CALL_ESTABLISHED")
}

// over lets no more pass, waits until the phone has counted everything, and
// gives what it knows of the call, before and after its end.
func (h *harmed) over() (info mcpclient.Answer, done harm.Done) {
	h.t.Helper()
	h.r.Shut()
	done = h.r.ToPhone()
	received := -1
	for deadline := time.Now().Add(phones.Patience); received != done.Passed && time.Now().Before(deadline); done = h.r.ToPhone() {
		info = h.a.Do("get_call_info", mcpclient.Args{"call_id": h.call})
		received = info.Object("rtp").Int("rx_packets")
	}
	h.a.Do("hangup", mcpclient.Args{"call_id": h.call})
	h.a.Ends(h.call, 200)
	h.t.Logf("the relay: %+v; the phone: %s, heard %s, quality %s", done, info.Object("rtp").Text, info.Object("heard").Text, info.Object("quality").Text)
	return info, done
}

// counted requires that the phone's counters are what the relay did.
func (h *harmed) counted(info mcpclient.Answer, done harm.Done) {
	h.t.Helper()
	rtp := info.Object("rtp")
	got := harm.Done{Passed: rtp.Int("rx_packets"), Dropped: rtp.Int("rx_loss"), Doubled: rtp.Int("rx_dup"), Swapped: rtp.Int("rx_reorder")}
	if got != done {
		h.t.Errorf("the phone counts %+v, the relay did %+v", got, done)
	}
}

func lossy(h *harmed) {
	h.a.Plays(h.call, 500) // the recording has it too
	h.a.Receives(h.call, 10*time.Second)
	info, done := h.over()
	h.counted(info, done)
	if done.Dropped < 10 || done.Doubled < 5 || done.Swapped < 5 {
		h.t.Fatalf("the relay did too little: %+v", done)
	}
	lost := done.Dropped + info.Object("rtp").Int("rx_discard") // a busy machine lets some come too late
	want := 100 * float64(lost) / float64(done.Passed-done.Doubled+done.Dropped)
	if got := number(h.t, info.Object("quality"), "loss_percent"); math.Abs(got-want) > 0.01 {
		h.t.Errorf("loss_percent is %v, want %.2f", got, want)
	}
	// The tone lasts, at its pitch and level, though parts of it were made up.
	heard := info.Object("heard")
	hz, level, part := number(h.t, heard, "tone_hz"), number(h.t, heard, "level_dbov"), number(h.t, heard, "tone_part")
	if part < 0.9 {
		h.t.Errorf("one tone for only %.0f %% of the time", 100*part)
	}
	r := h.a.Recording(h.call)
	whole := r.Between(2*time.Second, r.Duration()-2*time.Second)
	if got := whole.MeanLevelOf(hz, 100*time.Millisecond); math.Abs(got-level) > 2 {
		h.t.Errorf("the tone of %g Hz is recorded at %.1f dBov, and %.1f where nothing was lost", hz, got, level)
	}
	// Without concealment it would not be there in any of the time that is missing.
	missing := number(h.t, heard, "missing_ms") / (number(h.t, heard, "missing_ms") + number(h.t, heard, "heard_ms"))
	if share := whole.Share(hz, level-6, 20*time.Millisecond); share < 1-missing/2 {
		h.t.Errorf("%.1f %% were missing, and the tone is there during only %.1f %% of the time", 100*missing, 100*share)
	}
}

func begunAnew(h *harmed) {
	h.a.Receives(h.call, 6*time.Second)
	info, done := h.over()
	h.counted(info, done)
	// The first packet of the new stream might have been a stray one; a busy
	// machine lets some come too late. There are 150 and more of the new stream.
	if got := info.Object("rtp").Int("rx_discard"); got > 50 {
		h.t.Errorf("%d packets were discarded", got)
	}
	if missing := number(h.t, info.Object("heard"), "missing_ms"); missing > 1500 {
		h.t.Errorf("%v ms were missing", missing)
	}
	if part := number(h.t, info.Object("heard"), "tone_part"); part < 0.95 {
		h.t.Errorf("the tone is there during only %.1f %% of the time heard", 100*part)
	}
}

// jittery: delays spread evenly over 15 ms differ by a third of that in the
// mean, to which a busy machine adds.
func jittery(h *harmed) {
	h.a.Receives(h.call, 6*time.Second)
	info, done := h.over()
	h.counted(info, done)
	if got := info.Object("rtp").Int("rx_jitter_usec"); got < 3000 || got > 40_000 {
		h.t.Errorf("rx_jitter_usec is %d, want about 5000", got)
	}
}

// farAway: each of the peer's reports is a measurement, and a busy machine
// makes some longer.
func farAway(h *harmed) {
	var rtt []int
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		h.a.Receives(h.call, 200*time.Millisecond)
		now := h.a.Do("get_call_info", mcpclient.Args{"call_id": h.call}).Object("rtp").Int("rtt_usec")
		if now != 0 && (len(rtt) == 0 || now != rtt[len(rtt)-1]) {
			rtt = append(rtt, now)
		}
		if now >= 79_000 && now <= 85_000 {
			break
		}
	}
	if n := len(rtt); n == 0 || rtt[n-1] < 79_000 || rtt[n-1] > 85_000 {
		h.t.Errorf("rtt_usec was %v, want 80,000 to 85,000", rtt)
	}
	info, done := h.over()
	h.counted(info, done)
}

// number is a field of an answer that must be a number.
func number(t *testing.T, a mcpclient.Answer, field string) float64 {
	t.Helper()
	v, ok := a.Fields[field].(float64)
	if !ok {
		t.Fatalf("%s is no number in %s", field, a.Text)
	}
	return v
}
