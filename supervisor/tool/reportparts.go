package tool

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"os"
	"slices"
	"strings"
	"time"

	"ringmaster/proto/phone"
	sayreport "ringmaster/scenario/report"
	"ringmaster/scenario/timeline"
	"ringmaster/supervisor/diagnose"
	"ringmaster/supervisor/explain"
	"ringmaster/supervisor/report"
	"ringmaster/supervisor/shelf"
)

// part is one phone's part of what a report is about.
type part struct {
	phone     phone.ID
	info      phone.CallInfo
	uncounted bool // the statistics of its sound are not known
}

func (p part) hadMedia() bool { return p.info.RTP.TxPackets+p.info.RTP.RxPackets > 0 }

// What one page takes in.
const (
	partBound   = 24
	ladderBound = 400 // messages
)

// parts are the calls of all our phones that took part in a call: itself, and
// those of its other legs that are known.
func (s *Set) parts(of part, legs []diagnose.Leg) []part {
	all := []part{of}
	for _, l := range legs {
		for _, other := range s.o.Hub.History(l.PhoneID) {
			same := slices.ContainsFunc(all, func(p part) bool { return p.phone == l.PhoneID && p.info.CallID == other.CallID })
			if other.SIPCallID == l.SIPCallID && !same && len(all) < partBound {
				all = append(all, part{phone: l.PhoneID, info: other})
			}
		}
	}
	return all
}

// explained is why a part went as it did.
func (s *Set) explained(p part) explain.Report {
	f := s.facts(p.phone, p.info)
	f.Uncounted = p.uncounted
	return explain.Explain(f)
}

// showParts puts what is known of calls on a page: a row each, their
// recordings, and what their captures say.
func (s *Set) showParts(ctx context.Context, page *report.Page, parts []part) {
	var sounds report.Sounds
	media, captured := false, false
	for _, p := range parts {
		page.Legs = append(page.Legs, legOf(p))
		media = media || p.hadMedia()
		for _, r := range s.recordingsOf(ctx, p) {
			sounds.Add(fmt.Sprintf("%s, call %d: both directions, mixed", p.phone, p.info.CallID), s.o.Recordings, r.Path, value(s.uri(r.Path)))
		}
		streams, ok := s.captured(ctx, p)
		captured = captured || ok
		if port := s.rtpPort(p); port > 0 {
			page.Quality = append(page.Quality, report.Quality(string(p.phone), port, streams)...)
		}
	}
	page.Sounds = sounds.List()
	if media && len(page.Sounds) == 0 {
		page.Notes = append(page.Notes, "Nothing was recorded: recording_enabled lets a phone record its calls.")
	}
	if media && !captured {
		page.Notes = append(page.Notes, "Nothing was captured, so that quality is known at the end alone: capture_enabled lets a phone capture its calls.")
	}
}

// recordingsOf are the segments of a call, oldest first. An earlier server may
// have left some of the same number.
func (s *Set) recordingsOf(ctx context.Context, p part) []shelf.Recording {
	number := p.info.CallID
	found, err := shelf.Recordings(ctx, s.o.Recordings, shelf.Filter{PhoneID: p.phone, CallID: &number})
	if err != nil {
		return nil
	}
	found = slices.DeleteFunc(found, func(r shelf.Recording) bool { return r.Changed.Before(p.info.StartedAt) })
	slices.Reverse(found)
	return found
}

// captured reads the capture that a call is in.
func (s *Set) captured(ctx context.Context, p part) ([]*diagnose.Stream, bool) {
	path, ok := s.captures().Newest(p.phone, &p.info.CallID)
	if !ok {
		return nil, false
	}
	if file, err := os.Stat(path); err != nil || file.ModTime().Before(p.info.StartedAt) {
		return nil, false
	}
	found, _ := s.readCapture(ctx, p.phone, path) // what can be read of it
	return found.Streams, true
}

func (s *Set) captures() shelf.Captures {
	return shelf.Captures{Root: s.o.Captures, Recordings: s.o.Recordings}
}

