package fakeworker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/worker/journal"
)

// Phone is a phone whose calls are confirmed by themselves and whose registrar
// is a knob. Its SIP port is really bound, and nothing is sent on it.
type Phone struct {
	knobs   Knobs
	journal *journal.Journal
	die     func() // ends the process

	mu           sync.Mutex
	configured   bool
	down         bool
	hangs        bool
	c            phone.Configuration
	socket       net.PacketConn
	blocks       []phone.Block
	calls        []*phone.CallInfo
	registration phone.Registration
	timers       []*time.Timer
}

// New makes a phone in memory. Where a knob would end the process, it only
// stops answering.
func New(k Knobs) *Phone {
	p := &Phone{knobs: k, journal: journal.New(journal.StateCap, journal.TraceCap, nil)}
	p.die = p.hang
	return p
}

func (p *Phone) hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hangs = true
}

// Configure is phone.Phone's.
func (p *Phone) Configure(ctx context.Context, c phone.Configuration) (phone.Configured, error) {
	if p.knobs.DieInConfigure {
		p.die()
	}
	if p.knobs.StallConfigure || p.knobs.DieInConfigure {
		<-ctx.Done()
		return phone.Configured{}, ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.configured || p.down {
		return phone.Configured{}, phone.Errorf(phone.Precondition, "phone %q is configured already", p.c.PhoneID)
	}
	socket, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", c.LocalPort))
	if err != nil {
		return phone.Configured{}, phone.Errorf(phone.Precondition, "phone %q: port %d is in use: %v", c.PhoneID, c.LocalPort, err)
	}
	p.configured, p.c, p.socket, p.blocks = true, c, socket, []phone.Block{c.CallIDs}
	for n := range p.knobs.Flood {
		p.event("user.flood", nil, map[string]any{"n": int64(n)})
	}
	p.misbehaveLater()
	if p.knobs.Dialogs {
		for _, d := range c.Orphans {
			p.dialog(phone.Dialog{SIPCallID: d.SIPCallID, LocalTag: d.LocalTag, Over: true})
		}
	}
	if c.Register && !c.LastRites {
		p.register()
	}
	return phone.Configured{LocalPort: socket.LocalAddr().(*net.UDPAddr).Port}, nil
}

func (p *Phone) misbehaveLater() {
	if d := p.knobs.DieAfter; d > 0 {
		p.timers = append(p.timers, time.AfterFunc(d, func() { p.die() }))
	}
	if d := p.knobs.HangAfter; d > 0 {
		p.timers = append(p.timers, time.AfterFunc(d, p.hang))
	}
	if p.knobs.Child {
		child := exec.Command("sleep", "60")
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			p.event("user.child", nil, map[string]any{"error": err.Error()})
			return
		}
		p.event("user.child", nil, map[string]any{"pid": int64(child.Process.Pid)})
	}
}

// ready waits as the knobs want and says whether the phone can be used.
func (p *Phone) ready(ctx context.Context) error {
	if d := p.knobs.AnswerAfter; d > 0 {
		late := time.NewTimer(d)
		defer late.Stop()
		select {
		case <-late.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.mu.Lock()
	hangs, configured, down := p.hangs, p.configured, p.down
	p.mu.Unlock()
	switch {
	case hangs:
		<-ctx.Done()
		return ctx.Err()
	case down:
		return phone.Errorf(phone.Precondition, "phone %q is shut down", p.c.PhoneID)
	case !configured:
		return phone.Errorf(phone.Precondition, "the phone is not configured")
	}
	return nil
}

// Watch is phone.Phone's.
func (p *Phone) Watch(ctx context.Context, after uint64, each func(phone.Entry) error) error {
	for {
		entries, err := p.journal.Read(ctx, after, 64)
		if errors.Is(err, journal.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := each(e); err != nil {
				return err
			}
			after = e.Seq
		}
	}
}

// Health is phone.Phone's.
func (p *Phone) Health(ctx context.Context) (phone.Health, error) {
	if err := p.ready(ctx); err != nil {
		return phone.Health{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return phone.Health{LastSeq: p.journal.Last(), ActiveCalls: len(p.active())}, nil
}

// Shutdown is phone.Phone's.
func (p *Phone) Shutdown(ctx context.Context, s phone.Shutdown) error {
	if p.knobs.IgnoreShutdown {
		<-ctx.Done()
		return ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return nil
	}
	p.down = true
	for _, t := range p.timers {
		t.Stop()
	}
	if s.HangupCalls {
		for _, c := range p.active() {
			p.end(c)
		}
	}
	if p.registration.IsRegistered {
		p.registration = phone.Registration{StatusCode: 200, Reason: "OK"}
		p.registrationEvent("reg.unregistered")
	}
	p.journal.Close()
	return p.release()
}

// Release closes the socket and nothing else, as the end of a process does.
func (p *Phone) Release() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.timers {
		t.Stop()
	}
	return p.release()
}

func (p *Phone) release() error {
	if p.socket == nil {
		return nil
	}
	socket := p.socket
	p.socket = nil
	return socket.Close()
}
