package phones

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ringmaster/listen"
	"ringmaster/tests/mcpclient"
)

const (
	// ToneLevel is how loud the tones are that phones play, in dBov.
	ToneLevel = -20.0
	// Talking is for how long Hear lets the phones play.
	Talking = 2 * time.Second
	// frame is the time of one RTP packet.
	frame = 20 * time.Millisecond
	// tolerance of a level, in dB: G.711 and conversions of rate stay well
	// within it.
	tolerance = 2.0
)

// Tone writes a WAV file with two seconds of a tone at ToneLevel and returns
// its path.
func Tone(dir string, rate, channels int, hz float64) (string, error) {
	path := filepath.Join(dir, fmt.Sprintf("tone_%g_%d_%d.wav", hz, rate, channels))
	return path, listen.Tone(rate, hz, ToneLevel, 2*time.Second).Write(path, channels)
}

// Plays lets the phone play a tone of 8,000 samples per second into a call,
// for ever.
func (p *Phone) Plays(call int, hz float64) {
	p.t.Helper()
	path, err := Tone(p.t.TempDir(), 8000, 1, hz)
	if err != nil {
		p.t.Fatal(err)
	}
	p.PlaysFile(call, path)
}

// PlaysFile lets the phone play a WAV file into a call, for ever.
func (p *Phone) PlaysFile(call int, path string) {
	p.t.Helper()
	a := p.Do("play_audio", mcpclient.Args{"call_id": call, "file_path": path, "loop": true})
	if a.String("playing_file") != path {
		p.t.Errorf("play_audio of %s says it plays %q", path, a.String("playing_file"))
	}
}

// Receives waits until so much more sound has come in on a call.
func (p *Phone) Receives(call int, sound time.Duration) {
	p.t.Helper()
	received := func(a mcpclient.Answer) int { return a.Object("rtp").Int("rx_packets") }
	args := mcpclient.Args{"call_id": call}
	enough := received(p.Do("get_call_info", args)) + int(sound/frame)
	p.c.Until(sound+Patience, fmt.Sprintf("%d packets in", enough), p.ID+"_get_call_info", args,
		func(a mcpclient.Answer) bool { return received(a) >= enough })
}

// Recording reads an ended call's recording when it is complete, and checks
// where it is and what its sidecar says of it.
func (p *Phone) Recording(call int) listen.Recording {
	p.t.Helper()
	path := p.Reaches(call, "DISCONNECTED").String("recording_file")
	if path == "" {
		p.t.Fatalf("call %d of %s has no recording", call, p.ID)
	}
	for key, want := range map[string]any{"phone_id": p.ID, "call_id": float64(call), "recording": path} {
		if got := p.Sidecar(call)[key]; got != want {
			p.t.Errorf("the sidecar of %s has %s %v, want %v", path, key, got, want)
		}
	}
	if dir := filepath.Join(p.c.Recordings, p.ID); filepath.Dir(path) != dir {
		p.t.Errorf("the recording is %s, which is not in %s", path, dir)
	}
	r, err := listen.Read(path)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// Sidecar waits for the sidecar of an ended call's recording, which comes when
// the recording is complete, and reads it.
func (p *Phone) Sidecar(call int) map[string]any {
	p.t.Helper()
	recording := p.Reaches(call, "DISCONNECTED").String("recording_file")
	path := strings.TrimSuffix(recording, ".wav") + ".meta.json"
	var raw []byte
	p.c.Until(Patience, "a sidecar "+path, p.ID+"_get_call_info", mcpclient.Args{"call_id": call}, func(mcpclient.Answer) bool {
		var err error
		raw, err = os.ReadFile(path)
		return err == nil
	})
	var sidecar map[string]any
	if err := json.Unmarshal(raw, &sidecar); err != nil {
		p.t.Fatalf("%s: %v", path, err)
	}
	return sidecar
}

// steady is the share of the time during which a tone that is always there has
// to be heard: on a machine that is busy with other tests both the sender and
// the receiver are late now and then.
const steady = 0.8

// Heard requires that a tone of ToneLevel was to be heard in a recording
// during its last second and a half, with no more than short gaps: those, and
// the jumps of phase that they leave, are no fault of its level.
func (p *Phone) Heard(r listen.Recording, hz float64) {
	p.t.Helper()
	// The last tenth may hold the end of the call.
	end := r.Duration() - 100*time.Millisecond
	part := r.Between(end-1500*time.Millisecond, end)
	if part.Duration() < time.Second {
		p.t.Errorf("%s recorded only %v", p.ID, r.Duration())
		return
	}
	const moment = 100 * time.Millisecond
	if level := part.UsualLevelOf(hz, moment); math.Abs(level-ToneLevel) > tolerance {
		loudest, its := part.Loudest(200, 3400)
		p.t.Errorf("%s recorded %g Hz at %.1f dBov, want %g (±%g); loudest is %g Hz at %.1f", p.ID, hz, level, ToneLevel, tolerance, loudest, its)
	}
	if share := part.Share(hz, ToneLevel-2*tolerance, moment); share < steady {
		p.t.Errorf("%s recorded %g Hz during only %.0f %% of the time", p.ID, hz, 100*share)
	}
	if level := part.LevelOf(hz * 1.25); level > ToneLevel-25 {
		p.t.Errorf("%s recorded %g Hz at %.1f dBov, which nobody played", p.ID, hz*1.25, level)
	}
}

// quiet is for how long nothing more must come, or go, for a direction to be
// taken as closed: ten packets' time.
const quiet = 10 * frame

// Silent waits until nothing comes in on a call any more.
func (p *Phone) Silent(call int) { p.t.Helper(); p.stops(call, "rx_packets") }

// Mute waits until the phone sends nothing into a call any more.
func (p *Phone) Mute(call int) { p.t.Helper(); p.stops(call, "tx_packets") }

// stops waits until a counter of a call has stood still for some time.
func (p *Phone) stops(call int, counter string) {
	p.t.Helper()
	last, since := -1, time.Now()
	p.c.Until(Patience, counter+" that does not rise", p.ID+"_get_call_info", mcpclient.Args{"call_id": call}, func(a mcpclient.Answer) bool {
		if n := a.Object("rtp").Int(counter); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) >= quiet
	})
}

// Speaks waits until the phone sends into a call again.
func (p *Phone) Speaks(call int) {
	p.t.Helper()
	args := mcpclient.Args{"call_id": call}
	before := p.Do("get_call_info", args).Object("rtp").Int("tx_packets")
	p.c.Until(Patience, "sound out", p.ID+"_get_call_info", args, func(a mcpclient.Answer) bool { return a.Object("rtp").Int("tx_packets") > before })
}