// rtpPort is a call's own port, as its events told; 0 when they did not.
func (s *Set) rtpPort(p part) int {
	port := 0
	for _, e := range s.o.Hub.Told(p.phone, p.info.CallID) {
		switch n := e.Data["local_rtp_port"].(type) {
		case int64:
			port = cmp.Or(int(n), port)
		case float64:
			port = cmp.Or(int(n), port)
		}
	}
	return port
}

// eventsOf is the timeline of calls, without the SIP messages, which the
// ladder has.
func (s *Set) eventsOf(parts []part) []report.Row {
	var rows []report.Row
	began := parts[0].info.StartedAt
	for _, p := range parts {
		for _, e := range s.o.Hub.Told(p.phone, p.info.CallID) {
			if e.CallID == nil {
				continue // of the phone, at any time
			}
			rows = append(rows, s.rowOf(timeline.Entry{
				Kind: timeline.Event, OffsetMS: timeline.Milliseconds(e.Time.Sub(began)), Type: e.Type, PhoneID: &p.phone, CallID: e.CallID, Data: e.Data,
			}))
		}
	}
	slices.SortStableFunc(rows, func(a, b report.Row) int { return cmp.Compare(a.Offset, b.Offset) })
	return rows
}

// rowOf shows one entry of a timeline.
func (s *Set) rowOf(e timeline.Entry) report.Row {
	e.Data, _ = s.shown("", e.Data).(map[string]any)
	row := report.Row{
		Offset: time.Duration(e.OffsetMS * float64(time.Millisecond)), Kind: string(e.Kind), What: e.Type, Detail: sayreport.Details(e),
	}
	if e.PhoneID != nil {
		row.Phone = string(*e.PhoneID)
	}
	switch {
	case strings.HasSuffix(e.Type, ".failed"), e.Type == "events.lost", e.Type == "media.error":
		row.Tone = report.Bad
	case e.Type == "call.state.confirmed", e.Type == "transfer.succeeded":
		row.Tone = report.Good
	}
	return row
}

// ladderOf draws the newest messages of a call.
func ladderOf(title string, flow diagnose.Flow) report.Ladder {
	if more := len(flow.Steps) - ladderBound; more > 0 {
		title = strings.TrimSpace(fmt.Sprintf("%s (without the first %d messages)", title, more))
	}
	return report.Ladder{Title: title, SVG: template.HTML(flow.Newest(ladderBound).SVG())} //nolint:gosec // diagnose escapes what it draws
}

// none stands where there is nothing to tell.
const none = "–"

func legOf(p part) report.Leg {
	i := p.info
	l := report.Leg{
		Phone: string(p.phone), Call: fmt.Sprint(i.CallID), Direction: string(i.Direction), Remote: i.RemoteURI, State: strings.ToLower(i.State.String()),
		Codec: cmp.Or(i.Codec, none), Duration: none, Sent: none, Received: none, Loss: none, Jitter: none, RoundTrip: none, MOS: none,
	}
	if !i.AnsweredAt.IsZero() {
		l.Duration = span(i.Duration)
	}
	if p.hadMedia() {
		l.Sent, l.Received, l.Loss = fmt.Sprint(i.RTP.TxPackets), fmt.Sprint(i.RTP.RxPackets), fmt.Sprint(i.RTP.RxLoss)
		l.Jitter = fmt.Sprintf("%.1f ms", float64(i.RTP.RxJitterUsec)/1000)
	}
	if i.LastStatus > 0 {
		l.Status = strings.TrimSpace(fmt.Sprintf("%d %s", i.LastStatus, i.LastStatusText))
	}
	if i.RTP.RTTUsec > 0 {
		l.RoundTrip = fmt.Sprintf("%.1f ms", float64(i.RTP.RTTUsec)/1000)
	}
	if i.Quality != nil {
		l.MOS = fmt.Sprintf("%.1f", i.Quality.MOS)
	}
	return l
}
