package peers

import (
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringmaster/listen"
)

// Baresip is one baresip with three lines:
//
//	sip:peer@Addr     rings; it plays a tone
//	sip:early@Addr    rings with early media (183 with SDP), but plays nothing before it is answered
//	sip:monitor@Addr  answers by itself; it passes on what peer or early has received and decoded
//
// Monitor and the line that it listens to are joined only while neither of
// their calls pauses: after a pause in one of them, begin the other one anew.
type Baresip struct {
	Addr string

	t      testing.TB
	p      *program
	conn   net.Conn
	events *transcript
}

const (
	// BaresipTone is what it plays, in Hz.
	BaresipTone = 1000
	// playing is for how long.
	playing = time.Minute
)

// StartBaresip starts one whose lines have these codecs, named as baresip does
// ("PCMU/8000/1"), all of them at rate samples per second. Its tone has the
// level in dBov.
func StartBaresip(t testing.TB, rate int, level float64, codecs ...string) *Baresip {
	t.Helper()
	need(t, "baresip")
	home := t.TempDir()
	tone := filepath.Join(home, "tone.wav")
	if err := listen.Tone(rate, BaresipTone, level, playing).Write(tone, 1); err != nil {
		t.Fatal(err)
	}
	sip := freePorts(t, 2) // the second is for TLS
	control, rtp := freePorts(t, 1), freePorts(t, 20)
	write(t, home, "config", fmt.Sprintf(`sip_listen %[1]s:%[2]d
net_interface %[1]s
rtp_ports %[3]d-%[4]d
audio_player aubridge,none
audio_source aubridge,none
audio_alert aubridge,alert
module_path %[5]s
module g711.so
module g722.so
module l16.so
module aubridge.so
module aufile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen %[1]s:%[6]d
`, host, sip, rtp, rtp+20, moduleFolder(), control))
	var accounts strings.Builder
	for _, line := range []struct{ user, mode, source, player string }{
		{"peer", "manual", "aufile," + tone, "aubridge,received"},
		{"early", "early", "aufile," + tone, "aubridge,received"},
		{"monitor", "auto", "aubridge,received", "aubridge,none"},
	} {
		fmt.Fprintf(&accounts, "<sip:%s@%s:%d>;regint=0;answermode=%s;audio_source=%s;audio_player=%s;audio_codecs=%s\n",
			line.user, host, sip, line.mode, line.source, line.player, strings.Join(codecs, ","))
	}
	write(t, home, "accounts", accounts.String())

	b := &Baresip{Addr: fmt.Sprintf("%s:%d", host, sip), t: t, events: newTranscript()}
	b.p = run(t, home, "baresip", "-f", home)
	b.p.await("baresip is ready")
	b.connect(fmt.Sprintf("%s:%d", host, control))
	return b
}

// moduleFolder is where Debian has put the modules: it depends on the release.
func moduleFolder() string {
	if found, _ := filepath.Glob("/usr/lib/*/baresip/modules"); len(found) > 0 {
		return found[0]
	}
	return "/usr/lib/baresip/modules"
}

// connect opens the control port, where events come from.
func (b *Baresip) connect(control string) {
	b.t.Helper()
	conn, err := net.DialTimeout("tcp", control, patience)
	if err != nil {
		b.t.Fatalf("baresip's control port: %v", err)
	}
	b.conn = conn
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		buf := make([]byte, 1<<16)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			_, _ = b.events.Write(buf[:n]) // to memory
		}
	}()
	b.t.Cleanup(func() {
		conn.Close()
		<-heard
		if b.t.Failed() {
			b.t.Logf("baresip's events:\n%s", b.events)
		}
	})
}

// Do gives a command of baresip's menu, such as "dial", in the words of its
// prompt: a netstring of JSON.
func (b *Baresip) Do(command, params string) {
	b.t.Helper()
	text, err := json.Marshal(map[string]string{"command": command, "params": params})
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		b.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(b.conn, "%d:%s,", len(text), text); err != nil {
		b.t.Fatalf("telling baresip to %s: %v", command, err)
	}
}

// From makes a line the one that Do speaks of.
func (b *Baresip) From(user string) { b.t.Helper(); b.Do("uafind", "sip:"+user+"@"+b.Addr) }

// URI is where a line is called.
func (b *Baresip) URI(user string) string { return "sip:" + user + "@" + b.Addr }

// Await waits for the next event of a type, such as CALL_ESTABLISHED, and
// returns its param.
func (b *Baresip) Await(eventType string) string {
	b.t.Helper()
	return b.events.await(b.t, "baresip", `"type":"`+eventType+`"[^}]*?(?:"param":"([^"]*)"[^}]*)?}`)[1]
}
