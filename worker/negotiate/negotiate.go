// Package negotiate is the offer/answer model of RFC 3264 for one audio stream:
// descriptions in, descriptions out, and what was agreed.
//
//	Offer ──► far end ──► Answered ──► Media      our turn (or Rollback)
//	far end ──► Answer ──► Media                  their turn
//
// It sends nothing and knows no clock. Lines of other media are refused, kept
// in their places as long as the dialog lives (RFC 3264 §8).
package negotiate

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"ringmaster/proto/phone"
	"ringmaster/proto/sdp"
	"ringmaster/worker/codec"
)

// Direction says which way media flows; SendRecv is the zero value.
type Direction = sdp.Direction

// The four directions.
const (
	SendRecv = sdp.SendRecv
	SendOnly = sdp.SendOnly
	RecvOnly = sdp.RecvOnly
	Inactive = sdp.Inactive
)

// Errors of an exchange. The errors around them are sentences that name what
// the far end said and what this phone has. After any of them the session is
// what it was.
var (
	// ErrMalformed: not a description, or one that says too little.
	ErrMalformed = errors.New("malformed session description")
	// ErrNoAudio: no audio stream that is switched on.
	ErrNoAudio = errors.New("no audio stream")
	// ErrProfile: audio only under a profile that this phone does not speak.
	ErrProfile = errors.New("unsupported media profile")
	// ErrKeys: no key of SRTP that this phone can use (RFC 4568): no a=crypto
	// line, or none with a suite and parameters that it has.
	ErrKeys = errors.New("no usable SRTP key")
	// ErrNoCommonCodec: answer it with 488.
	ErrNoCommonCodec = errors.New("no common codec")
	// ErrRejected: the answer refused our audio with port 0.
	ErrRejected = errors.New("the far end refused the audio stream")
	// ErrPending: our own offer awaits its answer; answer theirs with 491.
	ErrPending = errors.New("an offer of this phone still awaits its answer")
	// ErrNoOffer: an answer came and we had offered nothing.
	ErrNoOffer = errors.New("an answer without an offer")
	// ErrLocal: this side cannot make a description: a defect, or a list of
	// codecs that holds none.
	ErrLocal = errors.New("cannot describe this phone's media")
)

// Config is what a phone brings into a dialog.
type Config struct {
	SessionID      uint64 // of the o= line, for the dialog's life
	Username       string // of the o= line
	SessionName    string // of the s= line
	Codecs         []codec.Spec
	PreferOwnOrder bool // answers follow Codecs; else the offer's order
	TelephoneEvent bool // offer and accept RFC 4733
	Ptime          int  // ms that we like to get, and send unless told otherwise; 10 to 60, 0 means 20
	// NewKey makes KeyLength unguessable bytes. Where it is given, audio is
	// SRTP with keys by RFC 4568, and nothing else; nil: RTP in the clear.
	NewKey func() phone.Secret
}

// Local is where our media is, and what we want of it.
type Local struct {
	Address   netip.Addr
	Port      int // 1 to 65535
	Direction Direction
}

// Negotiation is one dialog's. Not safe for concurrent use.
type Negotiation struct {
	config  Config
	numbers numbers

	version uint64 // of the o= line last written
	sent    []byte // the description last written, without its version

	lines []sdp.Media // our m= lines as last agreed, nil before
	audio int         // which of them is ours

	offer   *offer // our last offer, until the far end makes one
	pending bool   // offer is not answered yet
	current *Media
}

// New makes the negotiation of one dialog.
func New(c Config) *Negotiation {
	if c.Ptime == 0 {
		c.Ptime = 20
	}
	return &Negotiation{config: c, numbers: numbers{}}
}

// SetCodecs changes what the next offer or answer may contain, and returns what
// takes the change back.
func (n *Negotiation) SetCodecs(codecs []codec.Spec, ownOrder bool) (back func()) {
	before := n.config
	n.config.Codecs, n.config.PreferOwnOrder = codecs, ownOrder
	return func() { n.config.Codecs, n.config.PreferOwnOrder = before.Codecs, before.PreferOwnOrder }
}

// Rollback forgets our offer, because it was refused or nobody answered: the
// session stays as it was (RFC 3264 §8).
func (n *Negotiation) Rollback() {
	if n.pending {
		n.offer, n.pending = nil, false
	}
}

// Current is what was last agreed; false before anything was. Its map must
// not be changed.
func (n *Negotiation) Current() (Media, bool) {
	if n.current == nil {
		return Media{}, false
	}
	return *n.current, true
}

// write makes a description of these m= lines. Its version rises when it
// differs from the one before (RFC 3264 §8).
func (n *Negotiation) write(lines []sdp.Media, address netip.Addr) []byte {
	connection := sdp.ConnectionTo(address)
	s := sdp.Session{
		Origin:     sdp.Origin{Username: n.config.Username, SessionID: strconv.FormatUint(n.config.SessionID, 10), Address: connection.Address},
		Name:       n.config.SessionName,
		Connection: connection,
		Media:      lines,
	}
	if unversioned := s.Bytes(); !bytes.Equal(unversioned, n.sent) {
		n.version++
		n.sent = unversioned
	}
	s.Origin.Version = strconv.FormatUint(n.version, 10)
	return s.Bytes()
}

// stream is our m= line of the given codecs.
func (n *Negotiation) stream(l Local, proto string, direction Direction, codecs []sdp.Codec) sdp.Media {
	m := sdp.Media{Type: "audio", Port: l.Port, Proto: proto, Codecs: codecs, Direction: direction, Ptime: n.config.Ptime}
	for _, c := range codecs {
		m.Formats = append(m.Formats, strconv.Itoa(int(c.PT)))
	}
	return m
}

// check finds out whether a description can be made at all.
func (n *Negotiation) check(l Local) error {
	switch {
	case !l.Address.IsValid() || l.Address.IsUnspecified():
		return fmt.Errorf("%w: it has no address", ErrLocal)
	case l.Port < 1 || l.Port > 65535:
		return fmt.Errorf("%w: port %d is not from 1 to 65535", ErrLocal, l.Port)
	case len(n.config.Codecs) == 0:
		return fmt.Errorf("%w: its list of codecs is empty; give at least one", ErrLocal)
	}
	return nil
}
