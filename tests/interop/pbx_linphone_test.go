//go:build interop

package interop

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// linphone is driven at its prompt.
type linphone struct {
	t     *testing.T
	said  *transcript
	stdin io.WriteCloser
}

func startLinphone(t *testing.T, x *exchangeUnderTest, s phoneSetup) foreign {
	t.Helper()
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".local/share/linphone"), 0o700); err != nil {
		t.Fatal(err)
	}
	rc := filepath.Join(home, "linphonerc")
	route := x.host()
	if s.transport == "tcp" {
		route += ";transport=tcp"
	}
	write(t, rc, fmt.Sprintf(`[sip]
sip_port=%d
sip_tcp_port=%d
sip_tls_port=0
default_proxy=0
guess_hostname=0
contact="%s" <sip:%s@127.0.0.1>
bind_address=127.0.0.1
use_ipv6=0
ipv6_migration_done=1
[proxy_0]
reg_proxy=<sip:%s>
reg_identity=sip:%s@%s
reg_expires=60
reg_sendregister=1
publish=0
[auth_info_0]
username=%s
passwd=%s
realm=pbx.test
[rtp]
audio_rtp_port=%d
[misc]
log_collection_enabled=0
`, freePort(t), freePort(t), s.user, s.user, route, s.user, x.host(), s.user, s.password, freePort(t)&^1))
	p := &linphone{t: t, said: newTranscript()}
	cmd := startProgram(t, p.said, home, "linphonec", "-c", rc)
	var err error
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	endWith(t, cmd)
	p.do("soundcard use files")
	return p
}

func (p *linphone) do(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

func (p *linphone) dial(uri string) { p.t.Helper(); p.do("call " + uri) }
func (p *linphone) answer()         { p.t.Helper(); p.do("answer") }
func (p *linphone) hangup()         { p.t.Helper(); p.do("terminate") }
func (p *linphone) hold()           { p.t.Helper(); p.do("pause") }
func (p *linphone) resume()         { p.t.Helper(); p.do("resume") }
func (p *linphone) quit()           { p.t.Helper(); p.do("quit") }

func (p *linphone) await(event string) {
	p.t.Helper()
	p.said.await(p.t, "linphone", map[string]string{
		"incoming":    `Receiving new incoming call`,
		"established": `Media streams established|Call \d+ with .* connected`,
		"closed":      `Call \d+ with .* (ended|error)`,
		"held":        `is now paused`,
		"resumed":     `Media streams established`,
	}[event])
}
