package tool

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/fleet"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: run go test -update and look at what it writes", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s has changed: is this meant? (-update)\n%s", path, got)
	}
}

// find returns a static tool, or one of phone a.
func find(t *testing.T, s *Set, name string) Tool {
	t.Helper()
	for _, tool := range append(s.Static(), s.ForPhone("a")...) {
		if tool.Name == name || tool.Name == "a_"+name {
			return tool
		}
	}
	t.Fatalf("there is no tool %s", name)
	return Tool{}
}

// answers is one tool's golden file while it is made.
type answers struct {
	t    *testing.T
	tool string
	text bytes.Buffer
}

// add calls the tool and keeps what it answers.
func (a *answers) add(s *Set, what, arguments string) {
	a.t.Helper()
	got := find(a.t, s, a.tool).Call(context.Background(), json.RawMessage(arguments))
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, got.JSON, "", "  "); err != nil {
		a.t.Fatalf("%s: %v: %s", a.tool, err, got.JSON)
	}
	fmt.Fprintf(&a.text, "# %s\n%s %s\nisError: %v\n%s\n\n", what, a.tool, arguments, got.IsError, pretty.Bytes())
}

// pin runs fn and compares the answers it made.
func pin(t *testing.T, tool string, fn func(a *answers)) {
	t.Run(tool, func(t *testing.T) {
		a := &answers{t: t, tool: tool}
		fn(a)
		golden(t, "answers/"+tool+".txt", a.text.Bytes())
	})
}

func out(o phone.Outcome) phone.Outcome { o.Cursor = 3; return o }

func onCall(c phone.CallOutcome) phone.Outcome { return out(phone.Outcome{Call: &c}) }

var (
	errRefused = phone.Errorf(phone.Refused, "a: sip:b@pbx.example refused: 486 Busy Here")
	errGone    = phone.Errorf(phone.Gone, "the worker of phone a is gone (exit status 2)")
	errNoCall  = phone.Errorf(phone.NotFound, "phone a has no active call")
)

func activeCall() phone.CallInfo {
	return phone.CallInfo{
		CallID: 0, SIPCallID: "abc@127.0.0.1", State: phone.StateConfirmed, Direction: phone.Outbound, RemoteURI: `"Bob" <sip:b@pbx.example>`,
		RemoteContact: "sip:b@127.0.0.1:5071", LocalContact: "sip:a@127.0.0.1:5070", Codec: "PCMA", Duration: 12900 * time.Millisecond,
		LastStatus: 200, LastStatusText: "OK", RecordingFile: "/recordings/a/call_0_20261122_120000_000001.wav", PlayingFile: "music-on-hold",
		RTP:       phone.RTPStats{TxPackets: 600, TxBytes: 96000, RxPackets: 598, RxBytes: 95680, RxLoss: 2, RxJitterUsec: 130, RTTUsec: 700},
		Heard:     phone.Sound{HeardMs: 11900, SilentMs: 40, MissingMs: 960, LevelDBov: -20.1, PeakDBov: -17, ToneHz: 440.1, TonePart: 0.998},
		Sent:      phone.Sound{SilentMs: 12900, LevelDBov: -127, PeakDBov: -127},
		Quality:   &phone.Quality{MOS: 4.38, RFactor: 91.2, LossPercent: 0.33, JitterMs: 0.13},
		StartedAt: now.Add(-15 * time.Second), AnsweredAt: now.Add(-13 * time.Second),
	}
}

func newCall() phone.CallInfo {
	return phone.CallInfo{CallID: 1, State: phone.StateCalling, Direction: phone.Outbound, RemoteURI: "sip:c@pbx.example", StartedAt: now}
}

func endedCall(id phone.CallID) phone.CallInfo {
	return phone.CallInfo{
		CallID: id, State: phone.StateDisconnected, Direction: phone.Inbound, RemoteURI: "sip:x@pbx.example", LastStatus: 486,
		LastStatusText: "Busy Here", StartedAt: now, EndedAt: now.Add(time.Duration(id) * time.Second),
	}
}

