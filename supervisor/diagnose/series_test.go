package diagnose

import (
	"slices"
	"testing"
	"time"
)

func TestSeriesOfAStream(t *testing.T) {
	var s Stream
	begin := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	send := func(ms int, sequence uint16) {
		s.add(begin.Add(time.Duration(ms)*time.Millisecond), rtpPacket{sequence: sequence, timestamp: uint32(sequence) * 160}, 8000)
	}
	send(0, 1)
	send(20, 2)
	send(1060, 4) // 3 is missing, and late by a second
	send(1080, 3) // there it is
	send(3100, 9) // nothing in the third second
	want := []Sample{{Packets: 2}, {Packets: 2}, {}, {Packets: 1, Lost: 4}}
	got := slices.Clone(s.Series.Samples)
	if got[1].Jitter < 60*time.Millisecond || got[0].Jitter != 0 {
		t.Errorf("the jitter is %v", got)
	}
	for i := range got {
		got[i].Jitter = 0
	}
	if !slices.Equal(got, want) || s.Series.Every != time.Second {
		t.Errorf("%+v every %v, want %+v", got, s.Series.Every, want)
	}
}

func TestALongSeriesHasLongerSpans(t *testing.T) {
	var s Series
	for i := range 3000 {
		s.note(time.Duration(i)*time.Second, i/10, time.Duration(i))
	}
	packets, lost := 0, 0
	for _, one := range s.Samples {
		packets += one.Packets
		lost += one.Lost
	}
	if len(s.Samples) > seriesBound || s.Every != 8*time.Second || packets != 3000 || lost != 299 || s.Samples[374].Jitter != 2999 {
		t.Errorf("%d spans of %v, %d packets, %d lost", len(s.Samples), s.Every, packets, lost)
	}
	s.note(-time.Second, 299, 0) // stamped before the first
	if s.Samples[0].Packets != 9 {
		t.Errorf("%+v", s.Samples[0])
	}
}
