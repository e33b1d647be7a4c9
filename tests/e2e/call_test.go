package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"ringmaster/listen"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// pair starts a server with two phones that call each other directly.
func pair(t *testing.T) (c *mcpclient.Client, a, b *phones.Phone) {
	t.Helper()
	c = mcpclient.Start(t, programs, mcpclient.Options{})
	return c, phones.AddDirect(t, c, "a"), phones.AddDirect(t, c, "b")
}

func TestAudioBothWays(t *testing.T) {
	t.Parallel()
	_, a, b := pair(t)
	atA, atB := phones.Talk(a, b, b.URI())
	if codec := a.Do("get_call_info", nil).String("codec"); codec == "" {
		t.Error("a confirmed call has no codec")
	}
	if playing := a.Do("get_call_info", nil).String("playing_file"); playing != "music-on-hold" {
		t.Errorf("before anything plays, playing_file is %q", playing)
	}
	a.Plays(atA, 600)
	b.Plays(atB, 1000)
	a.Receives(atA, phones.Talking)
	b.Receives(atB, phones.Talking)
	a.Do("hangup", mcpclient.Args{"call_id": atA})
	a.Ends(atA, 200)
	b.Ends(atB, 200)
	for _, p := range []struct {
		phone *phones.Phone
		call  int
	}{{a, atA}, {b, atB}} {
		r := p.phone.Recording(p.call)
		p.phone.Heard(r, 600)
		p.phone.Heard(r, 1000)
	}
}

func TestMusicUntilSomethingPlaysAndAfterItStops(t *testing.T) {
	t.Parallel()
	_, a, b := pair(t)
	atA, atB := phones.Talk(a, b, b.URI())
	a.Plays(atA, 600)
	if stopped := a.Do("stop_audio", mcpclient.Args{"call_id": atA}); stopped.Int("call_id") != atA {
		t.Errorf("stop_audio answers %s", stopped.Text)
	}
	if playing := a.Do("get_call_info", nil).String("playing_file"); playing != "music-on-hold" {
		t.Errorf("after stop_audio, playing_file is %q", playing)
	}
	b.Receives(atB, time.Second)
	a.Do("hangup", nil)
	r := b.Recording(atB)
	if level := r.Between(r.Duration()-time.Second, r.Duration()).Level(); level < -40 {
		t.Errorf("the music has %.1f dBov", level)
	}
}

// Files of other rates and channel counts are converted: the tone arrives at
// its frequency and level.
func TestFilesOfOtherRates(t *testing.T) {
	t.Parallel()
	for _, file := range []struct {
		rate, channels int
		hz             float64
	}{{48000, 2, 700}, {44100, 1, 1100}, {16000, 1, 900}} {
		_, a, b := pair(t)
		atA, atB := phones.Talk(a, b, b.URI())
		path, err := phones.Tone(t.TempDir(), file.rate, file.channels, file.hz)
		if err != nil {
			t.Fatal(err)
		}
		a.PlaysFile(atA, path)
		b.Plays(atB, 2000)
		b.Receives(atB, phones.Talking)
		a.Do("hangup", nil)
		b.Heard(b.Recording(atB), file.hz)
	}
}

func TestDigitsBothWays(t *testing.T) {
	t.Parallel()
	_, a, b := pair(t)
	atA, atB := phones.Talk(a, b, b.URI())
	b.Digits(a.Sends(atA, "0123456789*#ABCD"), atB, "0123456789*#ABCD")
	a.Digits(b.Sends(atB, "1122"), atA, "1122")
}

func TestMessage(t *testing.T) {
	t.Parallel()
	_, a, b := pair(t)
	a.Do("send_message", mcpclient.Args{"dest_uri": b.URI(), "body": "Grüße, b"})
	in := b.Do("get_messages", nil).List("messages")
	if len(in) != 1 || in[0].String("body") != "Grüße, b" {
		t.Errorf("b has %v", in)
	}
	if sent := a.Do("get_messages", nil).List("messages"); len(sent) != 0 {
		t.Errorf("a, which received nothing, has %v", sent)
	}
}

func TestCalleeHangsUp(t *testing.T) {
	t.Parallel()
	_, a, b := pair(t)
	atA, atB := phones.Talk(a, b, b.URI())
	b.Do("hangup", mcpclient.Args{"call_id": atB})
	a.Ends(atA, 200)
	b.Ends(atB, 200)
	if active := a.Do("get_active_calls", nil); active.Int("active_count") != 0 {
		t.Errorf("a still has %s", active.Text)
	}
	history := a.Do("get_call_history", nil).List("history")
	if len(history) != 1 || history[0].Int("call_id") != atA || history[0].String("direction") != "outbound" {
		t.Errorf("the history of a is %v", history)
	}
}

func TestReject(t *testing.T) {
	t.Parallel()
	_, a, b := pair(t)
	atA := a.Call(b.URI())
	if rejected := b.Do("reject_call", mcpclient.Args{"call_id": b.Rings()}); rejected.Int("status_code") != 486 {
		t.Errorf("reject_call answers %s", rejected.Text)
	}
	a.Ends(atA, 486)
}

func TestCancel(t *testing.T) {
	t.Parallel()
	_, a, b := pair(t)
	atA := a.Call(b.URI())
	atB := b.Rings()
	b.Do("answer_call", mcpclient.Args{"call_id": atB, "status_code": 180})
	a.Reaches(atA, "EARLY")
	a.Do("hangup", mcpclient.Args{"call_id": atA})
	a.Ends(atA, 487)
	b.Ends(atB, 487)
}

func TestAutoAnswer(t *testing.T) {
	t.Parallel()
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	a := phones.AddDirect(t, c, "a")
	b := phones.Add(t, c, "b", mcpclient.Args{"register": false, "auto_answer": true})
	a.Reaches(a.Call(b.URI()), "CONFIRMED")
}

// A recording that is still being written is a valid file.
func TestRecordingIsReadableDuringTheCall(t *testing.T) {
	t.Parallel()
	_, a, b := pair(t)
	atA, _ := phones.Talk(a, b, b.URI())
	a.Receives(atA, time.Second)
	now := a.Do("get_recording", mcpclient.Args{"call_id": atA})
	path := now.String("recording_file")
	if !now.Bool("recording_enabled") || filepath.Base(path) != now.String("filename") {
		t.Errorf("get_recording answers %s", now.Text)
	}
	if info, err := os.Stat(path); err != nil || info.Size() <= 44 {
		t.Errorf("the recording during the call: %v, %v", info, err)
	}
	a.Do("hangup", nil)
	if r := a.Recording(atA); r.Duration() < time.Second {
		t.Errorf("the recording has %v", r.Duration())
	}
	if _, err := listen.Read(path); err != nil {
		t.Error(err)
	}
}
