package phonewire

import (
	"google.golang.org/protobuf/types/known/durationpb"

	"ringmaster/proto/phone"
	pb "ringmaster/proto/phonev1"
)

// OutcomeToWire converts o.
func OutcomeToWire(o phone.Outcome) *pb.DoResponse {
	m := &pb.DoResponse{Cursor: o.Cursor, Participants: int64(o.Participants)}
	if c := o.Call; c != nil {
		m.Call = &pb.CallOutcome{
			CallId:  int64(c.CallID),
			State:   int64(c.State),
			Already: c.Already,
			Pending: c.Pending,
			Status:  int64(c.Status),
			Playing: text(c.Playing),
			Digits:  text(c.Digits),
		}
	}
	for i := range o.Calls {
		m.Calls = append(m.Calls, callInfoToWire(&o.Calls[i]))
	}
	if r := o.Registration; r != nil {
		m.Registration = &pb.Registration{
			IsRegistered: r.IsRegistered,
			StatusCode:   int64(r.StatusCode),
			Reason:       text(r.Reason),
			Expires:      int64(r.Expires),
		}
	}
	if r := o.Recording; r != nil {
		m.Recording = &pb.RecordingInfo{
			CallId:   int64(r.CallID),
			Enabled:  r.Enabled,
			Path:     text(r.Path),
			MetaPath: text(r.MetaPath),
			Size:     r.Size,
		}
	}
	if u := o.Updated; u != nil {
		m.Updated = &pb.Updated{
			Reregistered:       u.Reregistered,
			AffectedCallIds:    callIDsToWire(u.AffectedCallIDs),
			CodecReinvitedIds:  callIDsToWire(u.CodecReinvitedIDs),
			CodecReinviteError: text(u.CodecReinviteError),
		}
	}
	if k := o.Capture; k != nil {
		m.Capture = &pb.CaptureInfo{Path: text(k.Path), Mode: text(k.Mode), Reason: text(k.Reason), Size: k.Size}
	}
	return m
}

// OutcomeFromWire is the inverse of OutcomeToWire.
func OutcomeFromWire(m *pb.DoResponse) phone.Outcome {
	o := phone.Outcome{Cursor: m.GetCursor(), Participants: int(m.GetParticipants())}
	if c := m.GetCall(); c != nil {
		o.Call = &phone.CallOutcome{
			CallID:  phone.CallID(c.GetCallId()),
			State:   phone.State(c.GetState()),
			Already: c.GetAlready(),
			Pending: c.GetPending(),
			Status:  int(c.GetStatus()),
			Playing: c.GetPlaying(),
			Digits:  c.GetDigits(),
		}
	}
	for _, c := range m.GetCalls() {
		o.Calls = append(o.Calls, *callInfoFromWire(c))
	}
	if r := m.GetRegistration(); r != nil {
		o.Registration = &phone.Registration{
			IsRegistered: r.GetIsRegistered(),
			StatusCode:   int(r.GetStatusCode()),
			Reason:       r.GetReason(),
			Expires:      int(r.GetExpires()),
		}
	}
	if r := m.GetRecording(); r != nil {
		o.Recording = &phone.RecordingInfo{
			CallID:   phone.CallID(r.GetCallId()),
			Enabled:  r.GetEnabled(),
			Path:     r.GetPath(),
			MetaPath: r.GetMetaPath(),
			Size:     r.GetSize(),
		}
	}
	if u := m.GetUpdated(); u != nil {
		o.Updated = &phone.Updated{
			Reregistered:       u.GetReregistered(),
			AffectedCallIDs:    callIDsFromWire(u.GetAffectedCallIds()),
			CodecReinvitedIDs:  callIDsFromWire(u.GetCodecReinvitedIds()),
			CodecReinviteError: u.GetCodecReinviteError(),
		}
	}
	if k := m.GetCapture(); k != nil {
		o.Capture = &phone.CaptureInfo{Path: k.GetPath(), Mode: k.GetMode(), Reason: k.GetReason(), Size: k.GetSize()}
	}
	return o
}

