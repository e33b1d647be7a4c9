package handset

import (
	"net/netip"
	"path/filepath"
	"time"

	"ringmaster/proto/artifact"
	"ringmaster/proto/phone"
	"ringmaster/worker/capture"
)

// captures is what the phone writes into pcap files: one file for as long as
// it has a call, and one when its user asks.
type captures struct {
	all   *capture.Captures
	calls *captured // watching since the first call began; nil: off, or no call
	asked *captured // of start_capture

	lastPath  string // of the calls' capture that was closed last
	lastEnded time.Time
}

// captured is one capture. Its fields belong to the loop.
type captured struct {
	*capture.Capture
	call *phone.CallID // whose name it bears; nil for start_capture
	path string        // "" until it is opened
	mode capture.Mode
	why  string

	opened []func(error) // told once, when the file is there or cannot be
	closed []func(capture.Result)
}

// captureLinger is how much longer a capture goes on when the last call is
// over here: what its end sends and is answered still belongs to it.
const captureLinger = 250 * time.Millisecond

// watch begins to capture, without a file yet.
func (h *Handset) watch() (*captured, error) {
	k := &captured{}
	var err error
	k.Capture, err = h.captures.all.Start(capture.Reports{
		Opened: func(mode capture.Mode, why string) {
			h.emit("media.capture_started", k.call, map[string]any{"file": k.path, "capture_mode": string(mode), "reason": why})
			h.later(func() {
				k.mode, k.why = mode, why
				k.settle(nil)
			})
		},
		Failed: func(err error) {
			h.log.Error("a capture fails", "error", err)
			h.later(func() { h.captureFailed(k, err) })
		},
		Closed: func(r capture.Result) {
			if r.Path != "" {
				h.emit("media.capture_stopped", k.call, map[string]any{
					"file": r.Path, "capture_mode": string(r.Mode), "file_size": r.Bytes, "dropped": r.Dropped,
				})
			}
			h.later(func() {
				for _, f := range k.closed {
					f(r)
				}
			})
		},
	})
	return k, err
}

// later runs fn on the loop; an ended loop has no use for it.
func (h *Handset) later(fn func()) { _ = h.loop.Post(fn) }

// settle tells who waits that the capture is there, or why not.
func (k *captured) settle(err error) {
	for _, f := range k.opened {
		f(err)
	}
	k.opened = nil
}

func (h *Handset) captureFailed(k *captured, err error) {
	h.emit("media.error", k.call, map[string]any{"error": err.Error()})
	if h.captures.calls == k {
		h.forgetCallCapture()
	}
	if h.captures.asked == k {
		h.captures.asked = nil
	}
	k.settle(err)
}

// openCapture gives a capture its file.
func (h *Handset) openCapture(k *captured, id *phone.CallID, name string) {
	k.call = id
	k.path = filepath.Join(h.cfg.CapturesDir, string(h.cfg.PhoneID), name)
	k.Open(k.path)
}

// callBegins lets tcpdump start while the call is set up, so that it misses no
// media.
func (h *Handset) callBegins() {
	if !h.cfg.CaptureEnabled || h.captures.calls != nil {
		return
	}
	k, err := h.watch()
	if err != nil {
		h.log.Error("calls cannot be captured", "error", err)
		return
	}
	h.captures.calls = k
}

// mediaUp opens the calls' capture at the first media of the first of them.
func (h *Handset) mediaUp(id phone.CallID, at time.Time) {
	h.callBegins() // one that failed is tried again
	if k := h.captures.calls; k != nil && k.path == "" {
		h.openCapture(k, &id, artifact.CallName(int64(id), at)+artifact.PCAP)
	}
}

// portOpened takes the ports of a call's RTP and RTCP as the phone's.
func (h *Handset) portOpened(rtp int) {
	for _, port := range []int{rtp, rtp + 1} {
		h.captures.all.Ports().Opened(h.loop.Now(), port)
	}
}

func (h *Handset) portClosed(rtp int) {
	for _, port := range []int{rtp, rtp + 1} {
		h.captures.all.Ports().Closed(h.loop.Now(), port)
	}
}

