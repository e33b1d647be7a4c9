package explain

import (
	"fmt"
	"slices"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/proto/sdp"
)

// soundRules look at what was sent and received.
func soundRules() []Rule {
	return []Rule{
		{"no_sound_in", Error, "packets received, while the descriptions let the far end send", "One-way sound: nothing came from the far end in %v, while this phone sent %d packets.", "check that the far end sends, and that its RTP can reach this phone's port (firewall, NAT, c= of the phone)", noSoundIn},
		{"no_sound_out", Error, "packets sent, while the descriptions let the phone send", "One-way sound: this phone sent nothing in %v, while %d packets came in.", "see what the call plays, and whether the far end's media address could be resolved", noSoundOut},
		{"no_sound", Error, "packets of both directions", "No sound flowed in either direction in %v.", "see whether both descriptions have an audio stream with a port, and media.error among the events", noSound},
		{"only_silence_in", Warning, "what was heard of the far end", "The far end sent packets that held only silence for %v.", "see what the far end plays: a muted microphone, a silent file, or a wrong sound device", onlySilenceIn},
		{"only_silence_out", Warning, "what the phone sent", "This phone sent packets that held only silence for %v.", "see what the call plays (playing_file)", onlySilenceOut},
		{"sound_stopped", Warning, "media.silence for want of packets, and media.resumed", "The packets of the far end stopped %v before the end and did not come back.", "see what the far end did then: it may have gone, or lost its network", soundStopped},
		{"unagreed_codec", Error, "payload types received and agreed on", "The far end sent %d packets of payload type %s, which nobody had agreed on.", "the far end ignores what was negotiated: set its codecs as in its own description", unagreedCodec},
		{"loss", Warning, "sequence numbers received", "%.1f %% of the far end's packets were lost (%d of %d).", "look for the network between: congestion, Wi-Fi, a policer", loss},
		{"jitter", Warning, "times of arrival", "The packets of the far end came unevenly: %d ms of jitter.", "look for a busy machine or queue on the way", jitter},
		{"too_late", Warning, "packets received that could not be played", "%.1f %% of the packets came too late, or could not be used (%d of %d).", "look for a busy machine or queue on the way", tooLate},
	}
}

func noSoundIn(r *record) *match {
	due, rtp := r.flowing(agreement.inbound), r.Call.RTP
	if !r.counted() || due < least || rtp.RxPackets > 0 || rtp.TxPackets == 0 {
		return nil
	}
	return matched(r.described(r.statistic("rx_packets 0, tx_packets %d", rtp.TxPackets))...).says(roughly(due), rtp.TxPackets)
}

func noSoundOut(r *record) *match {
	due, rtp := r.flowing(agreement.outbound), r.Call.RTP
	if !r.counted() || due < least || rtp.TxPackets > 0 || rtp.RxPackets == 0 {
		return nil
	}
	return matched(r.described(r.statistic("tx_packets 0, rx_packets %d", rtp.RxPackets))...).says(roughly(due), rtp.RxPackets)
}

func noSound(r *record) *match {
	due, rtp := min(r.flowing(agreement.inbound), r.flowing(agreement.outbound)), r.Call.RTP
	if !r.counted() || due < least || rtp.TxPackets > 0 || rtp.RxPackets > 0 {
		return nil
	}
	return matched(r.described(r.statistic("tx_packets 0, rx_packets 0"))...).says(roughly(due))
}

// described is evidence with the description that was in force.
func (r *record) described(e Evidence) []Evidence {
	found := []Evidence{e}
	if a, ok := r.current(); ok {
		found = append(found, message(a.theirs))
	}
	return found
}

func onlySilenceIn(r *record) *match {
	return r.onlySilence(r.Call.Heard, r.Call.RTP.RxPackets, "heard")
}

func onlySilenceOut(r *record) *match {
	return r.onlySilence(r.Call.Sent, r.Call.RTP.TxPackets, "sent")
}