func TestPhoneTools(t *testing.T) {
	pin(t, "list_phones", func(a *answers) {
		a.add(newSet(newFake()), "no phones", `{}`)
		f := newFake("a", "b")
		b := f.phones["b"]
		b.Registration, b.ActiveCalls = phone.Registration{}, 2
		b.Worker = fleet.WorkerStatus{State: "failed", Restarts: 4, LastExit: "exit status 2: panic: \x1b[31mboom", Failed: "its worker ended 4 times within 60 s"}
		f.put(b)
		a.add(newSet(f), "two phones, one failed and never registered", ``)
		a.add(newSet(f), "an argument too many", `{"phone_id": "a"}`)
	})
	pin(t, "add_phone", func(a *answers) {
		const base = `"phone_id": "c", "domain": "pbx.example", "username": "c", "password": "sesame"`
		f := newFake("a")
		s := newSet(f)
		a.add(s, "a registrar that is silent", `{`+base+`}`)
		a.add(s, "everything, register false", `{`+base+`, "transport": "tcp", "local_port": 5080.0, "codecs": ["PCMU"], "auto_answer": true, "srtp": true, "realm": "*", "register": false, "recording_enabled": true, "capture_enabled": true}`)
		a.add(s, "null is left out", `{`+base+`, "transport": null, "codecs": null, "realm": null}`)
		a.add(s, "nothing", `{}`)
		a.add(s, "wrong types and ranges, all at once", `{"phone_id": 5, "domain": true, "username": [], "password": 1234, "transport": "sctp", "local_port": 70000, "codecs": "PCMA", "srtp": "yes", "register": 1}`)
		a.add(s, "an unknown argument", `{`+base+`, "pasword": "sesame"}`)
		a.add(s, "an invalid phone_id", `{"phone_id": "A-1", "domain": "h", "username": "u", "password": "p"}`)
		a.add(s, "a phone_id whose tools have the names of others", `{"phone_id": "phone", "domain": "h", "username": "u", "password": "p"}`)
		a.add(s, "an empty domain", `{"phone_id": "c", "domain": "", "username": "u", "password": "p"}`)
		a.add(s, "a domain that is none", `{"phone_id": "c", "domain": "pbx.example\r\nX: y", "username": "c", "password": "sesame"}`)
		a.add(s, "a username of two lines", `{"phone_id": "c", "domain": "pbx.example", "username": "c\n", "password": "sesame"}`)
		a.add(s, "a password of two lines", `{"phone_id": "c", "domain": "pbx.example", "username": "c", "password": "sesame\r\nX: y"}`)
		a.add(s, "no codec for speech", `{`+base+`, "codecs": ["telephone-event"]}`)
		a.add(s, "a codec that is not built in", `{`+base+`, "codecs": ["PCMA", "G729"]}`)
		a.add(s, "no codecs", `{`+base+`, "codecs": []}`)
		a.add(s, "arguments that are no object", `["a"]`)
		f.addErr = phone.Errorf(phone.Precondition, "phone c cannot start: port 5080 is in use")
		a.add(s, "a port in use", `{`+base+`, "local_port": 5080}`)
	})
	pin(t, "drop_phone", func(a *answers) {
		f := newFake("a", "b")
		s := newSet(f)
		a.add(s, "with BYE", `{"phone_id": "a"}`)
		a.add(s, "unknown phone", `{"phone_id": "a"}`)
		a.add(s, "as in a power cut", `{"phone_id": "b", "hangup_calls": false}`)
		a.add(s, "no phone left", `{"phone_id": "b"}`)
	})
	pin(t, "restart_phone", func(a *answers) {
		f := newFake("a")
		a.add(newSet(f), "one that runs", `{"phone_id": "a"}`)
		f.addErr = phone.Errorf(phone.Precondition, "phone a could not be made: port 5080 is in use")
		a.add(newSet(f), "a port in use", `{"phone_id": "a"}`)
		a.add(newSet(f), "unknown phone", `{"phone_id": "x"}`)
	})
	pin(t, "get_phone", func(a *answers) {
		f := newFake("a")
		a.add(newSet(f), "no calls", `{"phone_id": "a"}`)
		st := f.phones["a"]
		st.Settings.Realm, st.Settings.Codecs = "asterisk", []string{"PCMA"}
		f.put(st)
		f.outcomes["phone.ListCalls"] = out(phone.Outcome{Calls: []phone.CallInfo{activeCall(), endedCall(1)}})
		a.add(newSet(f), "one active call, one ended", `{"phone_id": "a"}`)
		f.outcomes["phone.ListCalls"] = errGone
		a.add(newSet(f), "its worker is gone", `{"phone_id": "a"}`)
		a.add(newSet(f), "unknown phone", `{"phone_id": "x"}`)
	})
	pin(t, "update_phone", func(a *answers) {
		f := newFake("a")
		s := newSet(f)
		a.add(s, "nothing", `{"phone_id": "a"}`)
		a.add(s, "recording, without calls", `{"phone_id": "a", "recording_enabled": true}`)
		f.updated = phone.Updated{Reregistered: true, AffectedCallIDs: []phone.CallID{0, 3}, CodecReinvitedIDs: []phone.CallID{0}}
		a.add(s, "everything, with calls", `{"phone_id": "a", "auto_answer": true, "codecs": ["PCMU"], "password": "sesame", "realm": "r", "srtp": false, "recording_enabled": false, "capture_enabled": true}`)
		f.updated = phone.Updated{CodecReinviteError: "call 0: sip:b@pbx.example refused: 488 Not Acceptable Here"}
		a.add(s, "codecs that the far end refuses", `{"phone_id": "a", "codecs": ["PCMA"]}`)
		a.add(s, "a codec that is not built in", `{"phone_id": "a", "codecs": ["iLBC"]}`)
		a.add(s, "unknown phone", `{"phone_id": "x", "srtp": true}`)
	})
}

