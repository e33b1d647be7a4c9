package explain

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringmaster/proto/sdp"
	"ringmaster/supervisor/diagnose"
)

// agreement is one completed offer and answer about sound (RFC 3264).
type agreement struct {
	at            time.Time
	local, remote sdp.Media
	theirs        diagnose.Message // that held the far end's description
	ours          diagnose.Message
}

func agreementsOf(exchanges []*exchange) []agreement {
	var all []agreement
	for _, x := range exchanges {
		if x.method != "INVITE" && x.method != "UPDATE" || x.request == nil {
			continue
		}
		if a, ok := x.agreement(); ok {
			all = append(all, a)
		}
	}
	slices.SortStableFunc(all, func(a, b agreement) int { return a.at.Compare(b.at) })
	return all
}

// agreement is what the exchange agreed on: by the request and an answer, or by
// a 2xx and its ACK.
func (x *exchange) agreement() (agreement, bool) {
	offer, offered := audio(*x.request)
	for _, reply := range x.answers {
		if reply.Status >= 300 {
			continue
		}
		media, ok := audio(reply.Message)
		if !ok {
			continue
		}
		if offered {
			return paired(offer, *x.request, media, reply.Message), true
		}
		for _, ack := range x.acks {
			if answer, ok := audio(ack); ok {
				return paired(media, reply.Message, answer, ack), true
			}
		}
	}
	return agreement{}, false
}

func paired(offer sdp.Media, offerer diagnose.Message, answer sdp.Media, answerer diagnose.Message) agreement {
	if offerer.Sent {
		return agreement{at: answerer.Time, local: offer, ours: offerer, remote: answer, theirs: answerer}
	}
	return agreement{at: answerer.Time, local: answer, ours: answerer, remote: offer, theirs: offerer}
}

// audio is the first description of sound in a message.
func audio(m diagnose.Message) (sdp.Media, bool) {
	s, ok := m.Description()
	if !ok {
		return sdp.Media{}, false
	}
	for _, media := range s.Media {
		if strings.EqualFold(media.Type, "audio") {
			return media, true
		}
	}
	return sdp.Media{}, false
}

// inbound and outbound say whether sound was to flow by an agreement.
func (a agreement) inbound() bool {
	return a.live() && a.local.Direction.Receives() && a.remote.Direction.Sends()
}

func (a agreement) outbound() bool {
	return a.live() && a.local.Direction.Sends() && a.remote.Direction.Receives() && !unspecified(a.remote)
}

func (a agreement) live() bool { return a.local.Port != 0 && a.remote.Port != 0 }

// unspecified is the hold of RFC 2543: an address of zeros.
func unspecified(m sdp.Media) bool {
	addr, ok := m.Connection.Addr()
	return ok && addr.IsUnspecified()
}

// current is what was agreed last.
func (r *record) current() (agreement, bool) {
	if len(r.agreements) == 0 {
		return agreement{}, false
	}
	return r.agreements[len(r.agreements)-1], true
}

// flowing is for how long of the answered call sound was to flow by the
// agreements of that time.
func (r *record) flowing(wanted func(agreement) bool) time.Duration {
	var total time.Duration
	for i, a := range r.agreements {
		from, to := a.at, r.end
		if i+1 < len(r.agreements) {
			to = r.agreements[i+1].at
		}
		if !r.answered() {
			break
		}
		if from.Before(r.Call.AnsweredAt) {
			from = r.Call.AnsweredAt
		}
		if wanted(a) && to.After(from) {
			total += to.Sub(from)
		}
	}
	return total
}

// codecs names what a description offers for speech.
func codecs(m sdp.Media) string {
	var names []string
	for _, c := range m.Codecs {
		if diagnose.IsSpeech(c.Name) && !slices.Contains(names, c.Name) {
			names = append(names, short(c.Name, 20))
		}
	}
	for _, f := range m.Formats { // what nothing names
		n, err := strconv.ParseUint(f, 10, 7)
		known := err != nil || slices.ContainsFunc(m.Codecs, func(c sdp.Codec) bool { return uint64(c.PT) == n })
		if !known {
			names = append(names, "payload type "+f)
		}
	}
	if len(names) > 8 {
		names = append(names[:8], "…")
	}
	if len(names) == 0 {
		return "nothing for speech"
	}
	return strings.Join(names, ", ")
}

// common says whether two descriptions have a codec for speech in common.
func common(a, b sdp.Media) bool {
	return slices.ContainsFunc(a.Codecs, func(c sdp.Codec) bool {
		return diagnose.IsSpeech(c.Name) && slices.ContainsFunc(b.Codecs, func(d sdp.Codec) bool {
			return strings.EqualFold(c.Name, d.Name) && c.ClockRate == d.ClockRate
		})
	})
}

func hasEvents(m sdp.Media) bool {
	return slices.ContainsFunc(m.Codecs, func(c sdp.Codec) bool { return strings.EqualFold(c.Name, "telephone-event") })
}

func secure(m sdp.Media) bool { return strings.Contains(strings.ToUpper(m.Proto), "SAVP") }

// host is the IP address of a host:port.
func host(hostPort string) (netip.Addr, bool) {
	h, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(h)
	return addr.Unmap(), err == nil
}

// shared is the address space of carriers' NAT (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// local says that an address means something in its own network alone.
func local(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback() || a.IsUnspecified() || shared.Contains(a)
}
