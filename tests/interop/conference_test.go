package interop

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringmaster/listen"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/peers"
	"ringmaster/tests/phones"
)

// member is a phone in a conference of phone a.
type member struct {
	*phones.Phone
	call, leg int     // its own, and a's
	hz        float64 // what it plays
}

// quietly is the level of each member's tone: eight of them at once stay below
// full scale.
const quietly = -30.0

// joins takes a call of a's, and plays the member's tone into it.
func joins(t *testing.T, a, p *phones.Phone, uri string, hz float64) member {
	t.Helper()
	leg, call := phones.Talk(a, p, uri)
	path := filepath.Join(t.TempDir(), p.ID+".wav")
	if err := listen.Tone(8000, hz, quietly, 2*time.Second).Write(path, 1); err != nil {
		t.Fatal(err)
	}
	p.PlaysFile(call, path)
	return member{p, call, leg, hz}
}

// loudness is what is wrong with a recording in which every one of the tones has
// to be heard at a level, and gone not at all; "" for nothing. It looks at
// tenths of a second: on a busy machine a tone stumbles now and then.
func loudness(r listen.Recording, there []float64, level, gone float64) string {
	const tenth, most, few = 100 * time.Millisecond, 0.8, 0.2
	part := r.Between(r.Duration()-1500*time.Millisecond, r.Duration())
	for _, hz := range there {
		if heard, loud := part.Share(hz, level-3, tenth), part.Share(hz, level+3, tenth); heard < most || loud > few {
			return fmt.Sprintf("of the last %v, %g Hz is heard at %g dBov in %.0f %%, 3 dB louder in %.0f %%", part.Duration(), hz, level, 100*heard, 100*loud)
		}
	}
	if gone != 0 && part.Share(gone, level-10, tenth) > few {
		return fmt.Sprintf("%g Hz is still heard", gone)
	}
	return ""
}

// tries is how many seconds and a half of a conference may be spoilt by what
// else the machine does.
const tries = 6

// hearEachOther requires that each member has recorded every tone of the others
// at its level, its own as it plays it, which an echo would change, and none
// that is gone.
func hearEachOther(t *testing.T, all []member, there []float64, gone float64) {
	t.Helper()
	for try := 1; ; try++ {
		all[0].Receives(all[0].call, phones.Talking) // and so have the others
		var faults []string
		for _, m := range all {
			r, err := listen.Read(m.Do("get_recording", mcpclient.Args{"call_id": m.call}).String("recording_file"))
			if err != nil {
				t.Fatal(err)
			}
			if fault := loudness(r, there, quietly, gone); fault != "" {
				faults = append(faults, fmt.Sprintf("%s, which plays %g Hz: %s", m.ID, m.hz, fault))
			}
		}
		if len(faults) == 0 {
			return
		}
		if try == tries {
			t.Error(strings.Join(faults, "\n"))
			return
		}
	}
}

// conferOfEight: a joins eight calls, four of them through Asterisk, one to
// linphone, in four codecs. One leaves, and the others go on.
func conferOfEight(t *testing.T, x exchange) {
	if !peers.Wanted() {
		t.Skipf("%s is not 1: there is no linphone", peers.Variable)
	}
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	codecs := func(list ...string) mcpclient.Args { return mcpclient.Args{"register": false, "codecs": list} }
	a := x.addOver(t, c, "a", "6001", mcpclient.Args{"codecs": []string{"L16", "G722", "PCMA", "PCMU"}})
	var all []member
	for i, user := range []string{"6002", "6003", "6006", "6007"} {
		all = append(all, joins(t, a, x.add(t, c, "pbx"+user, user), x.uri(user), 500+float64(i)*130))
	}
	for i, codec := range []string{"L16", "G722", "PCMU"} {
		p := phones.Add(t, c, "direct"+string(rune('1'+i)), codecs(codec))
		m := joins(t, a, p, p.URI(), 1150+float64(i)*130)
		if got := a.Reaches(m.leg, "CONFIRMED").String("codec"); got != codec {
			t.Errorf("a's call to %s has %s, want %s", p.ID, got, codec)
		}
		all = append(all, m)
	}
	const shift = 6 // of linphone's G.722: see TestWithLinphone
	far := peers.StartLinphone(t, quietly+shift)
	toFar := a.Call(far.URI())
	far.Await(peers.LinphoneRings)
	far.Do("answer")
	a.Reaches(toFar, "CONFIRMED")

	legs, there := []int{toFar}, []float64{peers.LinphoneTone}
	for _, m := range all {
		legs, there = append(legs, m.leg), append(there, m.hz)
	}
	joined := a.Do("conference", mcpclient.Args{"call_ids": legs})
	if n := joined.Int("participants"); n != len(legs) {
		t.Errorf("conference says %d participants, want %d", n, len(legs))
	}
	hearEachOther(t, all, there, 0)

	leaves, stay := all[len(all)-1], all[:len(all)-1]
	leaves.Do("hangup", mcpclient.Args{"call_id": leaves.call})
	a.Ends(leaves.leg, 200)
	hearEachOther(t, stay, there[:len(there)-1], leaves.hz)
	a.Do("hangup", mcpclient.Args{"call_id": toFar})
	far.Await(peers.LinphoneEnded)
	if fault := loudness(far.Recorded(), there[1:len(there)-1], quietly+shift, leaves.hz); fault != "" {
		t.Error("linphone: ", fault)
	}
}