func TestLoadPhones(t *testing.T) {
	pin(t, "load_phones", func(a *answers) {
		f := newFake("a", "old")
		s := newSet(f)
		a.add(s, "the server's profile, in place of what was there", `{}`)
		a.add(s, "merge", `{"path": "testdata/phones.yaml", "merge": true}`)
		f.loadErrs = []fleet.Failure{{PhoneID: "desk", Err: phone.Errorf(phone.Precondition, "phone desk cannot start: port 5080 is in use")}}
		a.add(s, "one phone fails", `{"merge": true}`)
		a.add(s, "no such file", `{"path": "testdata/none.yaml"}`)
		a.add(s, "no profile", `{"path": "testdata/no-profile.txt"}`)
		a.add(s, "a phone_id whose tools have the names of others", `{"path": "testdata/collision.yaml"}`)
	})
}

func TestCallTools(t *testing.T) {
	pin(t, "make_call", func(a *answers) {
		f := newFake("a")
		s := newSet(f)
		f.outcomes["phone.MakeCall"] = onCall(phone.CallOutcome{CallID: 0, State: phone.StateCalling})
		a.add(s, "with a header", `{"dest_uri": "sip:b@pbx.example", "headers": {"X-Test": "1"}}`)
		a.add(s, "no destination", `{}`)
		a.add(s, "a near miss", `{"dest_url": "sip:b@pbx.example"}`)
		a.add(s, "a header that is a number", `{"dest_uri": "sip:b@pbx.example", "headers": {"X-Test": 1}}`)
		f.outcomes["phone.MakeCall"] = phone.Errorf(phone.Invalid, "dest_uri \"b\" is not a SIP URI: write sip:user@host")
		a.add(s, "no SIP URI", `{"dest_uri": "b"}`)
		f.outcomes["phone.MakeCall"] = errGone
		a.add(s, "its worker is gone", `{"dest_uri": "sip:b@pbx.example"}`)
	})
	pin(t, "answer_call", func(a *answers) {
		f := newFake("a", "b")
		s := newSet(f)
		f.outcomes["phone.Answer"] = onCall(phone.CallOutcome{CallID: 0, State: phone.StateConnecting})
		a.add(s, "the oldest waiting call", `{}`)
		f.outcomes["phone.Answer"] = onCall(phone.CallOutcome{CallID: 0, State: phone.StateConfirmed, Already: true})
		a.add(s, "call 0 is a call, answered already", `{"call_id": 0}`)
		a.add(s, "a status that does not answer", `{"status_code": 486}`)
		s.o.Hub.NoteCall("b", 1000)
		a.add(s, "another phone's call", `{"call_id": 1000}`)
		a.add(s, "a call that nobody has", `{"call_id": 9999}`)
		a.add(s, "a call of the other phone's block that is none yet", `{"call_id": 1001}`)
		a.add(s, "no call id", `{"call_id": -1}`)
		f.outcomes["phone.Answer"] = phone.Errorf(phone.NotFound, "phone a has no waiting call")
		a.add(s, "nobody waits", `{}`)
	})
	pin(t, "reject_call", func(a *answers) {
		f := newFake("a")
		s := newSet(f)
		f.outcomes["phone.Reject"] = onCall(phone.CallOutcome{CallID: 4, State: phone.StateDisconnected, Status: 486})
		a.add(s, "busy", `{"call_id": 4}`)
		a.add(s, "no refusal", `{"status_code": 200}`)
		f.outcomes["phone.Reject"] = phone.Errorf(phone.NotFound, "no call 5")
		a.add(s, "a call of the phone's block that is none", `{"call_id": 5}`)
	})
	pin(t, "hangup", func(a *answers) {
		f := newFake("a")
		s := newSet(f)
		f.outcomes["phone.Hangup"] = onCall(phone.CallOutcome{CallID: 0, State: phone.StateDisconnected})
		a.add(s, "the first active call", `{}`)
		f.outcomes["phone.Hangup"] = onCall(phone.CallOutcome{CallID: 0, Already: true})
		a.add(s, "again", `{"call_id": 0}`)
		f.outcomes["phone.Hangup"] = onCall(phone.CallOutcome{CallID: 0, State: phone.StateCalling, Pending: true})
		a.add(s, "a call that nobody has answered at all", `{"call_id": 0}`)
		f.outcomes["phone.Hangup"] = errNoCall
		a.add(s, "no active call", `{}`)
		ended := endedCall(2)
		s.o.Hub.Append("a", 1, phone.Entry{Seq: 1, Ended: &ended})
		a.add(s, "a call that an earlier worker had", `{"call_id": 2}`)
		a.add(s, "a text for an id", `{"call_id": "2"}`)
		a.add(s, "a fraction for an id", `{"call_id": 0.5}`)
	})
	pin(t, "get_call_info", func(a *answers) {
		f := newFake("a")
		s := newSet(f)
		f.outcomes["phone.GetCall"] = out(phone.Outcome{Calls: []phone.CallInfo{activeCall()}})
		a.add(s, "confirmed", `{}`)
		f.outcomes["phone.GetCall"] = out(phone.Outcome{Calls: []phone.CallInfo{newCall()}})
		a.add(s, "just begun: what is not known is null", `{"call_id": null}`)
		f.outcomes["phone.GetCall"] = errNoCall
		a.add(s, "no active call", `{}`)
		ended := endedCall(2)
		ended.RemoteURI = "\"\x1b[31m\u202eevil\" <sip:x@h>"
		s.o.Hub.Append("a", 1, phone.Entry{Seq: 1, Ended: &ended})
		a.add(s, "a call that only the hub knows, with a hostile name", `{"call_id": 2}`)
		f.outcomes["phone.GetCall"] = errGone
		a.add(s, "the same, its worker is gone", `{"call_id": 2}`)
	})
	pin(t, "get_call_history", func(a *answers) {
		f := newFake("a")
		s := newSet(f)
		a.add(s, "no calls yet", `{}`)
		for id := range phone.CallID(3) {
			ended := endedCall(id)
			s.o.Hub.Append("a", 1, phone.Entry{Seq: uint64(id + 1), Ended: &ended})
		}
		f.outcomes["phone.ListCalls"] = out(phone.Outcome{Calls: []phone.CallInfo{activeCall(), endedCall(3), endedCall(2)}})
		a.add(s, "oldest first, the last one known by the phone alone", `{}`)
		a.add(s, "the newest two", `{"last_n": 2}`)
		a.add(s, "the newest none", `{"last_n": 0}`)
		a.add(s, "less than none", `{"last_n": -1}`)
	})
	pin(t, "list_calls", func(a *answers) {
		f := newFake("a")
		s := newSet(f)
		a.add(s, "no calls", `{}`)
		one := endedCall(2)
		s.o.Hub.Append("a", 1, phone.Entry{Seq: 1, Ended: &one})
		f.outcomes["phone.ListCalls"] = out(phone.Outcome{Calls: []phone.CallInfo{activeCall(), newCall(), endedCall(3), endedCall(2)}})
		a.add(s, "active first, then ended, the latest first", `{}`)
		f.outcomes["phone.ListCalls"] = errGone
		a.add(s, "its worker is gone", `{}`)
		f.outcomes["phone.ListCalls"] = context.DeadlineExceeded
		a.add(s, "its worker hangs", `{}`)
	})
	pin(t, "get_active_calls", func(a *answers) {
		f := newFake("a")
		a.add(newSet(f), "no calls", `{}`)
		f.outcomes["phone.ListCalls"] = out(phone.Outcome{Calls: []phone.CallInfo{activeCall(), endedCall(2)}})
		a.add(newSet(f), "one", `{}`)
	})
}

