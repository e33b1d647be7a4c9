// Package call is one call: it performs what callstate decides, between a
// dialog (signalling), a negotiation (SDP) and a stream (media), and reports
// what happens as events.
//
//	call.go       where it stands; stepping and reporting
//	outbound.go   what the far end says to a call that we began
//	inbound.go    a call that came in
//	command.go    what the user asks of it
//	media.go      offer and answer put into effect
//	digits.go     digits, sent and received
//	heard.go      what was heard and sent, as an event tells it
//	hold.go       re-INVITEs
//	transfer.go   REFER, both ways
//	recording.go  segments and sidecars
//
// A Call belongs to the phone's loop; nothing here may be used off it.
package call

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"ringmaster/loop"
	"ringmaster/proto/phone"
	"ringmaster/worker/audio"
	"ringmaster/worker/callstate"
	"ringmaster/worker/codec"
	"ringmaster/worker/dialog"
	"ringmaster/worker/negotiate"
)

// Env is what a phone gives to all its calls.
type Env struct {
	Loop     *loop.Loop
	Endpoint *dialog.Endpoint
	Engine   *audio.Engine
	Log      hclog.Logger
	// Emit reports an event of a call. It may be called from any goroutine,
	// and must not block.
	Emit func(eventType string, id phone.CallID, data map[string]any)
	// Over is called once, when a call has reached DISCONNECTED and its
	// media and files are closed, just before the event says so; or when it
	// never came to be.
	Over func(c *Call)
	// Referred takes the far end's wish that we call somebody; a status
	// refuses it.
	Referred func(c *Call, r dialog.Referral) (status int, reason string)
	// Lookup finds the address of a host; found runs on the loop, later.
	Lookup func(host string, found func(netip.Addr, error))
	// Settings are the phone's settings as they are at the moment.
	Settings func() Settings
	// MediaUp is told when a call's media comes up for the first time, just
	// before its first packet; what that opens is named after the moment.
	MediaUp func(id phone.CallID, at time.Time)
	// Capture is the capture that has been open since then, or was open at
	// some time since; "" when there was none.
	Capture func(since time.Time) string
	// PortOpened and PortClosed are told of a call's RTP port; the one above
	// it is RTCP's.
	PortOpened, PortClosed func(rtp int)
	// SessionID makes the number of an o= line.
	SessionID func() uint64
	// SRTPKey makes a master key and salt.
	SRTPKey func() phone.Secret
}

// Settings is the part of a phone's settings that its calls use.
type Settings struct {
	PhoneID        phone.ID
	Username       string
	SDPSessionName string
	Codecs         []codec.Spec
	OwnCodecOrder  bool // the phone has a codecs list: answers follow it
	SRTP           bool // for calls that begin now
	Recording      bool
	RecordingsDir  string
}

// Call is one call of the phone.
type Call struct {
	env         *Env
	id          phone.CallID
	at          callstate.Call
	session     *dialog.Session
	negotiation *negotiate.Negotiation
	stream      *audio.Stream // nil before the first description, and at the end
	received    atomic.Bool   // RTP has come
	silent      atomic.Bool   // the media reports nothing any more
	segment     segment
	mediaUp     bool // it has been, perhaps no longer

	foundHost string     // the name that the far end's description gave for an address
	found     netip.Addr // its address, once known

	held      bool   // by this phone
	offer     []byte // inbound: the far end's SDP, as the INVITE brought it
	answer    []byte // our answer to it, made at once; nil for a late offer
	described bool   // it has left
	lateOffer []byte // our offer to a far end that made none; its answer comes with the ACK

	startedAt, answeredAt, endedAt time.Time
	lastStatus                     int
	lastText                       string
	codecName                      string
	stats                          phone.RTPStats // at the end, as what follows
	heard, sent                    phone.Sound
	quality                        *phone.Quality
	playing                        string // at the end

	transferTo string                          // where the far end was last asked to go
	report     func(status int, reason string) // of a call that was asked for by REFER

	left func(error) // tells a hangup that its message has left; nil when none waits
	info infoQueue   // digits that travel as INFO

	plainInfo bool // the far end does not take the usual body of those
}

func newCall(env *Env, id phone.CallID) *Call {
	s := env.Settings()
	cfg := negotiate.Config{
		SessionID: env.SessionID(), Username: s.Username, SessionName: s.SDPSessionName,
		Codecs: s.Codecs, PreferOwnOrder: s.OwnCodecOrder, TelephoneEvent: true, Ptime: 20,
	}
	if s.SRTP {
		cfg.NewKey = env.SRTPKey
	}
	c := &Call{env: env, id: id, startedAt: env.Loop.Now(), negotiation: negotiate.New(cfg)}
	c.info = c.newInfoQueue()
	return c
}

// ID is the call's id.
func (c *Call) ID() phone.CallID { return c.id }

// State is where the call stands.
func (c *Call) State() phone.State { return c.at.State }

// Session is the call's dialog.
func (c *Call) Session() *dialog.Session { return c.session }

// Waiting reports whether the call came in and has no final answer yet.
func (c *Call) Waiting() bool {
	return c.at.Inbound && (c.at.State == phone.StateIncoming || c.at.State == phone.StateEarly)
}

