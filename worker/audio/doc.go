// Package audio is the sound of a phone's calls: one clock that every 20 ms
// takes a frame from each stream and gives it one.
//
//	RTP ─reader─► packets ─► jitter ─► decoder ─► rx frame ─┬─► mix ─► recording
//	                                                        │    ▲
//	                                                  group │    │
//	                                                        ▼    │
//	file ─read ahead─► ring ─┐                                   │
//	music on hold ───────────┴─► source ─► tx frame ─┬───────────┘
//	digits ─► events ────────────────────────────────┴─► encoder ─► RTP
//
// What callers set (parameters, source, recording, group) is published through
// atomic pointers, which the clock reads once per tick: the two never wait for
// each other. What the clock works with is touched by the clock alone.
//
// Samples stay at their codec's rate as far as they can; a converter stands
// where two rates meet.
package audio
