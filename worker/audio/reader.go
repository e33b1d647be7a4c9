package audio

import (
	"ringmaster/worker/jitter"
	"ringmaster/worker/rtpsession"
)

// reader is a stream as its session's reader goroutine sees it.
type reader Stream

// ClockRate is the RTP clock of audio; 0 of everything else.
func (r *reader) ClockRate(payloadType uint8) int {
	if d := r.plan.Load().decoder[payloadType]; d != nil {
		return d.spec.ClockRate
	}
	return 0
}

// Packet sorts one packet: digits are told at once, audio waits for the clock.
func (r *reader) Packet(p *rtpsession.Packet) {
	plan := r.plan.Load()
	r.fresh.Store(true)
	if !r.heard.Swap(true) {
		plan.sink.MediaStarted()
	}
	if !plan.MayReceive {
		r.session.Discard()
		return
	}
	a := arrived{at: p.Arrival, Packet: jitter.Packet{
		SSRC: p.SSRC, Seq: p.Seq, Timestamp: p.Timestamp, Kind: p.PayloadType, Payload: p.Payload,
	}}
	d := plan.decoder[p.PayloadType]
	switch pt := int(p.PayloadType); {
	case pt == plan.EventRecvPT:
		if digit, ok := r.events.Packet(p.SSRC, p.Timestamp, p.Marker, p.Payload); ok {
			plan.sink.DTMFReceived(string(rune(digit)))
		}
		return
	case d != nil:
		a.Ticks, a.clockRate = d.coder.Ticks(p.Payload), d.spec.ClockRate
	case pt == plan.CNPT:
		a.Ticks, a.clockRate = 1, plan.Send.ClockRate // it begins a silence that has no length of its own
	default:
		r.session.Unagreed(p.PayloadType)
		return
	}
	if a.Ticks == 0 || !r.packets.add(a) {
		r.session.Discard()
	}
}
