package call

import (
	"errors"
	"fmt"
	"mime"
	"net/netip"
	"sync/atomic"

	"ringmaster/proto/phone"
	"ringmaster/worker/audio"
	"ringmaster/worker/negotiate"
	"ringmaster/worker/rtpsession"
)

func isSDP(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && t == "application/sdp"
}

func (c *Call) openMedia(source netip.Addr) error {
	if c.stream != nil {
		return nil
	}
	s, err := c.env.Engine.Open(source)
	if err != nil {
		return phone.Errorf(phone.Internal, "call %d: no RTP port can be opened on %s: %v", c.id, source, err)
	}
	c.stream = s
	c.env.PortOpened(s.LocalPort())
	return nil
}

// errOver is returned when a description comes for a call that has no media
// any more.
var errOver = errors.New("the call is over")

// local is our side of the next description.
func (c *Call) local() negotiate.Local {
	return negotiate.Local{Address: c.session.Source(), Port: c.stream.LocalPort(), Direction: c.wanted()}
}

// makeOffer describes the call as it should be now. Whoever asks for an offer
// has no use for an earlier one: it was redirected, met another one (491), or
// stood in a provisional response.
func (c *Call) makeOffer(source netip.Addr) ([]byte, error) {
	if c.at.State == phone.StateDisconnected {
		return nil, errOver
	}
	if err := c.openMedia(source); err != nil {
		return nil, err
	}
	c.negotiation.Rollback()
	l := c.local()
	l.Address = source
	return c.negotiation.Offer(l)
}

// makeAnswer answers an offer; media starts when the answer is sent.
func (c *Call) makeAnswer(offer []byte) ([]byte, error) {
	if c.stream == nil {
		return nil, errOver
	}
	answer, _, err := c.negotiation.Answer(offer, c.local())
	if errors.Is(err, negotiate.ErrPending) {
		pending := phone.Errorf(phone.Precondition, "%v", err)
		pending.Status = 491
		return nil, pending
	}
	return answer, err
}

// description is the SDP of our 183 or 200: the answer, or the offer of a call
// that came without one. Media that is agreed starts now.
func (c *Call) description() ([]byte, error) {
	if c.answer == nil {
		return c.offerLate()
	}
	c.described = true
	return c.answer, c.applyMedia()
}

// offerLate is our offer to a far end that made none. Until it is answered it
// stays the same: the 183 and the 200 say one thing.
func (c *Call) offerLate() ([]byte, error) {
	if c.lateOffer != nil {
		return c.lateOffer, nil
	}
	offer, err := c.makeOffer(c.session.Source())
	c.lateOffer = offer
	return offer, err
}

// takeAnswer puts an answer to our offer into effect.
func (c *Call) takeAnswer(body []byte) error {
	if _, err := c.negotiation.Answered(body); err != nil {
		return err
	}
	return c.applyMedia()
}

// takeFinalAnswer takes the answer of a 2xx or ACK, which may be missing when
// a provisional response has brought it.
func (c *Call) takeFinalAnswer(body []byte) error {
	if len(body) == 0 {
		if _, agreed := c.negotiation.Current(); agreed {
			return nil
		}
		return fmt.Errorf("there is no SDP in it")
	}
	return c.takeAnswer(body)
}

// Reoffered answers an offer within the dialog; an empty body asks for ours.
func (c *Call) Reoffered(body []byte) ([]byte, error) {
	if len(body) == 0 {
		return c.offerLate()
	}
	// None is open: the dialog lets theirs through only then. Ours met 491, and comes again later.
	c.negotiation.Rollback()
	answer, err := c.makeAnswer(body)
	if err != nil {
		return nil, err
	}
	return answer, c.applyMedia()
}