func TestTalkTools(t *testing.T) {
	for _, c := range []struct{ tool, command string }{{"hold", "phone.Hold"}, {"unhold", "phone.Unhold"}} {
		pin(t, c.tool, func(a *answers) {
			f := newFake("a", "b")
			s := newSet(f)
			f.outcomes[c.command] = onCall(phone.CallOutcome{CallID: 0, State: phone.StateConfirmed})
			a.add(s, "the first active call", `{}`)
			f.outcomes[c.command] = onCall(phone.CallOutcome{CallID: 0, State: phone.StateConfirmed, Already: true})
			a.add(s, "call 0, again", `{"call_id": 0}`)
			f.outcomes[c.command] = phone.Errorf(phone.Refused, "call 0: the far end refused the change: 488 Not Acceptable Here")
			a.add(s, "the far end refuses", `{"call_id": 0}`)
			s.o.Hub.NoteCall("b", 1000)
			a.add(s, "another phone's call", `{"call_id": 1000}`)
			f.outcomes[c.command] = errNoCall
			a.add(s, "no active call", `{}`)
			ended := endedCall(2)
			s.o.Hub.Append("a", 1, phone.Entry{Seq: 1, Ended: &ended})
			a.add(s, "a call that has ended", `{"call_id": 2}`)
		})
	}
	pin(t, "blind_transfer", func(a *answers) {
		f := newFake("a")
		s := newSet(f)
		f.outcomes["phone.BlindTransfer"] = onCall(phone.CallOutcome{CallID: 0, State: phone.StateConfirmed})
		a.add(s, "accepted", `{"dest_uri": "sip:c@pbx.example"}`)
		a.add(s, "no destination", `{"call_id": 0}`)
		f.outcomes["phone.BlindTransfer"] = phone.Errorf(phone.Refused, "call 0: the far end refused the transfer: 603 Decline")
		a.add(s, "refused", `{"dest_uri": "sip:c@pbx.example", "call_id": 0}`)
		a.add(s, "a call that nobody has", `{"dest_uri": "sip:c@pbx.example", "call_id": 9999}`)
	})
	pin(t, "attended_transfer", func(a *answers) {
		f := newFake("a", "b")
		s := newSet(f)
		f.outcomes["phone.AttendedTransfer"] = onCall(phone.CallOutcome{CallID: 0, State: phone.StateConfirmed})
		a.add(s, "the first two active calls", `{}`)
		a.add(s, "calls 0 and 1", `{"call_id": 0, "dest_call_id": 1}`)
		s.o.Hub.NoteCall("b", 1000)
		a.add(s, "another phone's leg", `{"call_id": 0, "dest_call_id": 1000}`)
		f.outcomes["phone.AttendedTransfer"] = phone.Errorf(phone.Invalid, "give both call_id and dest_call_id, or neither")
		a.add(s, "half of it", `{"dest_call_id": 1}`)
		ended := endedCall(2)
		s.o.Hub.Append("a", 1, phone.Entry{Seq: 1, Ended: &ended})
		f.outcomes["phone.AttendedTransfer"] = phone.Errorf(phone.NotFound, "phone_id \"a\" has no active call 2")
		a.add(s, "a leg that has ended", `{"call_id": 0, "dest_call_id": 2}`)
	})
	pin(t, "conference", func(a *answers) {
		f := newFake("a", "b")
		s := newSet(f)
		f.outcomes["phone.Conference"] = out(phone.Outcome{Participants: 3})
		a.add(s, "three calls", `{"call_ids": [0, 1, 2]}`)
		a.add(s, "no calls named", `{}`)
		a.add(s, "no list", `{"call_ids": "0,1"}`)
		s.o.Hub.NoteCall("b", 1000)
		a.add(s, "another phone's call", `{"call_ids": [0, 1000]}`)
		f.outcomes["phone.Conference"] = phone.Errorf(phone.Invalid, "call_ids must name two to 8 different calls of this phone")
		a.add(s, "one call", `{"call_ids": [0]}`)
		f.outcomes["phone.Conference"] = phone.Errorf(phone.Precondition, "call 1 is CALLING and cannot be part of a conference: it must be confirmed")
		a.add(s, "a call that is not answered", `{"call_ids": [0, 1]}`)
	})
}