// Active reports whether the call is neither unborn nor over.
func (c *Call) Active() bool {
	return c.at.State != phone.StateNull && c.at.State != phone.StateDisconnected
}

func (c *Call) direction() phone.Direction {
	if c.at.Inbound {
		return phone.Inbound
	}
	return phone.Outbound
}

// step feeds the state machine, reports a change of state, then performs what
// it decided. status and text, when status is not 0, are the SIP answer that
// goes with it.
func (c *Call) step(in callstate.Input, status int, text string) error {
	next, effects, err := callstate.Step(c.at, in)
	if err != nil {
		return err
	}
	changed := next.State != c.at.State
	c.at = next
	if status != 0 && (changed || c.Active()) {
		c.lastStatus, c.lastText = status, text
		if c.report != nil && !c.at.Inbound {
			c.report(status, text)
		}
	}
	if changed {
		c.entered(next.State)
	}
	for _, e := range effects {
		c.perform(e)
	}
	if changed && next.State == phone.StateDisconnected {
		if !slices.Contains(effects, callstate.SendBye) {
			c.tellLeft(nil) // there is nothing more to send
		}
	}
	return nil
}

// entered reports a new state. Media and files are closed before the end is
// reported, so that whoever hears of it finds them complete.
func (c *Call) entered(s phone.State) {
	switch s {
	case phone.StateConfirmed:
		if c.answeredAt.IsZero() {
			c.answeredAt = c.env.Loop.Now()
		}
	case phone.StateDisconnected:
		c.endedAt = c.env.Loop.Now()
		c.info.drop()
		c.closeMedia()
		c.env.Over(c)
	}
	c.log().Debug("the call is "+s.EventName(), "direction", string(c.direction()), "remote_uri", c.remoteURI(), "status", c.lastStatus)
	// Beyond what the contract names, what is to be known of the call should
	// this process die before it has ended.
	local, remote := c.rtpPorts()
	data := map[string]any{
		"state":            s.EventName(),
		"remote_uri":       c.remoteURI(),
		"last_status":      int64(c.lastStatus),
		"last_status_text": c.lastText,
		"direction":        string(c.direction()),
		"sip_call_id":      c.session.CallID(),
		"local_tag":        c.session.LocalTag(),
		"codec":            c.codecName,
		"remote_contact":   c.session.RemoteContact(),
		"local_contact":    c.session.LocalContact(),
		"recording_file":   c.segment.newest,
		"local_rtp_port":   int64(local),
		"remote_rtp_port":  int64(remote),
		"capture_file":     c.env.Capture(c.startedAt),
	}
	if s == phone.StateDisconnected {
		data["heard"], data["sent"], data["quality"] = c.heard.Data(), c.sent.Data(), c.quality.Data()
	}
	c.env.Emit("call.state."+s.EventName(), c.id, data)
}

func (c *Call) perform(e callstate.Effect) {
	switch e {
	case callstate.SendCancel:
		c.session.Cancel(func() { c.tellLeft(nil) })
	case callstate.SendBye:
		c.session.Bye(c.tellLeft)
	case callstate.SendCanceled:
		c.warn("487", c.session.Refuse(487, "Request Terminated"))
	case callstate.SendRefusal:
		err := c.session.Refuse(c.lastStatus, c.lastText)
		c.warn("refusal", err)
		c.tellLeft(err)
	case callstate.SendInvite, callstate.SendAck, callstate.SendAccept, callstate.SendProvisional:
		// The dialog sends INVITE and ACK in its own time, before it tells
		// us; answers are sent by the command, which has their SDP.
	}
}

func (c *Call) warn(what string, err error) {
	if err != nil {
		c.log().Warn("could not send", "what", what, "error", err)
	}
}

func (c *Call) tellLeft(err error) {
	if c.left != nil {
		left := c.left
		c.left = nil
		left(err)
	}
}

func (c *Call) remoteURI() string {
	if c.session == nil {
		return ""
	}
	return c.session.RemoteURI()
}

// Info is everything known of the call now.
func (c *Call) Info() phone.CallInfo {
	info := phone.CallInfo{
		CallID: c.id, State: c.at.State, Direction: c.direction(),
		RemoteURI: c.remoteURI(), Codec: c.codecName,
		LastStatus: c.lastStatus, LastStatusText: c.lastText,
		OnHold: c.held, RecordingFile: c.segment.newest, PlayingFile: c.playing, RTP: c.stats,
		Heard: c.heard, Sent: c.sent, Quality: c.quality,
		StartedAt: c.startedAt, AnsweredAt: c.answeredAt, EndedAt: c.endedAt,
	}
	if c.session != nil {
		info.SIPCallID = c.session.CallID()
		info.RemoteContact, info.LocalContact = c.session.RemoteContact(), c.session.LocalContact()
	}
	if c.stream != nil {
		info.RTP, info.PlayingFile = c.stream.Stats(), c.stream.Playing()
		info.Heard, info.Sent, info.Quality = c.stream.Heard(), c.stream.Sent(), c.stream.Quality()
	}
	if !c.answeredAt.IsZero() {
		end := c.endedAt
		if end.IsZero() {
			end = c.env.Loop.Now()
		}
		info.Duration = end.Sub(c.answeredAt)
	}
	return info
}
