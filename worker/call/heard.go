package call

import "ringmaster/proto/phone"

// soundData is a sound as an event tells it, with the names of get_call_info:
// nil when there was no media, and for what is not known of it.
func soundData(s phone.Sound) any {
	if s.Lasted() == 0 {
		return nil
	}
	data := map[string]any{
		"heard_ms": s.HeardMs, "silent_ms": s.SilentMs, "missing_ms": s.MissingMs,
		"level_dbov": nil, "peak_dbov": nil, "tone_hz": nil, "tone_part": nil,
	}
	if s.HeardMs > 0 {
		data["level_dbov"], data["peak_dbov"] = s.LevelDBov, s.PeakDBov
	}
	if s.ToneHz > 0 {
		data["tone_hz"], data["tone_part"] = s.ToneHz, s.TonePart
	}
	return data
}

func qualityData(q *phone.Quality) any {
	if q == nil {
		return nil
	}
	return map[string]any{"mos": q.MOS, "r_factor": q.RFactor, "loss_percent": q.LossPercent, "jitter_ms": q.JitterMs}
}