func TestMediaTools(t *testing.T) {
	pin(t, "send_dtmf", func(a *answers) {
		f := newFake("a")
		s := newSet(f)
		f.outcomes["phone.SendDTMF"] = onCall(phone.CallOutcome{CallID: 0, Digits: "123#"})
		a.add(s, "digits", `{"call_id": 0, "digits": "123#"}`)
		a.add(s, "no digits", `{"call_id": 0, "digits": ""}`)
		a.add(s, "other letters", `{"digits": "12x"}`)
		a.add(s, "left out", `{}`)
		f.outcomes["phone.SendDTMF"] = phone.Errorf(phone.Precondition, "call 0 of a is CALLING: digits need an answered call")
		a.add(s, "too early", `{"call_id": 0, "digits": "1"}`)
	})
	pin(t, "play_audio", func(a *answers) {
		f := newFake("a")
		s := newSet(f)
		f.outcomes["phone.PlayAudio"] = onCall(phone.CallOutcome{CallID: 0, Playing: "/tmp/x.wav"})
		a.add(s, "in a loop", `{"file_path": "/tmp/x.wav", "loop": true}`)
		f.outcomes["phone.PlayAudio"] = phone.Errorf(phone.Invalid, "/tmp/y.wav not found")
		a.add(s, "a missing file", `{"file_path": "/tmp/y.wav"}`)
		s.o.FilesUnder = "testdata"
		a.add(s, "outside of --files-under", `{"file_path": "testdata/../fake_test.go"}`)
		f.outcomes["phone.PlayAudio"] = onCall(phone.CallOutcome{CallID: 0, Playing: "music-on-hold"})
		a.add(s, "music on hold is no file", `{"file_path": "music-on-hold"}`)
	})
	pin(t, "stop_audio", func(a *answers) {
		f := newFake("a")
		s := newSet(f)
		f.outcomes["phone.StopAudio"] = onCall(phone.CallOutcome{CallID: 0})
		a.add(s, "back to music on hold", `{}`)
		f.outcomes["phone.StopAudio"] = errNoCall
		a.add(s, "no active call", `{}`)
	})
	pin(t, "get_recording", func(a *answers) {
		f := newFake("a")
		s := newSet(f)
		f.outcomes["phone.GetRecording"] = out(phone.Outcome{Recording: &phone.RecordingInfo{
			Enabled: true, Path: "/recordings/a/call_0_x.wav", MetaPath: "/recordings/a/call_0_x.meta.json", Size: 44}})
		a.add(s, "open", `{}`)
		s.o.HostPaths = []HostPath{{Inside: "/recordings", Host: "/home/me/calls"}}
		a.add(s, "as the client sees it", `{}`)
		f.outcomes["phone.GetRecording"] = out(phone.Outcome{Recording: &phone.RecordingInfo{}})
		a.add(s, "off", `{"call_id": 0}`)
	})
}

