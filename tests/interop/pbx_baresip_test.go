//go:build interop

package interop

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// foreign is a phone that somebody else has written.
type foreign interface {
	dial(uri string)
	answer()
	hangup() // also: refuse, give up
	hold()
	resume()
	quit() // and de-register
	// await waits for the next of these: incoming, established, closed,
	// held, resumed.
	await(event string)
}

// phoneSetup is what a foreign phone is to be.
type phoneSetup struct {
	user, password, transport string
}

// baresip is driven over its ctrl_tcp module.
type baresip struct {
	t    *testing.T
	said *transcript // what it prints
	told *transcript // its events
	conn net.Conn
}

func startBaresip(t *testing.T, x *exchangeUnderTest, s phoneSetup) foreign {
	t.Helper()
	modules := "/usr/lib/baresip/modules"
	if found, _ := filepath.Glob("/usr/lib/*/baresip/modules"); len(found) > 0 {
		modules = found[0]
	}
	home := t.TempDir()
	control, rtp := freePort(t), freePort(t)&^1
	write(t, filepath.Join(home, "config"), fmt.Sprintf(`sip_listen 127.0.0.1:%d
net_interface 127.0.0.1
audio_player aubridge,loop
audio_source aubridge,loop
audio_alert aubridge,alert
rtp_ports %d-%d
module_path %s
module g711.so
module aubridge.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:%d
`, freePort(t), rtp, min(rtp+20, 65535), modules, control))
	write(t, filepath.Join(home, "accounts"), fmt.Sprintf("<sip:%s@%s;transport=%s>;auth_user=%s;auth_pass=%q;regint=60\n",
		s.user, x.host(), s.transport, s.user, s.password))

	b := &baresip{t: t, said: newTranscript(), told: newTranscript()}
	cmd := startProgram(t, b.said, home, "baresip", "-f", home)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	endWith(t, cmd)
	b.said.await(t, "baresip", "baresip is ready")
	var err error
	if b.conn, err = net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", control), pbxPatience); err != nil {
		t.Fatal(err)
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		buf := make([]byte, 65536)
		for {
			n, err := b.conn.Read(buf)
			if err != nil {
				return
			}
			_, _ = b.told.Write(buf[:n]) // to memory
		}
	}()
	t.Cleanup(func() { _ = b.conn.Close(); <-heard })
	return b
}

// do sends a command as a netstring of JSON.
func (b *baresip) do(command, params string) {
	b.t.Helper()
	text, err := json.Marshal(map[string]string{"command": command, "params": params})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(b.conn, "%d:%s,", len(text), text); err != nil {
		b.t.Fatal(err)
	}
}

func (b *baresip) dial(uri string) { b.t.Helper(); b.do("dial", uri) }
func (b *baresip) answer()         { b.t.Helper(); b.do("accept", "") }
func (b *baresip) hangup()         { b.t.Helper(); b.do("hangup", "") }
func (b *baresip) hold()           { b.t.Helper(); b.do("hold", "") }
func (b *baresip) resume()         { b.t.Helper(); b.do("resume", "") }
func (b *baresip) quit()           { b.t.Helper(); b.do("quit", "") }

func (b *baresip) await(event string) {
	b.t.Helper()
	switch event {
	case "held", "resumed":
		// It says nothing of its own re-INVITE, and plays on when held.
	default:
		b.told.await(b.t, "baresip", `"type":"CALL_`+regexp.QuoteMeta(map[string]string{
			"incoming": "INCOMING", "established": "ESTABLISHED", "closed": "CLOSED",
		}[event])+`"`)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
