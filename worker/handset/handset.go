// Package handset is the phone: its account, its calls, and the dispatch of
// commands to them. It implements phone.Phone in this process; the gRPC
// service and the console stand before it.
//
//	handset.go     the phone itself: from Configure to Shutdown
//	do.go          commands, dispatched
//	calls.go       which calls there are, and which one a command means
//	transfer.go    hold, codecs, transfers both ways
//	requests.go    messages, and the headers that a user adds
//	update.go      changes to a running phone
//	capture.go     pcap files: of its calls, and on request
package handset

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"ringmaster/loop"
	"ringmaster/proto/phone"
	"ringmaster/worker/audio"
	"ringmaster/worker/call"
	"ringmaster/worker/capture"
	"ringmaster/worker/codec"
	"ringmaster/worker/dialog"
	"ringmaster/worker/journal"
	"ringmaster/worker/negotiate"
	"ringmaster/worker/registration"
	"ringmaster/worker/sipua"
	"ringmaster/worker/standalone"
)

// Handset is one phone. Make it with New; it does nothing before Configure.
type Handset struct {
	log       hclog.Logger
	userAgent string
	loop      *loop.Loop
	journal   *journal.Journal

	ctx     context.Context // ends with Close
	end     context.CancelFunc
	lookups sync.WaitGroup

	configure  sync.Mutex // one Configure at a time
	configured bool
	closing    sync.Once

	// Everything below belongs to the loop once Configure has begun it.
	cfg        phone.Configuration
	codecs     []codec.Spec
	ua         *sipua.UA
	endpoint   *dialog.Endpoint
	standalone *standalone.Endpoint
	engine     *audio.Engine
	reg        *registration.Registration
	env        *call.Env
	calls      calls
	burying    bool   // dialogs of a dead worker have not ended
	buried     func() // told when they have; nil for nobody
	captures   captures
}

var _ phone.Phone = (*Handset)(nil)

// New makes a phone that calls itself userAgent in its SIP messages.
func New(userAgent string, log hclog.Logger) *Handset {
	ctx, end := context.WithCancel(context.Background())
	return &Handset{
		ctx: ctx, end: end,
		log: log, userAgent: userAgent,
		loop:    loop.New(nil),
		journal: journal.New(journal.StateCap, journal.TraceCap, time.Now),

		captures: captures{all: capture.New(capture.Config{})},
	}
}

// Configure implements phone.Phone.
func (h *Handset) Configure(_ context.Context, c phone.Configuration) (phone.Configured, error) {
	h.configure.Lock()
	defer h.configure.Unlock()
	if h.configured {
		return phone.Configured{}, phone.Errorf(phone.Precondition, "phone %q is configured already", c.PhoneID)
	}
	codecs, err := codec.Select(c.Codecs)
	if err != nil {
		return phone.Configured{}, phone.Errorf(phone.Invalid, "phone %q: %v", c.PhoneID, err)
	}
	h.cfg, h.codecs = c, codecs
	h.log = h.log.With("phone_id", string(c.PhoneID))
	h.calls.ids.grant(c.CallIDs)

	secure, err := tlsConfig(c.Settings)
	if err != nil {
		return phone.Configured{}, err
	}
	h.endpoint = dialog.NewEndpoint(dialog.Config{
		Loop: h.loop, Username: c.Username, Domain: c.Domain,
		NewToken: token, Random: mathrand.IntN, Incoming: h.incoming,
		Changed: func(d phone.Dialog) { h.journal.Append(phone.Entry{Dialog: &d}) },
	})
	h.ua, err = sipua.Listen(h.loop, sipua.Config{
		Transport: c.Transport, LocalPort: c.LocalPort, UserAgent: h.userAgent,
		TLS: secure, TLSName: hostOf(c.Domain),
		Tap: func(m phone.SIPMessage) {
			h.tapSIP(m)
			h.journal.Append(phone.Entry{SIP: &m})
		},
		Lost: func(t sipua.Target, why error) { h.reg.Lost(t, why) },
		Log:  h.log,
	}, h.endpoint)
	if err != nil {
		return phone.Configured{}, err
	}
	h.ua.SetCredentials(h.credentials())
	if c.Transport == phone.UDP {
		h.captures.all.Ports().Opened(h.loop.Now(), h.ua.LocalPort())
	}
	h.captures.all.KeepOwn(c.CaptureFilter == phone.CapturePhone)
	h.engine = audio.New(audio.Config{Log: h.log, Tap: h.captures.all.Taps().Datagram, FilesUnder: c.FilesUnder})
	h.standalone = standalone.New(standalone.Config{
		Loop: h.loop, UA: h.ua, From: h.endpoint.Identity(), Allow: dialog.Allow, Supported: dialog.Supported,
		NewToken: token, Received: h.received,
	})
	h.endpoint.Use(h.ua, h.standalone.Request)
	h.env = &call.Env{
		Loop: h.loop, Endpoint: h.endpoint, Engine: h.engine, Log: h.log,
		Emit: h.emitCall, Over: h.over, Referred: h.referred, Lookup: h.lookup, Settings: h.callSettings, SessionID: sessionID,
		MediaUp: h.mediaUp, Capture: h.callCapture, PortOpened: h.portOpened, PortClosed: h.portClosed, SRTPKey: srtpKey,
	}
	h.reg = registration.New(h.registrationConfig())
	go h.loop.Run()
	h.configured = true
	_ = h.loop.Post(h.begin) // the loop has just begun
	return phone.Configured{LocalPort: h.ua.LocalPort()}, nil
}

