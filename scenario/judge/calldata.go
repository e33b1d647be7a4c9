package judge

import "ringmaster/proto/phone"

// CallData is what a phone knows of a call, with the names of get_call_info;
// duration is in seconds. It holds only what JSON holds; what is not known is
// null.
func CallData(c phone.CallInfo) map[string]any {
	orNull := func(text string) any {
		if text == "" {
			return nil
		}
		return text
	}
	var status any
	if c.LastStatus != 0 {
		status = int64(c.LastStatus)
	}
	return map[string]any{
		"call_id": int64(c.CallID), "state": c.State.String(), "direction": string(c.Direction), "remote_uri": c.RemoteURI,
		"codec": orNull(c.Codec), "duration": c.Duration.Seconds(), "last_status": status, "last_status_text": orNull(c.LastStatusText),
		"on_hold": c.OnHold, "playing_file": orNull(c.PlayingFile), "recording_file": orNull(c.RecordingFile),
		"rtp": map[string]any{
			"tx_packets": c.RTP.TxPackets, "tx_bytes": c.RTP.TxBytes, "rx_packets": c.RTP.RxPackets, "rx_bytes": c.RTP.RxBytes,
			"rx_loss": c.RTP.RxLoss, "rx_dup": c.RTP.RxDup, "rx_reorder": c.RTP.RxReorder, "rx_discard": c.RTP.RxDiscard,
			"rx_jitter_usec": c.RTP.RxJitterUsec, "rtt_usec": c.RTP.RTTUsec,
		},
		"heard": c.Heard.Data(), "sent": c.Sent.Data(), "quality": c.Quality.Data(),
	}
}
