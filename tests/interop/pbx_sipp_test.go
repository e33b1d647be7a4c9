//go:build interop

package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// sippPhone plays the scenarios of testdata/sipp, one SIPp each, on one port.
type sippPhone struct {
	t       *testing.T
	x       *exchangeUnderTest
	setup   phoneSetup
	port    int
	playing *sippRun
}

// sippRun is a scenario that is being played.
type sippRun struct {
	said  *transcript
	ended chan error
}

// startSIPp registers.
func startSIPp(t *testing.T, x *exchangeUnderTest, s phoneSetup) foreign {
	t.Helper()
	p := &sippPhone{t: t, x: x, setup: s, port: freePort(t)}
	p.register(60, 200)
	return p
}

// register plays a REGISTER that is to be answered so.
func (p *sippPhone) register(life, answer int) {
	p.t.Helper()
	p.play("register", "", "[life]", fmt.Sprint(life), "[answer]", fmt.Sprint(answer))
	p.await("closed")
}

// play starts a scenario, as a call to you; further pairs of a name and a
// value fill it in.
func (p *sippPhone) play(scenario, you string, pairs ...string) {
	p.t.Helper()
	form, err := os.ReadFile(filepath.Join("testdata", "sipp", scenario+".xml"))
	if err != nil {
		p.t.Fatal(err)
	}
	filled := strings.NewReplacer(append(pairs, "[me]", p.setup.user, "[you]", you)...).Replace(string(form))
	home := p.t.TempDir()
	path := filepath.Join(home, scenario+".xml")
	write(p.t, path, filled)
	transport := map[string]string{"udp": "u1", "tcp": "t1"}[p.setup.transport]
	args := []string{p.x.host(), "-sf", path, "-m", "1", "-nostdin", "-i", "127.0.0.1", "-p", fmt.Sprint(p.port), "-t", transport,
		"-mp", fmt.Sprint(freePort(p.t) &^ 1), "-timeout", "15s", "-timeout_error",
		"-au", p.setup.user, "-ap", p.setup.password}
	p.playing = &sippRun{said: newTranscript(), ended: make(chan error, 1)}
	run := p.playing
	cmd := startProgram(p.t, run.said, home, "sipp", args...)
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		run.ended <- cmd.Wait()
	}()
	p.t.Cleanup(func() {
		_ = cmd.Process.Kill() // unless it has ended by itself
		<-done
	})
}

// listen makes it ready for a call, or with "listener" for a message.
func (p *sippPhone) listen(scenario string) {
	p.t.Helper()
	p.play(scenario, "")
	p.bound()
}

// bound waits until SIPp has bound its port: what comes before is refused by
// the kernel. The kernel's table tells without one having to try.
func (p *sippPhone) bound() {
	p.t.Helper()
	line := regexp.MustCompile(fmt.Sprintf(`(?m)^ *\d+: [0-9A-F]+:%04X `, p.port))
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(pbxPatience); ; {
		table, err := os.ReadFile("/proc/net/" + p.setup.transport)
		if err != nil {
			p.t.Fatal(err)
		}
		if line.Match(table) {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			p.t.Fatalf("SIPp does not bind %s port %d:\n%s", p.setup.transport, p.port, p.playing.said)
		}
	}
}

func (p *sippPhone) dial(user string) { p.t.Helper(); p.play("caller", user) }
func (p *sippPhone) answer()          {} // it does by itself
func (p *sippPhone) hangup()          {} // likewise
func (p *sippPhone) hold()            { p.t.Fatal("no scenario of SIPp's holds a call") }
func (p *sippPhone) resume()          { p.t.Fatal("no scenario of SIPp's holds a call") }
func (p *sippPhone) quit()            { p.t.Helper(); p.register(0, 200) }

// await waits for the end of the scenario, of which everything was as it says.
func (p *sippPhone) await(event string) {
	p.t.Helper()
	if event != "closed" {
		return
	}
	select {
	case err := <-p.playing.ended:
		if err != nil {
			p.t.Fatalf("SIPp says %v:\n%s", err, p.playing.said)
		}
	case <-time.After(pbxPatience):
		p.t.Fatalf("SIPp does not end:\n%s", p.playing.said)
	}
}
