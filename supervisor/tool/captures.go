package tool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/diagnose"
)

func captureEntries() []entry {
	return []entry{
		define(entry{name: "start_capture", title: "Start a capture",
			description: "Capture packets of a phone into a pcap file until stop_capture, beside the capture of its calls. capture_mode is tcpdump (all UDP of the machine), or own where tcpdump cannot capture: then the phone writes its own SIP over UDP, RTP and RTCP.",
			hints:       Hints{}}, startCapture),
		define(entry{name: "stop_capture", title: "Stop the capture",
			description: "End what start_capture began. The file is complete when this answers.",
			hints:       Hints{}}, stopCapture),
		define(entry{name: "analyze_capture", title: "Analyze a capture",
			description: "What the newest capture of a phone, or of one of its calls, holds of RTP and RTCP: flows with codec, loss and jitter. Codecs on the phone's own port that it is not configured for are listed apart.",
			hints:       Hints{ReadOnly: true, Idempotent: true}}, analyzeCapture),
	}
}

type captureArguments struct {
	PhoneID string `json:"phone_id"`
}

type captureResult struct {
	PhoneID     phone.ID `json:"phone_id"`
	Filename    string   `json:"filename"`
	FilePath    Path     `json:"file_path"`
	FileSize    *int64   `json:"file_size"` // null while it grows
	CaptureMode string   `json:"capture_mode"`
	Warning     string   `json:"warning,omitempty"`
}

func startCapture(ctx context.Context, c *call, a captureArguments) (captureResult, error) {
	return c.capture(ctx, a, phone.StartCapture{})
}

func stopCapture(ctx context.Context, c *call, a captureArguments) (captureResult, error) {
	return c.capture(ctx, a, phone.StopCapture{})
}

func (c *call) capture(ctx context.Context, a captureArguments, cmd phone.Command) (captureResult, error) {
	id, err := c.set.known(a.PhoneID)
	if err != nil {
		return captureResult{}, err
	}
	m := c.mark(id)
	out, err := c.set.o.Phones.Do(ctx, id, cmd)
	if err != nil {
		return captureResult{}, err
	}
	c.accepted(m, out)
	k := out.Capture
	if k == nil {
		return captureResult{}, phone.Errorf(phone.Internal, "phone %s did not say what it captures", id)
	}
	result := captureResult{
		PhoneID: id, Filename: filepath.Base(k.Path), FilePath: Path(k.Path), CaptureMode: k.Mode, Warning: captureWarning(k),
	}
	if _, stopped := cmd.(phone.StopCapture); stopped {
		result.FileSize = &k.Size
	}
	return result, nil
}

// captureWarning says why a capture has the phone's own packets only.
func captureWarning(k *phone.CaptureInfo) string {
	if k.Reason == "" {
		return ""
	}
	return "the phone writes its own packets, for " + clean(k.Reason, nameBound)
}

type analyzeArguments struct {
	PhoneID string        `json:"phone_id"`
	CallID  *phone.CallID `json:"call_id" min:"0" doc:"left out: the phone's newest capture"`
}

type rtpFlowRow struct {
	SrcPort      int      `json:"src_port"`
	DstPort      int      `json:"dst_port"`
	PayloadType  int      `json:"payload_type"`
	Codec        string   `json:"codec"`
	Count        int      `json:"count"`
	SSRC         string   `json:"ssrc"`    // of the source that sent most
	Sources      int      `json:"sources"` // what follows is of all of them, and of all their payload types
	Lost         int      `json:"lost"`
	LostPercent  float64  `json:"lost_percent"`
	Duplicates   int      `json:"duplicates"`
	Reordered    int      `json:"reordered"`
	JitterMS     *float64 `json:"jitter_ms"` // RFC 3550, the mean; null without a clock rate
	JitterMaxMS  *float64 `json:"jitter_max_ms"`
	LongestGapMS float64  `json:"longest_gap_ms"`
	FirstTime    string   `json:"first_time"`
	LastTime     string   `json:"last_time"`
	Digits       *string  `json:"digits"` // of telephone-event
}

type rtcpFlowRow struct {
	SrcPort     int    `json:"src_port"`
	DstPort     int    `json:"dst_port"`
	PayloadType int    `json:"payload_type"`
	Name        string `json:"name"`
	Count       int    `json:"count"`
}

type analyzeResult struct {
	PhoneID      phone.ID      `json:"phone_id"`
	CallID       *phone.CallID `json:"call_id"`
	Path         *Path         `json:"path"`
	LinkType     *int          `json:"linktype"`
	LinkTypeName *string       `json:"linktype_name"`
	TotalPackets int           `json:"total_packets"`
	RTPFlows     []rtpFlowRow  `json:"rtp_flows" cut:"open the file in Wireshark"`
	RTCPFlows    []rtcpFlowRow `json:"rtcp_flows"`

	PhoneRTPPort        *int      `json:"phone_rtp_port"`
	PhoneRTPCodecsSeen  *[]string `json:"phone_rtp_codecs_seen"`
	NonPhoneCodecsThere *[]string `json:"non_phone_codecs_on_phone_port"`
	Error               *string   `json:"error"`
}

