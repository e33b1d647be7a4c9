package phone

// Data is the sound as events tell it, with the names of get_call_info:
// nil when there was no media, and for what is not known of it.
func (s Sound) Data() any {
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

// Data is the quality as events tell it: nil when nothing is known.
func (q *Quality) Data() any {
	if q == nil {
		return nil
	}
	return map[string]any{"mos": q.MOS, "r_factor": q.RFactor, "loss_percent": q.LossPercent, "jitter_ms": q.JitterMs}
}
