package tool

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/hub"
)

type rtpFields struct {
	TxPackets    int64 `json:"tx_packets"`
	TxBytes      int64 `json:"tx_bytes"`
	RxPackets    int64 `json:"rx_packets"`
	RxBytes      int64 `json:"rx_bytes"`
	RxLoss       int64 `json:"rx_loss"`
	RxDup        int64 `json:"rx_dup"`
	RxReorder    int64 `json:"rx_reorder"`
	RxDiscard    int64 `json:"rx_discard"`
	RxJitterUsec int64 `json:"rx_jitter_usec"`
	RTTUsec      int64 `json:"rtt_usec"`

	RxFrom       *string `json:"rx_from"`        // host:port of the newest packet
	RxUnagreed   int64   `json:"rx_unagreed"`    // of rx_discard: of a payload type that nobody had agreed on
	RxUnagreedPT *int64  `json:"rx_unagreed_pt"` // the newest such type
}

func rtpFieldsOf(s phone.RTPStats) rtpFields {
	f := rtpFields{
		TxPackets: s.TxPackets, TxBytes: s.TxBytes, RxPackets: s.RxPackets, RxBytes: s.RxBytes, RxLoss: s.RxLoss, RxDup: s.RxDup,
		RxReorder: s.RxReorder, RxDiscard: s.RxDiscard, RxJitterUsec: s.RxJitterUsec, RTTUsec: s.RTTUsec,
		RxFrom: cleanOrNull(s.RxFrom), RxUnagreed: s.RxUnagreed,
	}
	if s.RxUnagreed > 0 {
		f.RxUnagreedPT = &s.RxUnagreedPT
	}
	return f
}

// soundFields are null where nothing is known: the levels when nothing was
// heard, the tone when none stood out.
type soundFields struct {
	HeardMs   int64    `json:"heard_ms"`
	SilentMs  int64    `json:"silent_ms"`
	MissingMs int64    `json:"missing_ms"`
	LevelDBov *float64 `json:"level_dbov"`
	PeakDBov  *float64 `json:"peak_dbov"`
	ToneHz    *float64 `json:"tone_hz"`
	TonePart  *float64 `json:"tone_part"`
}

// soundOf is nil when the call had no media, or took what was heard along with
// its worker.
func soundOf(s phone.Sound) *soundFields {
	if s.Lasted() == 0 {
		return nil
	}
	f := &soundFields{HeardMs: s.HeardMs, SilentMs: s.SilentMs, MissingMs: s.MissingMs}
	if s.HeardMs > 0 {
		f.LevelDBov, f.PeakDBov = &s.LevelDBov, &s.PeakDBov
	}
	if s.ToneHz > 0 {
		f.ToneHz, f.TonePart = &s.ToneHz, &s.TonePart
	}
	return f
}

type qualityFields struct {
	MOS         float64 `json:"mos"`
	RFactor     float64 `json:"r_factor"`
	LossPercent float64 `json:"loss_percent"`
	JitterMs    float64 `json:"jitter_ms"`
}

type callFields struct {
	CallID         phone.CallID    `json:"call_id"`
	State          string          `json:"state"`
	StateText      string          `json:"state_text"`
	Direction      phone.Direction `json:"direction"`
	RemoteURI      *string         `json:"remote_uri"`
	RemoteContact  *string         `json:"remote_contact"`
	LocalContact   *string         `json:"local_contact"`
	Codec          *string         `json:"codec"`
	Duration       int64           `json:"duration"`
	LastStatus     *int            `json:"last_status"`
	LastStatusText *string         `json:"last_status_text"`
	RecordingFile  *Path           `json:"recording_file"`
	PlayingFile    *Path           `json:"playing_file"`
	OnHold         bool            `json:"on_hold"`
	SIPCallID      *string         `json:"sip_call_id"`
	RTP            rtpFields       `json:"rtp"`
	Heard          *soundFields    `json:"heard"`
	Sent           *soundFields    `json:"sent"`
	Quality        *qualityFields  `json:"quality"`
}

func callFieldsOf(i phone.CallInfo) callFields {
	return callFields{
		CallID: i.CallID, State: i.State.String(), StateText: i.State.String(), Direction: i.Direction,
		RemoteURI: cleanOrNull(i.RemoteURI), RemoteContact: cleanOrNull(i.RemoteContact), LocalContact: cleanOrNull(i.LocalContact),
		Codec: cleanOrNull(i.Codec), Duration: seconds(i), LastStatus: orNull(i.LastStatus), LastStatusText: statusText(i),
		RecordingFile: orNull(Path(i.RecordingFile)), PlayingFile: orNull(Path(i.PlayingFile)),
		OnHold: i.OnHold, SIPCallID: cleanOrNull(i.SIPCallID),
		RTP: rtpFieldsOf(i.RTP), Heard: soundOf(i.Heard), Sent: soundOf(i.Sent), Quality: (*qualityFields)(i.Quality),
	}
}

func seconds(i phone.CallInfo) int64 { return int64(i.Duration.Seconds()) }

// statusText is null before any status; a status without a phrase has "".
func statusText(i phone.CallInfo) *string {
	if i.LastStatus == 0 {
		return nil
	}
	text := clean(i.LastStatusText, nameBound)
	return &text
}