// begin does what the phone does by itself: first what a dead worker has left.
func (h *Handset) begin() {
	h.calls.closed = h.cfg.LastRites
	h.burying = true
	err := h.endpoint.Bury(h.cfg.Orphans, func() {
		h.burying = false
		if h.buried != nil {
			h.buried()
		}
	})
	if err != nil {
		h.log.Warn("what a dead worker has left is not all in order", "error", err)
	}
	switch {
	case !h.cfg.Register:
	case h.cfg.LastRites:
		h.reg.Inherit()
	default:
		h.reg.Register(nil)
	}
}

func (h *Handset) credentials() sipua.Credentials {
	return sipua.Credentials{Username: h.cfg.Username, Password: h.cfg.Password, Realm: h.cfg.Realm}
}

func (h *Handset) callSettings() call.Settings {
	return call.Settings{
		PhoneID: h.cfg.PhoneID, Username: h.cfg.Username, SDPSessionName: h.cfg.SDPSessionName,
		Codecs: h.codecs, OwnCodecOrder: h.cfg.Codecs != nil, SRTP: h.cfg.SRTP,
		Recording: h.cfg.RecordingEnabled, RecordingsDir: h.cfg.RecordingsDir,
	}
}

// token makes 128 unguessable bits: a tag must have 32 (RFC 3261 §19.3), a
// Call-ID must never repeat.
func token() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%x", b)
}

// sessionID makes an o= line's number: random, and small enough for peers that
// keep it in 63 bits.
func sessionID() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return binary.BigEndian.Uint64(b[:]) >> 16
}

// srtpKey makes a master key and salt of SRTP.
func srtpKey() phone.Secret {
	var b [negotiate.KeyLength]byte
	_, _ = rand.Read(b[:]) // never fails
	return phone.NewSecret(string(b[:]))
}

