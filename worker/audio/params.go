package audio

import (
	"fmt"
	"net/netip"

	"ringmaster/worker/codec"
	"ringmaster/worker/rtpsession"
)

// Params is what an offer and its answer agreed on for one stream.
type Params struct {
	Remote     netip.AddrPort // where RTP goes; an unspecified address (0.0.0.0) is none
	RemoteRTCP netip.AddrPort // zero: Remote with the next port

	Send    codec.Spec
	SendPT  uint8
	Receive map[uint8]codec.Spec // what may arrive, by payload type

	EventSendPT, EventRecvPT int // payload type of telephone-event; -1 when the far end, or we, have none
	CNPT                     int // payload type of comfort noise; -1: the static one, 13

	SRTP rtpsession.Keys // zero: RTP in the clear, which a stream with SRTP cannot go back to

	MaySend, MayReceive bool
	PtimeMS             int // milliseconds per packet: 10 to 60 in tens, others are moved there; 0 is 20
}

// plan is what Params become for the reader and the clock. It does not change,
// but for the state inside the coders, which is the clock's.
type plan struct {
	Params
	sink    Sink
	encoder codec.Coder
	decoder [128]*decoder
	ptime   int // samples per packet

	// reserve is how many samples a packet leaves behind that is sent with a
	// tick: none, or half a frame where packets are no whole frames. What
	// would leave less goes half a tick later, so that all go evenly.
	reserve int

	fromSource, fromGroup *converter // to the rate that is sent
}

// staticCN is the payload type that comfort noise has by itself (RFC 3551
// §6). Some send it without having agreed on it.
const staticCN = 13

type decoder struct {
	spec  codec.Spec
	coder codec.Coder
}

// newPlan checks m and prepares what the clock needs. Codecs that before has
// too keep their state, so that a re-INVITE is not heard.
func newPlan(m Params, sink Sink, before *plan) (*plan, error) {
	p := &plan{Params: m, sink: sink}
	if m.Remote.Addr().IsUnspecified() {
		p.Remote = netip.AddrPort{}
	}
	if p.CNPT < 0 && p.Receive[staticCN] == (codec.Spec{}) {
		p.CNPT = staticCN
	}
	p.MaySend = m.MaySend && p.Remote.IsValid()
	if m.RemoteRTCP.Addr().IsUnspecified() {
		p.RemoteRTCP = netip.AddrPort{}
	}
	ms := m.PtimeMS
	if ms == 0 {
		ms = 20
	}
	ms = max(10, min(60, (ms+5)/10*10))
	p.ptime = m.Send.SampleRate / 1000 * ms
	if ms%20 != 0 {
		p.reserve = m.Send.SampleRate / 1000 * 10
	}

	var err error
	if before != nil && before.Send == m.Send {
		p.encoder, p.fromSource, p.fromGroup = before.encoder, before.fromSource, before.fromGroup
	} else {
		if p.encoder, err = codec.New(m.Send); err != nil {
			return nil, err
		}
		p.fromSource, p.fromGroup = newConverter(m.Send.SampleRate), newConverter(m.Send.SampleRate)
	}
	for pt, spec := range m.Receive {
		if int(pt) >= len(p.decoder) {
			return nil, fmt.Errorf("%d is no payload type: they go from 0 to 127", pt)
		}
		if before != nil && before.decoder[pt] != nil && before.decoder[pt].spec == spec {
			p.decoder[pt] = before.decoder[pt]
			continue
		}
		coder, err := codec.New(spec)
		if err != nil {
			return nil, err
		}
		p.decoder[pt] = &decoder{spec, coder}
	}
	return p, nil
}

// sendTicks is a frame's length on the RTP clock that is sent.
func (p *plan) sendTicks() int { return p.Send.ClockRate / framesPerSecond }

// canSendDigits tells whether the far end takes telephone-event.
func (p *plan) canSendDigits() bool { return p.EventSendPT >= 0 && p.EventSendPT < 128 }