func TestMessageTools(t *testing.T) {
	pin(t, "send_message", func(a *answers) {
		f := newFake("a")
		s := newSet(f)
		a.add(s, "accepted", `{"dest_uri": "sip:b@h", "body": ""}`)
		f.outcomes["phone.SendMessage"] = errRefused
		a.add(s, "refused", `{"dest_uri": "sip:b@h", "body": "hello"}`)
		a.add(s, "no body", `{"dest_uri": "sip:b@h"}`)
	})
	pin(t, "get_messages", func(a *answers) {
		s := newSet(newFake("a"))
		a.add(s, "none", `{}`)
		for i := range 3 {
			s.o.Hub.Append("a", 1, phone.Entry{Inbox: &phone.Message{
				From: "sip:b@h", To: "sip:a@h", Body: fmt.Sprintf("hello %d\r\n\x1b[2J", i), ContentType: "text/plain", Time: now}})
		}
		a.add(s, "the newest two, a control sequence in them", `{"last_n": 2}`)
	})
}

func TestRegistrationTools(t *testing.T) {
	pin(t, "register", func(a *answers) {
		f := newFake("a")
		s := newSet(f)
		f.outcomes["phone.Register"] = out(phone.Outcome{Registration: &phone.Registration{IsRegistered: true, StatusCode: 200, Reason: "OK", Expires: 300}})
		a.add(s, "accepted", `{}`)
		f.outcomes["phone.Register"] = phone.Errorf(phone.Refused, "pbx.example refused to register a: 403 Forbidden")
		a.add(s, "refused", `{}`)
	})
	pin(t, "unregister", func(a *answers) {
		f := newFake("a")
		a.add(newSet(f), "done", `{}`)
		f.outcomes["phone.Unregister"] = errGone
		a.add(newSet(f), "its worker is gone", `{}`)
	})
	pin(t, "get_registration_status", func(a *answers) {
		f := newFake("a")
		f.outcomes["phone.GetRegistration"] = out(phone.Outcome{Registration: &phone.Registration{}})
		a.add(newSet(f), "silence", `{}`)
		f.outcomes["phone.GetRegistration"] = out(phone.Outcome{Registration: &phone.Registration{StatusCode: 404}})
		a.add(newSet(f), "refused without a phrase", `{}`)
	})
}

func TestPhoneAction(t *testing.T) {
	pin(t, "phone_action", func(a *answers) {
		f := newFake("a")
		s := newSet(f)
		f.outcomes["phone.MakeCall"] = onCall(phone.CallOutcome{CallID: 0, State: phone.StateCalling})
		a.add(s, "what the phone's tool answers", `{"phone_id": "a", "action": "make_call", "arguments": {"dest_uri": "sip:b@h"}}`)
		a.add(s, "no arguments", `{"phone_id": "a", "action": "get_messages"}`)
		a.add(s, "wrong arguments", `{"phone_id": "a", "action": "make_call", "arguments": {"dest": 1}}`)
		a.add(s, "arguments that are a text", `{"phone_id": "a", "action": "make_call", "arguments": "sip:b@h"}`)
		a.add(s, "an unknown action, near one", `{"phone_id": "a", "action": "make_cal"}`)
		a.add(s, "an unknown action", `{"phone_id": "a", "action": "dance"}`)
		a.add(s, "an unknown phone", `{"phone_id": "b", "action": "hangup"}`)
		a.add(s, "an invalid phone_id", `{"phone_id": "B!", "action": "hangup"}`)
	})
}