// forgetCallCapture takes the calls' capture as over.
func (h *Handset) forgetCallCapture() *captured {
	k := h.captures.calls
	h.captures.calls = nil
	if k != nil && k.path != "" {
		h.captures.lastPath, h.captures.lastEnded = k.path, h.loop.Now()
	}
	return k
}

// callCapture is the newest capture of calls that was open at some time since
// then; "" when there was none.
func (h *Handset) callCapture(since time.Time) string {
	if k := h.captures.calls; k != nil && k.path != "" {
		return k.path
	}
	if h.captures.lastEnded.Before(since) {
		return ""
	}
	return h.captures.lastPath
}

// switchCapture switches the capturing of calls, those too that are up; next
// is called when packets are in the file, or when the file is complete.
func (h *Handset) switchCapture(on *bool, next func()) {
	if on == nil || *on == h.cfg.CaptureEnabled {
		next()
		return
	}
	h.cfg.CaptureEnabled = *on
	if !*on {
		if k := h.forgetCallCapture(); k != nil {
			k.closed = append(k.closed, func(capture.Result) { next() })
			k.Stop(0)
			return
		}
		next()
		return
	}
	active := h.calls.active()
	if len(active) > 0 {
		h.callBegins()
	}
	for _, c := range active {
		if k := h.captures.calls; c.HasMedia() && k != nil {
			k.opened = append(k.opened, func(error) { next() })
			oldest := active[0].ID()
			h.openCapture(k, &oldest, artifact.CallName(int64(oldest), h.loop.Now())+artifact.PCAP)
			return
		}
	}
	next()
}

// startCapture begins the capture that the user asked for.
func (h *Handset) startCapture(done reply) {
	if k := h.captures.asked; k != nil {
		done(phone.Outcome{}, phone.Errorf(phone.Precondition,
			"phone_id %q captures into %s already: end that with stop_capture first", h.cfg.PhoneID, filepath.Base(k.path)))
		return
	}
	k, err := h.watch()
	if err != nil {
		done(phone.Outcome{}, phone.Errorf(phone.Gone, "phone_id %q cannot capture: %v", h.cfg.PhoneID, err))
		return
	}
	h.captures.asked = k
	k.opened = append(k.opened, func(err error) {
		if err != nil {
			done(phone.Outcome{}, phone.Errorf(phone.Internal, "phone_id %q cannot capture: %v", h.cfg.PhoneID, err))
			return
		}
		done(phone.Outcome{Capture: k.info()}, nil)
	})
	h.openCapture(k, nil, artifact.CaptureName(h.loop.Now()))
}

func (h *Handset) stopCapture(done reply) {
	k := h.captures.asked
	if k == nil {
		done(phone.Outcome{}, phone.Errorf(phone.Precondition, "phone_id %q has no capture to stop: start_capture begins one", h.cfg.PhoneID))
		return
	}
	h.captures.asked = nil
	k.closed = append(k.closed, func(r capture.Result) {
		k.mode = r.Mode
		info := k.info()
		info.Size = r.Bytes
		done(phone.Outcome{Capture: info}, nil)
	})
	k.Stop(0)
}

func (k *captured) info() *phone.CaptureInfo {
	return &phone.CaptureInfo{Path: k.path, Mode: string(k.mode), Reason: k.why}
}

// tapSIP shows the captures a SIP message, where it went over UDP: as with
// tcpdump's filter, TCP and TLS are not captured.
func (h *Handset) tapSIP(m phone.SIPMessage) {
	if m.Transport != phone.UDP || !h.captures.all.Taps().On() {
		return
	}
	remote, err := netip.ParseAddrPort(m.Remote)
	if err != nil {
		return
	}
	local, err := h.ua.LocalAddr(remote.Addr())
	if err != nil {
		return // no route: the message has not left
	}
	if !m.Sent {
		local, remote = remote, local
	}
	h.captures.all.Taps().Datagram(m.Time, local, remote, m.Raw)
}