// applyMedia brings the stream to what is agreed.
func (c *Call) applyMedia() error {
	m, agreed := c.negotiation.Current()
	if c.stream == nil {
		return errOver
	}
	if !agreed {
		return fmt.Errorf("nothing is agreed")
	}
	if m.RemoteHost != "" {
		if c.foundHost != m.RemoteHost {
			c.foundHost, c.found = m.RemoteHost, netip.Addr{}
			c.findRemote(m)
		}
		m.Remote = netip.AddrPortFrom(c.found, m.Remote.Port())
		m.RemoteRTCP = netip.AddrPortFrom(c.found, m.RemoteRTCP.Port())
	}
	now := c.env.Loop.Now() // one stamp for all that opens with the first media
	if !c.mediaUp {
		c.mediaUp = true
		c.env.MediaUp(c.id, now)
	}
	if m.EventSendPT < 0 {
		c.digitsToInfo()
	}
	err := c.stream.Apply(audio.Params{
		Remote: m.Remote, RemoteRTCP: m.RemoteRTCP,
		Send: m.Codec, SendPT: m.SendPT, Receive: m.Receive,
		EventSendPT: m.EventSendPT, EventRecvPT: m.EventRecvPT, CNPT: m.CNPT,
		MaySend:    (m.Local == negotiate.SendRecv || m.Local == negotiate.SendOnly) && m.Remote.Addr().IsValid(),
		MayReceive: m.Local == negotiate.SendRecv || m.Local == negotiate.RecvOnly,
		PtimeMS:    m.Ptime,
		SRTP:       rtpsession.Keys(m.SRTP),
	}, sink{env: c.env, id: c.id, started: &c.received, closed: &c.silent})
	if err != nil {
		return err
	}
	c.codecName = m.Codec.Name
	c.setRecording(c.env.Settings().Recording, now)
	return nil
}

// HasMedia reports whether the call's media is up.
func (c *Call) HasMedia() bool { return c.stream != nil && c.stream.Playing() != "" }

// findRemote looks up the host name that a description gave instead of an
// address; media goes out when it is found.
func (c *Call) findRemote(m negotiate.Media) {
	c.env.Lookup(m.RemoteHost, func(addr netip.Addr, err error) {
		now, _ := c.negotiation.Current()
		if c.stream == nil || now.RemoteHost != m.RemoteHost {
			return // over, or agreed otherwise meanwhile
		}
		if err == nil {
			c.found = addr
			err = c.applyMedia()
		}
		if err != nil {
			c.log().Warn("the far end's media address cannot be used", "host", m.RemoteHost, "error", err)
			c.env.Emit("media.error", c.id, map[string]any{"error": err.Error()})
		}
	})
}

// closeMedia ends the stream, keeping what is to be known of it, and closes
// its files.
func (c *Call) closeMedia() {
	if c.stream == nil {
		return
	}
	c.closeSegment()
	sent, _, _ := c.stream.TakeDigits()
	c.digitsSent(sent)
	c.silent.Store(true)
	c.stats, c.playing = c.stream.Stats(), ""
	port := c.stream.LocalPort()
	c.stream.Close()
	c.heard, c.sent, c.quality = c.stream.Heard(), c.stream.Sent(), c.stream.Quality()
	c.env.PortClosed(port)
	c.stream = nil
	if c.received.Load() {
		c.env.Emit("media.stopped", c.id, map[string]any{})
	}
}

// sink reports what the media notices, from whatever goroutine it does: events
// take no detour through the loop.
type sink struct {
	env     *Env
	id      phone.CallID
	started *atomic.Bool // RTP has come
	closed  *atomic.Bool // the call is over: nothing follows its end
}

func (s sink) emit(eventType string, data map[string]any) {
	if !s.closed.Load() {
		s.env.Emit(eventType, s.id, data)
	}
}

func (s sink) DTMFReceived(digit string) {
	s.emit("dtmf.in", map[string]any{"digit": digit, "method": "rfc4733"})
}

func (s sink) DTMFSent(digits string) {
	s.emit("dtmf.out", map[string]any{"digits": digits, "method": "rfc4733"})
}

func (s sink) PlayEnded(file string) { s.emit("media.play_ended", map[string]any{"file": file}) }

func (s sink) MediaStarted() {
	if !s.closed.Load() {
		s.started.Store(true)
		s.env.Emit("media.started", s.id, map[string]any{})
	}
}

func (s sink) MediaError(err error) {
	s.emit("media.error", map[string]any{"error": err.Error()})
}

func (s sink) MediaSilence(why string) {
	s.emit("media.silence", map[string]any{"reason": why})
}

func (s sink) MediaResumed() { s.emit("media.resumed", map[string]any{}) }

// wanted is the direction that our descriptions ask for.
func (c *Call) wanted() negotiate.Direction {
	if c.held {
		return negotiate.SendOnly
	}
	return negotiate.SendRecv
}
