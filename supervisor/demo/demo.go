// Package demo shows the product on a machine that has nothing: it starts the
// server with its embedded PBX, lets two phones call each other through it as
// any MCP client would, and judges what came of it.
//
//	demo ──stdin, stdout──► supervisor serve --pbx … ──┬── phone a ──┐
//	     ◄── answers, progress ──                      ├── PBX       │ SIP, RTP
//	     ◄── recordings, listened to ──                └── phone b ──┘
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ringmaster/listen"
	"ringmaster/proto/phone"
	"ringmaster/scenario"
	"ringmaster/scenario/examples"
)

// Options is what the demo needs of the world.
type Options struct {
	Program string   // the supervisor
	Environ []string // for it
	TempDir string   // a folder is made there, and stays: the recordings are in it
	Out     io.Writer
	Colour  bool
	Now     func() time.Time
}

// limit is how long all of it may take.
const limit = 30 * time.Second

// The two phones of the profile, and the tone that each plays.
const (
	caller, callee = phone.ID("a"), phone.ID("b")
	callerHz       = 440.0
	calleeHz       = 880.0
	toneLevel      = -20.0 // dBov
	digits         = "1234#"
)

func toneOf(id phone.ID) float64 {
	if id == caller {
		return callerHz
	}
	return calleeHz
}

// ErrFailed is what a demo ends with whose call was not what it should be.
var ErrFailed = errors.New("the demo has failed")

// Run runs the demo. Its error is ErrFailed, or says why it could not run.
func Run(ctx context.Context, o Options) error {
	ctx, stop := context.WithTimeout(ctx, limit)
	defer stop()
	d := &demo{o: o, page: &page{out: o.Out, colour: o.Colour}, began: o.Now()}
	d.page.title("Ringmaster demo: two phones, a PBX and a call, driven over MCP")
	if err := d.prepare(); err != nil {
		return err
	}
	s, err := startServer(ctx, o, d.profile, d.pbx, d.dir)
	if err != nil {
		return err
	}
	err = d.drive(s)
	left := s.close()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("the demo was not done within %s%s", limit, s.log)
	case ctx.Err() != nil:
		return errors.New("the demo was interrupted")
	case err != nil && !errors.Is(err, ErrFailed):
		return fmt.Errorf("%w%s", err, s.log)
	}
	return errors.Join(err, left)
}

type demo struct {
	o     Options
	page  *page
	began time.Time

	dir      string // everything that the demo leaves
	profile  string // path
	pbx      string // host:port
	scenario map[string]any
}

// prepare writes the tones and the profile, with a port that is free now.
func (d *demo) prepare() error {
	var err error
	if d.dir, err = os.MkdirTemp(d.o.TempDir, "ringmaster-demo-"); err != nil {
		return fmt.Errorf("the demo needs a folder: %w", err)
	}
	if d.pbx, err = freePort(); err != nil {
		return fmt.Errorf("the demo needs a port on 127.0.0.1: %w", err)
	}
	local := strings.NewReplacer(examples.Registrar, d.pbx)
	d.profile = filepath.Join(d.dir, "phones.yaml")
	if err := os.WriteFile(d.profile, []byte(local.Replace(examples.Phones)), 0o600); err != nil {
		return fmt.Errorf("the profile of the demo: %w", err)
	}
	object, issues := scenario.Object("basic-call-dtmf.yaml", []byte(local.Replace(examples.BasicCallDTMF)))
	if len(issues) > 0 {
		return fmt.Errorf("the scenario of the demo: %w", issues)
	}
	patterns, _ := object["patterns"].([]any)
	for _, id := range []phone.ID{caller, callee} {
		path := filepath.Join(d.dir, fmt.Sprintf("%s-%.0f-hz.wav", id, toneOf(id)))
		if err := listen.Tone(16000, toneOf(id), toneLevel, 2*time.Second).Write(path, 1); err != nil {
			return fmt.Errorf("the tone of %s: %w", id, err)
		}
		patterns = append(patterns, map[string]any{"use": "play-audio-on-confirmed", "phone_id": string(id), "audio_path": path, "loop": true})
	}
	object["patterns"] = patterns
	d.scenario = object
	d.page.step("tones", "%s plays %.0f Hz, %s plays %.0f Hz", caller, callerHz, callee, calleeHz)
	return nil
}

// drive talks with the server, shows what comes and judges it.
func (d *demo) drive(s *session) error {
	if err := d.meet(s); err != nil {
		return err
	}
	run, err := d.run(s)
	if err != nil {
		return err
	}
	flow, err := d.flow(s)
	if err != nil {
		return err
	}
	d.page.section("SIP", "get_call_flow")
	d.page.block(flow)
	found := findings{status: run.Status, reason: run.Reason, digits: run.digits()}
	d.page.section("Digits", "dtmf.in events of "+string(callee))
	d.page.line("%s sent %s, %s heard %s", caller, spaced(digits), callee, spaced(found.digits))
	if err := d.counts(s, run); err != nil {
		return err
	}
	if found.heard, err = d.listen(run); err != nil {
		return err
	}
	return d.judge(found)
}

// judge writes the one line that counts.
func (d *demo) judge(f findings) error {
	took := fmt.Sprintf("in %.1f s", d.o.Now().Sub(d.began).Seconds())
	if faults := f.faults(); len(faults) > 0 {
		d.page.verdict(false, strings.Join(faults, "; ")+" ("+took+")")
		return ErrFailed
	}
	d.page.verdict(true, fmt.Sprintf("%s heard %s, and each recording holds the other side's tone (%s)", callee, digits, took))
	return nil
}

// findings are what the verdict depends on.
type findings struct {
	status, reason string // of the scenario
	digits         string // that the callee heard
	heard          []heard
}

// heard is what is in one phone's recording.
type heard struct {
	phone phone.ID
	other float64 // Hz of the other side's tone
	level float64 // its level in dBov
}

// audible is the level in dBov that the other side's tone has at least: a
// codec and a mixer change it by a decibel or two.
const audible = toneLevel - 6

func (f findings) faults() []string {
	var faults []string
	if f.status != "ok" {
		faults = append(faults, "the scenario ended "+f.status+": "+f.reason)
	}
	if f.digits != digits {
		faults = append(faults, fmt.Sprintf("%s heard %q, not %q", callee, f.digits, digits))
	}
	for _, id := range []phone.ID{caller, callee} {
		i := slices.IndexFunc(f.heard, func(h heard) bool { return h.phone == id })
		switch {
		case i < 0:
			faults = append(faults, fmt.Sprintf("%s has no recording", id))
		case f.heard[i].level < audible:
			faults = append(faults, fmt.Sprintf("the recording of %s holds the other side's %.0f Hz at %.1f dBov only", id, f.heard[i].other, f.heard[i].level))
		}
	}
	return faults
}

// spaced sets the digits apart.
func spaced(digits string) string {
	if digits == "" {
		return "none"
	}
	return strings.Join(strings.Split(digits, ""), " ")
}