func getCallInfo(ctx context.Context, c *call, a callArgument) (callFields, error) {
	info, err := c.info(ctx, a.CallID)
	if err != nil {
		return callFields{}, err
	}
	return callFieldsOf(info), nil
}

// info is what is known of a call, active or ended; nil is one that the phone
// chooses.
func (c *call) info(ctx context.Context, id *phone.CallID) (phone.CallInfo, error) {
	out, err := c.onCall(ctx, id, phone.GetCall{CallID: id})
	var ended *endedError
	if errors.As(err, &ended) {
		return ended.info, nil
	}
	if id != nil && isKind(err, phone.Gone) {
		if info, known := c.set.o.Hub.Ended(c.phone, *id); known {
			return info, nil
		}
	}
	if err != nil {
		return phone.CallInfo{}, err
	}
	return out.Calls[0], nil
}

type lastArgument struct {
	LastN *int `json:"last_n" min:"0" doc:"the newest so many; left out: all"`
}

type historyRow struct {
	PhoneID        phone.ID        `json:"phone_id"`
	CallID         phone.CallID    `json:"call_id"`
	Direction      phone.Direction `json:"direction"`
	RemoteURI      *string         `json:"remote_uri"`
	Duration       int64           `json:"duration"`
	LastStatus     *int            `json:"last_status"`
	LastStatusText *string         `json:"last_status_text"`
	Codec          *string         `json:"codec"`
	RecordingFile  *Path           `json:"recording_file"`
	RecordingURI   *string         `json:"recording_uri"`
	Timestamp      *string         `json:"timestamp"` // of the call's end
}

type historyResult struct {
	History    []historyRow `json:"history" cut:"get_call_info has each call"`
	TotalCount int          `json:"total_count" count:""`
}

func getCallHistory(ctx context.Context, c *call, a lastArgument) (historyResult, error) {
	_, ended, err := c.calls(ctx)
	if err != nil {
		return historyResult{}, err
	}
	result := historyResult{History: []historyRow{}}
	for _, i := range newest(ended, a.LastN) {
		result.History = append(result.History, historyRow{
			PhoneID: c.phone, CallID: i.CallID, Direction: i.Direction, RemoteURI: cleanOrNull(i.RemoteURI), Duration: seconds(i),
			LastStatus: orNull(i.LastStatus), LastStatusText: statusText(i), Codec: cleanOrNull(i.Codec),
			RecordingFile: orNull(Path(i.RecordingFile)), RecordingURI: c.set.uri(i.RecordingFile), Timestamp: timestampOrNull(i.EndedAt),
		})
	}
	result.TotalCount = len(result.History)
	return result, nil
}

// calls are the phone's active calls, and its ended ones, oldest first: those
// that the hub keeps, and those whose end has yet to reach it. A phone whose
// worker is gone has no active call.
func (c *call) calls(ctx context.Context) (active, ended []phone.CallInfo, err error) {
	out, err := c.do(ctx, phone.ListCalls{})
	if err != nil && !isKind(err, phone.Gone) {
		return nil, nil, err
	}
	ended = c.set.o.Hub.History(c.phone)
	for _, info := range out.Calls {
		same := func(e phone.CallInfo) bool { return e.CallID == info.CallID }
		switch {
		case info.State != phone.StateDisconnected:
			active = append(active, info)
		case !slices.ContainsFunc(ended, same):
			ended = append(ended, info)
		}
	}
	slices.SortStableFunc(ended, func(a, b phone.CallInfo) int {
		return cmp.Or(a.EndedAt.Compare(b.EndedAt), cmp.Compare(a.CallID, b.CallID))
	})
	if n := len(ended) - hub.HistoryBound; n > 0 {
		ended = ended[n:]
	}
	return active, ended, nil
}

type callRow struct {
	PhoneID   phone.ID     `json:"phone_id"`
	CallID    phone.CallID `json:"call_id"`
	State     string       `json:"state"`
	RemoteURI *string      `json:"remote_uri"`
	Duration  int64        `json:"duration"`
	Codec     *string      `json:"codec"`
}

type callList struct {
	Calls      []callRow `json:"calls" cut:"get_call_info has each call" newest:"first"`
	TotalCount int       `json:"total_count" count:""`
}

func listCalls(ctx context.Context, c *call, _ struct{}) (callList, error) {
	active, ended, err := c.calls(ctx)
	if err != nil {
		return callList{}, err
	}
	slices.Reverse(ended)
	list := callList{Calls: []callRow{}}
	for _, i := range append(active, ended...) {
		list.Calls = append(list.Calls, callRow{PhoneID: c.phone, CallID: i.CallID, State: i.State.String(),
			RemoteURI: cleanOrNull(i.RemoteURI), Duration: seconds(i), Codec: cleanOrNull(i.Codec)})
	}
	list.TotalCount = len(list.Calls)
	return list, nil
}

type activeList struct {
	Calls       []callFields `json:"calls" cut:"list_calls has them in short, get_call_info each call"`
	ActiveCount int          `json:"active_count" count:""`
}

func getActiveCalls(ctx context.Context, c *call, _ struct{}) (activeList, error) {
	active, _, err := c.calls(ctx)
	if err != nil {
		return activeList{}, err
	}
	list := activeList{Calls: []callFields{}, ActiveCount: len(active)}
	for _, i := range active {
		list.Calls = append(list.Calls, callFieldsOf(i))
	}
	return list, nil
}