func callInfoToWire(c *phone.CallInfo) *pb.CallInfo {
	return &pb.CallInfo{
		CallId:         int64(c.CallID),
		SipCallId:      text(c.SIPCallID),
		State:          int64(c.State),
		Direction:      text(string(c.Direction)),
		RemoteUri:      text(c.RemoteURI),
		RemoteContact:  text(c.RemoteContact),
		LocalContact:   text(c.LocalContact),
		Codec:          text(c.Codec),
		Duration:       durationpb.New(c.Duration),
		LastStatus:     int64(c.LastStatus),
		LastStatusText: text(c.LastStatusText),
		RecordingFile:  text(c.RecordingFile),
		PlayingFile:    text(c.PlayingFile),
		OnHold:         c.OnHold,
		Rtp: &pb.RTPStats{
			TxPackets:    c.RTP.TxPackets,
			TxBytes:      c.RTP.TxBytes,
			RxPackets:    c.RTP.RxPackets,
			RxBytes:      c.RTP.RxBytes,
			RxLoss:       c.RTP.RxLoss,
			RxDup:        c.RTP.RxDup,
			RxReorder:    c.RTP.RxReorder,
			RxDiscard:    c.RTP.RxDiscard,
			RxJitterUsec: c.RTP.RxJitterUsec,
			RttUsec:      c.RTP.RTTUsec,
			RxFrom:       text(c.RTP.RxFrom),
			RxUnagreed:   c.RTP.RxUnagreed,
			RxUnagreedPt: c.RTP.RxUnagreedPT,
		},
		StartedAt:  timeToWire(c.StartedAt),
		AnsweredAt: timeToWire(c.AnsweredAt),
		EndedAt:    timeToWire(c.EndedAt),
		Heard:      soundToWire(c.Heard),
		Sent:       soundToWire(c.Sent),
		Quality:    qualityToWire(c.Quality),
	}
}

func callInfoFromWire(m *pb.CallInfo) *phone.CallInfo {
	rtp := m.GetRtp()
	return &phone.CallInfo{
		CallID:         phone.CallID(m.GetCallId()),
		SIPCallID:      m.GetSipCallId(),
		State:          phone.State(m.GetState()),
		Direction:      phone.Direction(m.GetDirection()),
		RemoteURI:      m.GetRemoteUri(),
		RemoteContact:  m.GetRemoteContact(),
		LocalContact:   m.GetLocalContact(),
		Codec:          m.GetCodec(),
		Duration:       m.GetDuration().AsDuration(),
		LastStatus:     int(m.GetLastStatus()),
		LastStatusText: m.GetLastStatusText(),
		RecordingFile:  m.GetRecordingFile(),
		PlayingFile:    m.GetPlayingFile(),
		OnHold:         m.GetOnHold(),
		RTP: phone.RTPStats{
			TxPackets:    rtp.GetTxPackets(),
			TxBytes:      rtp.GetTxBytes(),
			RxPackets:    rtp.GetRxPackets(),
			RxBytes:      rtp.GetRxBytes(),
			RxLoss:       rtp.GetRxLoss(),
			RxDup:        rtp.GetRxDup(),
			RxReorder:    rtp.GetRxReorder(),
			RxDiscard:    rtp.GetRxDiscard(),
			RxJitterUsec: rtp.GetRxJitterUsec(),
			RTTUsec:      rtp.GetRttUsec(),
			RxFrom:       rtp.GetRxFrom(),
			RxUnagreed:   rtp.GetRxUnagreed(),
			RxUnagreedPT: rtp.GetRxUnagreedPt(),
		},
		StartedAt:  timeFromWire(m.GetStartedAt()),
		AnsweredAt: timeFromWire(m.GetAnsweredAt()),
		EndedAt:    timeFromWire(m.GetEndedAt()),
		Heard:      soundFromWire(m.GetHeard()),
		Sent:       soundFromWire(m.GetSent()),
		Quality:    qualityFromWire(m.GetQuality()),
	}
}

func soundToWire(s phone.Sound) *pb.Sound {
	return &pb.Sound{
		HeardMs: s.HeardMs, SilentMs: s.SilentMs, MissingMs: s.MissingMs,
		LevelDbov: s.LevelDBov, PeakDbov: s.PeakDBov, ToneHz: s.ToneHz, TonePart: s.TonePart,
	}
}

func soundFromWire(m *pb.Sound) phone.Sound {
	return phone.Sound{
		HeardMs: m.GetHeardMs(), SilentMs: m.GetSilentMs(), MissingMs: m.GetMissingMs(),
		LevelDBov: m.GetLevelDbov(), PeakDBov: m.GetPeakDbov(), ToneHz: m.GetToneHz(), TonePart: m.GetTonePart(),
	}
}

func qualityToWire(q *phone.Quality) *pb.Quality {
	if q == nil {
		return nil
	}
	return &pb.Quality{Mos: q.MOS, RFactor: q.RFactor, LossPercent: q.LossPercent, JitterMs: q.JitterMs}
}

func qualityFromWire(m *pb.Quality) *phone.Quality {
	if m == nil {
		return nil
	}
	return &phone.Quality{MOS: m.GetMos(), RFactor: m.GetRFactor(), LossPercent: m.GetLossPercent(), JitterMs: m.GetJitterMs()}
}