// Watch implements phone.Phone.
func (h *Handset) Watch(ctx context.Context, after uint64, each func(phone.Entry) error) error {
	for {
		entries, err := h.journal.Read(ctx, after, 256)
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

// Health implements phone.Phone.
func (h *Handset) Health(ctx context.Context) (phone.Health, error) {
	var health phone.Health
	err := h.onLoop(ctx, func() {
		health = phone.Health{LastSeq: h.journal.Last(), ActiveCalls: len(h.calls.active())}
	})
	return health, err
}

// onLoop runs fn on the loop and waits for it.
func (h *Handset) onLoop(ctx context.Context, fn func()) error {
	h.configure.Lock()
	configured := h.configured
	h.configure.Unlock()
	if !configured {
		return phone.Errorf(phone.Precondition, "the phone is not configured yet")
	}
	err := h.loop.Do(ctx, fn)
	if errors.Is(err, loop.ErrStopped) {
		return phone.Errorf(phone.Gone, "phone %q has been shut down", h.cfg.PhoneID)
	}
	return err
}

// Shutdown implements phone.Phone.
func (h *Handset) Shutdown(ctx context.Context, s phone.Shutdown) error {
	left := make(chan struct{})
	if err := h.onLoop(ctx, func() { h.leave(s, func() { close(left) }) }); err != nil {
		return err
	}
	var err error
	select {
	case <-left:
	case <-ctx.Done():
		err = ctx.Err()
	}
	h.Close()
	return err
}

const (
	// byeWithin bounds how long the messages that end calls may take to
	// leave.
	byeWithin = 500 * time.Millisecond
	// answersWithin bounds how long the far ends may take to answer them: more
	// than RFC 3261's T1, so that what was lost is sent again once.
	answersWithin = 700 * time.Millisecond
	// ritesWithin bounds how long the far ends of a dead worker's dialogs may
	// take to answer.
	ritesWithin = 1500 * time.Millisecond
)

// leave ends the calls, then the registration, then calls done: after little
// more than a second and a half even when nobody answers.
func (h *Handset) leave(s phone.Shutdown, done func()) {
	h.calls.closed = true
	if h.cfg.LastRites {
		h.leaveBuried(done)
		return
	}
	active := h.calls.active()
	if !s.HangupCalls {
		for _, c := range active {
			c.Abandon("Phone stopped")
		}
		h.reg.Close(done)
		return
	}
	answered, unregistered := false, false
	over := func() {
		if answered && unregistered {
			done()
		}
	}
	var once sync.Once
	unregister := func() {
		once.Do(func() { h.reg.Close(func() { unregistered = true; over() }) })
	}
	var first sync.Once
	settled := func() { first.Do(func() { answered = true; over() }) }
	h.loop.After(answersWithin, settled)
	// Calls that were hung up a moment ago are waited for too.
	defer h.endpoint.WhenOver(settled)
	waiting := len(active)
	if waiting == 0 {
		unregister()
		return
	}
	h.loop.After(byeWithin, unregister)
	for _, c := range active {
		c.Hangup(func(bool, error) {
			if waiting--; waiting == 0 {
				unregister()
			}
		})
	}
}

// leaveBuried calls done when the dialogs of the dead worker have ended, and its
// binding, or will not.
func (h *Handset) leaveBuried(done func()) {
	buried, unbound := false, false
	over := func() {
		if buried && unbound {
			done()
		}
	}
	h.reg.Close(func() { unbound = true; over() })
	var once sync.Once
	h.buried = func() { once.Do(func() { buried = true; over() }) }
	if !h.burying {
		h.buried()
		return
	}
	h.loop.After(ritesWithin, h.buried)
}

// Close frees what the phone holds, without a word to anybody: Shutdown comes
// first. It may be called more than once.
func (h *Handset) Close() {
	h.configure.Lock()
	configured := h.configured
	h.configure.Unlock()
	if !configured {
		return
	}
	h.closing.Do(func() {
		_ = h.loop.Do(context.Background(), func() {
			for _, c := range h.calls.active() {
				c.Abandon("Phone stopped")
			}
		})
		h.loop.Stop()
		<-h.loop.Stopped()
		h.end()
		h.lookups.Wait()
		h.ua.Close()
		h.engine.Close()
		h.captures.all.Close()
		h.journal.Close()
	})
}

// lookup finds a host's address outside the loop.
func (h *Handset) lookup(host string, found func(netip.Addr, error)) {
	h.lookups.Go(func() {
		ctx, cancel := context.WithTimeout(h.ctx, 3*time.Second)
		defer cancel()
		var addr netip.Addr
		addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if err == nil {
			addr = addrs[0].Unmap()
		}
		_ = h.loop.Post(func() { found(addr, err) }) // an ended loop has no use for it
	})
}

func (h *Handset) emit(eventType string, id *phone.CallID, data map[string]any) {
	h.journal.Append(phone.Entry{Event: &phone.Event{
		Type: eventType, PhoneID: h.cfg.PhoneID, CallID: id, Time: h.loop.Now(), Data: data,
	}})
}

func (h *Handset) emitCall(eventType string, id phone.CallID, data map[string]any) {
	h.emit(eventType, &id, data)
}