func analyzeCapture(ctx context.Context, c *call, a analyzeArguments) (analyzeResult, error) {
	id, err := phone.ParseID(a.PhoneID)
	if err != nil {
		return analyzeResult{}, err
	}
	result := analyzeResult{PhoneID: id, CallID: a.CallID, RTPFlows: []rtpFlowRow{}, RTCPFlows: []rtcpFlowRow{}}
	captures := c.set.captures()
	path, ok := captures.Newest(id, a.CallID)
	if !ok {
		none := fmt.Sprintf("no capture for phone=%s", id)
		if a.CallID != nil {
			none += fmt.Sprintf(" call_id=%d", *a.CallID)
		}
		result.Error = &none
		return result, nil
	}
	result.Path = orNull(Path(path))
	found, err := c.set.readCapture(ctx, id, path)
	if ctx.Err() != nil {
		return analyzeResult{}, ctx.Err()
	}
	if err != nil {
		result.Error = orNull(clean(err.Error(), nameBound))
	}
	if l := found.LinkType; l != nil {
		number, name := int(*l), l.String()
		result.LinkType, result.LinkTypeName = &number, &name
	}
	result.TotalPackets = found.Packets
	for _, f := range found.RTP {
		result.RTPFlows = append(result.RTPFlows, rtpFlowRowOf(f))
	}
	for _, f := range found.RTCP {
		result.RTCPFlows = append(result.RTCPFlows, rtcpFlowRow(*f))
	}
	if s, ok := captures.Sidecar(id, path, a.CallID); ok && s.LocalRTPPort != nil {
		result.onPort(*s.LocalRTPPort, c.set.codecsOf(id))
	}
	return result, nil
}

func (s *Set) readCapture(ctx context.Context, id phone.ID, path string) (diagnose.Capture, error) {
	file, err := os.Open(path)
	if err != nil {
		var why *fs.PathError
		if errors.As(err, &why) {
			err = why.Err
		}
		return diagnose.Capture{}, fmt.Errorf("the file cannot be opened: %w", err)
	}
	defer file.Close()
	s.catchUp(ctx, id)
	return diagnose.ReadCapture(ctx, file, s.described(id))
}

// described are the session descriptions in a phone's SIP log.
func (s *Set) described(id phone.ID) []diagnose.Described {
	var known []diagnose.Described
	for _, m := range s.messages(id, diagnose.Filter{}) {
		if d, ok := m.Description(); ok {
			known = append(known, diagnose.Described{At: m.Time, Session: d})
		}
	}
	return known
}

// codecsOf is a phone's list of codecs; nil when it has none, or there is no
// such phone now.
func (s *Set) codecsOf(id phone.ID) []string {
	st, err := s.o.Phones.Status(id)
	if err != nil {
		return nil
	}
	return st.Settings.Codecs
}

// onPort says what was seen on the phone's own port.
func (r *analyzeResult) onPort(port int, codecs []string) {
	seen, strange := []string{}, []string{}
	for _, f := range r.RTPFlows {
		if f.SrcPort != port && f.DstPort != port {
			continue
		}
		if !slices.Contains(seen, f.Codec) {
			seen = append(seen, f.Codec)
			if len(codecs) > 0 && diagnose.IsSpeech(f.Codec) && !configured(f.Codec, codecs) {
				strange = append(strange, f.Codec)
			}
		}
	}
	r.PhoneRTPPort, r.PhoneRTPCodecsSeen, r.NonPhoneCodecsThere = &port, &seen, &strange
}

// configured says whether a phone's list has a codec, with or without its rate.
func configured(codec string, codecs []string) bool {
	return slices.ContainsFunc(codecs, func(c string) bool {
		name, _, _ := strings.Cut(c, "/")
		return strings.EqualFold(strings.TrimSpace(name), codec)
	})
}

func rtpFlowRowOf(f *diagnose.RTPFlow) rtpFlowRow {
	row := rtpFlowRow{
		SrcPort: f.SrcPort, DstPort: f.DstPort, PayloadType: f.PayloadType, Codec: clean(f.Codec, idBound), Count: f.Count,
		Sources: len(f.Streams), FirstTime: timestamp(f.First), LastTime: timestamp(f.Last),
	}
	var most *diagnose.Stream
	expected := 0
	for _, s := range f.Streams {
		if most == nil || s.Packets > most.Packets {
			most = s
		}
		row.Lost += s.Lost
		row.Duplicates += s.Duplicates
		row.Reordered += s.Reordered
		expected += s.Packets - s.Duplicates + s.Lost
		row.LongestGapMS = max(row.LongestGapMS, milliseconds(s.LongestGap))
	}
	row.SSRC = fmt.Sprintf("0x%08x", most.SSRC)
	row.LostPercent = math.Round(float64(row.Lost)/float64(expected)*1e4) / 100
	if most.JitterKnown {
		mean, highest := milliseconds(most.JitterMean), milliseconds(most.JitterMax)
		row.JitterMS, row.JitterMaxMS = &mean, &highest
	}
	if !diagnose.IsSpeech(f.Codec) && f.Digits != "" {
		row.Digits = &f.Digits
	}
	return row
}

// milliseconds has microseconds behind the point.
func milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond).Microseconds()) / 1000
}