func (r *record) onlySilence(s phone.Sound, packets int64, name string) *match {
	lasted := time.Duration(s.SilentMs) * time.Millisecond
	if !r.counted() || packets == 0 || s.HeardMs > 0 || lasted < least {
		return nil
	}
	return matched(r.described(r.statistic("%s.heard_ms 0, %s.silent_ms %d, %s.missing_ms %d", name, name, s.SilentMs, name, s.MissingMs))...).says(roughly(lasted))
}

// quiet is how long the far end must have been silent for good.
const quiet = 4 * time.Second

func soundStopped(r *record) *match {
	a, ok := r.current()
	if !ok || !r.counted() || !a.inbound() || r.Call.RTP.RxPackets == 0 {
		return nil
	}
	var since time.Time
	for _, e := range r.Events {
		switch e.Type {
		case "media.silence":
			if word(e.Data["reason"]) == "no_rtp" {
				since = e.Time
			}
		case "media.resumed", "media.started":
			since = time.Time{}
		}
	}
	if since.IsZero() || since.Before(a.at) || r.end.Sub(since) < quiet {
		return nil
	}
	return matched(Evidence{At: since, Statistic: "media.silence no_rtp"}, message(a.theirs)).says(roughly(r.end.Sub(since)))
}

// A few packets of another type are those that were on their way when the codec
// changed.
const (
	unagreedLeast = 25
	unagreedShare = 0.05
)

func unagreedCodec(r *record) *match {
	rtp := r.Call.RTP
	if !r.counted() || rtp.RxUnagreed < unagreedLeast || float64(rtp.RxUnagreed) < unagreedShare*float64(rtp.RxPackets) {
		return nil
	}
	name := fmt.Sprint(rtp.RxUnagreedPT)
	if c, ok := sdp.Static(uint8(rtp.RxUnagreedPT & 0x7f)); ok {
		name += " (" + c.Name + ")"
	}
	return matched(r.described(r.statistic("rx_unagreed %d of rx_packets %d", rtp.RxUnagreed, rtp.RxPackets))...).says(rtp.RxUnagreed, name)
}

// From when on a share or a time is worth a warning: what an ear begins to
// notice with concealment (ITU-T G.113), and what a jitter buffer of a phone
// can no longer take up.
const (
	packetsLeast = 100
	lossShare    = 0.03
	lateShare    = 0.05
	jitterMost   = 60 * time.Millisecond
)

// loss is silent about calls that were held: who is not to send may count on.
func loss(r *record) *match {
	rtp := r.Call.RTP
	expected := rtp.RxPackets - rtp.RxDup + rtp.RxLoss
	share := float64(rtp.RxLoss) / float64(max(1, expected))
	held := slices.ContainsFunc(r.agreements, func(a agreement) bool { return !a.inbound() })
	if !r.counted() || held || expected < packetsLeast || share < lossShare {
		return nil
	}
	return matched(r.statistic("rx_loss %d, rx_packets %d, rx_reorder %d", rtp.RxLoss, rtp.RxPackets, rtp.RxReorder)).says(100*share, rtp.RxLoss, expected)
}

// jitter is silent about calls that were changed: the sender's clock may begin
// anew with another codec, which looks like much of it.
func jitter(r *record) *match {
	rtp := r.Call.RTP
	late := time.Duration(rtp.RxJitterUsec) * time.Microsecond
	if !r.counted() || rtp.RxPackets < packetsLeast || late < jitterMost || len(r.agreements) > 1 {
		return nil
	}
	return matched(r.statistic("rx_jitter_usec %d", rtp.RxJitterUsec)).says(late.Milliseconds())
}

// tooLate is silent about calls that were held: what comes then is not played.
func tooLate(r *record) *match {
	rtp := r.Call.RTP
	unused := rtp.RxDiscard - rtp.RxUnagreed
	share := float64(unused) / float64(max(1, rtp.RxPackets))
	if !r.counted() || rtp.RxPackets < packetsLeast || share < lateShare || len(r.agreements) > 1 {
		return nil
	}
	return matched(r.statistic("rx_discard %d, rx_packets %d", rtp.RxDiscard, rtp.RxPackets)).says(100*share, unused, rtp.RxPackets)
}
