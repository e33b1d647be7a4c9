package rtpsession

import (
	"errors"
	"fmt"
	"sync"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"ringmaster/proto/phone"
)

// Keys protect what a session sends and receives by SRTP (RFC 3711). The zero
// value is RTP in the clear.
type Keys struct {
	Suite         string       // AES_CM_128_HMAC_SHA1_80 or AES_CM_128_HMAC_SHA1_32
	Send, Receive phone.Secret // 16 bytes of master key and 14 of salt
}

const masterKeyLength, masterSaltLength = 16, 14

// replayWindow is how far behind the newest packet one may be, and still be
// told from one that somebody sends again. It is no smaller than what counts
// as reordering.
const replayWindow = 128

// protection is keys put to use. Each context belongs to one goroutine, and
// stays in use for as long as its key does: it knows how often the sequence
// numbers have come round.
type protection struct {
	keys      Keys
	tagLength int // bytes at the end of an RTP packet

	rtpOut  *srtp.Context // the clock's
	rtpIn   *srtp.Context // the reader's
	rtcpIn  *srtp.Context // that of the reports goroutine
	rtcpOut *sealer

	// rtpInOn is rtpIn for a far end that goes on counting rounds across a
	// change of keys, as RFC 3711 §3.3.1 has it; rtpIn is for one that begins
	// anew, which many do.
	rtpInOn *srtp.Context
}

// Protect puts keys to use, in both directions; everything is SRTP and SRTCP
// from now on. Packets under the keys before these are still read until the
// first one under these arrives. It comes before the SetRemote that first lets
// packets out.
func (s *Session) Protect(k Keys) error {
	before := s.protection.Load()
	if before == nil && k == (Keys{}) || before != nil && before.keys == k {
		return nil
	}
	if k == (Keys{}) {
		return errors.New("a session with SRTP cannot go on without it")
	}
	p, err := newProtection(k, before)
	if err != nil {
		return err
	}
	s.protection.Store(p)
	return nil
}

func newProtection(k Keys, before *protection) (*protection, error) {
	profile, ok := profileOf(k.Suite)
	if !ok {
		return nil, fmt.Errorf("there is no SRTP suite %.40q here", k.Suite)
	}
	if before == nil {
		before = &protection{}
	}
	p := &protection{keys: k}
	var err error
	if p.tagLength, err = profile.AuthTagRTPLen(); err != nil {
		return nil, err
	}
	if before.keys.Suite == k.Suite && before.keys.Send == k.Send {
		p.rtpOut, p.rtcpOut = before.rtpOut, before.rtcpOut
	} else if p.rtpOut, err = newContext(profile, k.Send); err != nil {
		return nil, err
	} else if p.rtcpOut, err = newSealer(profile, k.Send); err != nil {
		return nil, err
	}
	if before.keys.Suite == k.Suite && before.keys.Receive == k.Receive {
		p.rtpIn, p.rtpInOn, p.rtcpIn = before.rtpIn, before.rtpInOn, before.rtcpIn
		return p, nil
	}
	for _, to := range []**srtp.Context{&p.rtpIn, &p.rtpInOn, &p.rtcpIn} {
		if *to, err = newContext(profile, k.Receive); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func profileOf(suite string) (srtp.ProtectionProfile, bool) {
	switch suite {
	case "AES_CM_128_HMAC_SHA1_80":
		return srtp.ProtectionProfileAes128CmHmacSha1_80, true
	case "AES_CM_128_HMAC_SHA1_32":
		return srtp.ProtectionProfileAes128CmHmacSha1_32, true
	}
	return 0, false
}

func newContext(profile srtp.ProtectionProfile, key phone.Secret) (*srtp.Context, error) {
	master := []byte(key.Reveal())
	if len(master) != masterKeyLength+masterSaltLength {
		return nil, fmt.Errorf("an SRTP key has %d bytes with its salt, not %d", masterKeyLength+masterSaltLength, len(master))
	}
	return srtp.CreateContext(master[:masterKeyLength], master[masterKeyLength:], profile,
		srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
}

// sealer encrypts RTCP, for the reports goroutine and for Close.
type sealer struct {
	mu      sync.Mutex
	context *srtp.Context
}

func newSealer(profile srtp.ProtectionProfile, key phone.Secret) (*sealer, error) {
	c, err := newContext(profile, key)
	return &sealer{context: c}, err
}

func (s *sealer) seal(report []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.context.EncryptRTCP(nil, report, nil)
}

// opener decrypts what the reader gets. It belongs to the reader.
type opener struct {
	keys   Keys // of which Receive counts
	header rtp.Header
	ssrc   uint32 // of the last packet that was good
	// current are the contexts to try, the likeliest first: one, but after a
	// change of keys, when only a good packet tells how the far end goes on.
	current []*srtp.Context
	before  *srtp.Context // of the key before, until the new one is heard
}

// opened is what became of a packet.
type opened int

const (
	good opened = iota
	again
	bad
)

// open decrypts a packet in its place. again is one that has come before, or
// that came too late to tell.
func (o *opener) open(p *protection, data []byte) ([]byte, opened) {
	if o.keys.Suite != p.keys.Suite || o.keys.Receive != p.keys.Receive {
		o.change(p)
	}
	if n, err := o.header.Unmarshal(data); err != nil || len(data) < n+p.tagLength {
		return nil, bad
	}
	verdict := bad
	for i, c := range o.current {
		plain, err := c.DecryptRTP(data[:0], data, &o.header)
		if err == nil {
			o.settle(i)
			return plain, good
		}
		if !errors.Is(err, srtp.ErrFailedToVerifyAuthTag) {
			verdict = again
		}
	}
	if o.before != nil {
		if plain, err := o.before.DecryptRTP(data[:0], data, &o.header); err == nil {
			o.ssrc = o.header.SSRC
			return plain, good
		}
	}
	return nil, verdict
}

// change takes over a new key.
func (o *opener) change(p *protection) {
	o.keys, o.before = p.keys, nil
	if len(o.current) == 0 {
		o.current = []*srtp.Context{p.rtpIn}
		return
	}
	o.before = o.current[0]
	o.current = []*srtp.Context{p.rtpIn}
	if rounds, ok := o.before.ROC(o.ssrc); ok && rounds > 0 {
		p.rtpInOn.SetROC(o.ssrc, rounds)
		o.current = append(o.current, p.rtpInOn)
	}
}

// settle keeps the context that a good packet has chosen.
func (o *opener) settle(i int) {
	o.ssrc = o.header.SSRC
	if len(o.current) > 1 {
		o.current = []*srtp.Context{o.current[i]}
	}
	o.before = nil
}
