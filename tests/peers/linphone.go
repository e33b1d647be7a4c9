package peers

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringmaster/listen"
)

// Linphone is one linphonec, driven at its prompt. It plays a tone into its
// calls instead of a microphone, and records what it hears.
type Linphone struct {
	Addr string

	t testing.TB
	p *program
}

// LinphoneTone is what it plays, in Hz.
const LinphoneTone = 1000

// What linphonec says, for Await.
const (
	LinphoneRings     = `Receiving new incoming call`
	LinphoneConnected = `Media streams established`
	LinphonePaused    = `is now paused`
	LinphoneEnded     = `Call \d+ with .* (ended|error)`
	LinphoneDigit     = `Receiving tone (.) from`
)

// StartLinphone starts one whose tone has the level in dBov. More lines go into
// the [sip] part of its configuration.
func StartLinphone(t testing.TB, level float64, more ...string) *Linphone {
	t.Helper()
	need(t, "linphonec")
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".local", "share", "linphone"), 0o700); err != nil {
		t.Fatal(err)
	}
	port := freePorts(t, 4)
	rc := write(t, home, "linphonerc", fmt.Sprintf(`[sip]
sip_port=%d
sip_tcp_port=%d
sip_tls_port=0
default_proxy=-1
guess_hostname=0
contact="peer" <sip:peer@%s>
bind_address=%s
use_ipv6=0
ipv6_migration_done=1
inc_timeout=60
%s
[rtp]
audio_rtp_port=%d
[misc]
log_collection_enabled=0
`, port, port, host, host, strings.Join(more, "\n"), port+2))
	l := &Linphone{Addr: fmt.Sprintf("%s:%d", host, port), t: t}
	l.p = run(t, home, "linphonec", "-c", rc)
	tone := filepath.Join(home, "tone.wav")
	if err := listen.Tone(8000, LinphoneTone, level, playing).Write(tone, 1); err != nil {
		t.Fatal(err)
	}
	l.Do("soundcard use files")
	l.Await("Using wav files instead of soundcard")
	l.Do("play %s", tone)
	l.Do("record %s", l.recording())
	l.Do("codec enable 6") // G722
	l.p.listens("udp", port)
	return l
}

// Do gives a line of its prompt, such as "answer".
func (l *Linphone) Do(line string, args ...any) { l.t.Helper(); l.p.tell(line, args...) }

// Await waits until it has said something, and returns what that matched, the
// whole first, then the groups.
func (l *Linphone) Await(pattern string) []string { l.t.Helper(); return l.p.await(pattern) }

// URI is where it is called.
func (l *Linphone) URI() string { return "sip:peer@" + l.Addr }

func (l *Linphone) recording() string { return filepath.Join(l.p.home, "heard.wav") }

// Heard requires that a tone was to be heard in the last second and a half of
// what it recorded, at a level in dBov within 2 dB, but for moments that it
// missed.
func (l *Linphone) Heard(hz, level float64) {
	l.t.Helper()
	r := l.Recorded()
	end := r.Duration() - 200*time.Millisecond // the last of it may hold the end of the call
	part := r.Between(end-1500*time.Millisecond, end)
	if got := part.UsualLevelOf(hz, 100*time.Millisecond); math.Abs(got-level) > 2 {
		loudest, its := part.Loudest(200, 3400)
		l.t.Errorf("linphone heard %g Hz at %.1f dBov in %v, want %g; loudest is %g Hz at %.1f", hz, got, r.Duration(), level, loudest, its)
	}
}

// Recorded is what it has recorded so far.
func (l *Linphone) Recorded() listen.Recording {
	l.t.Helper()
	r, err := listen.Read(l.repaired())
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

// repaired is a copy of the recording whose lengths are right: linphone 5.1
// counts the 44 bytes of its header twice.
func (l *Linphone) repaired() string {
	l.t.Helper()
	const header = 44
	raw, err := os.ReadFile(l.recording())
	if err != nil {
		l.t.Fatal(err)
	}
	if len(raw) >= header {
		binary.LittleEndian.PutUint32(raw[4:], uint32(len(raw)-8))
		binary.LittleEndian.PutUint32(raw[header-4:], uint32(len(raw)-header))
	}
	return write(l.t, l.p.home, "repaired.wav", string(raw))
}
