package sdp

import "testing"

func TestWrite(t *testing.T) {
	here := Connection{"IP4", "192.0.2.1"}
	s := Session{
		Origin: Origin{"al ice", "7", "8", "192.0.2.1"}, Name: "two\r\na=lines", Connection: here, Attributes: []Attribute{{"tool", "x"}},
		Media: []Media{
			{Type: "audio", Port: 4000, Proto: "RTP/AVP", Formats: []string{"8", "96", "101"}, Connection: here, Ptime: 20,
				Codecs: []Codec{{8, "PCMA", 8000, 1, ""}, {96, "opus", 48000, 2, "useinbandfec=1"}, {101, "telephone-event", 8000, 1, "0-16"}}},
			{Type: "image", Proto: "udptl", Formats: []string{"t38"}, Connection: Connection{"IP6", "::1"}, Direction: Inactive, Attributes: []Attribute{{"flag", ""}}},
		},
	}
	want := lines("v=0", "o=- 7 8 IN IP4 192.0.2.1", "s=two  a=lines", "c=IN IP4 192.0.2.1", "t=0 0", "a=tool:x",
		"m=audio 4000 RTP/AVP 8 96 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:96 opus/48000/2", "a=fmtp:96 useinbandfec=1",
		"a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16", "a=ptime:20", "a=sendrecv",
		"m=image 0 udptl t38", "c=IN IP6 ::1", "a=flag", "a=inactive")
	if got := string(s.Bytes()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := string(Session{}.Bytes()), lines("v=0", "o=- 0 0 IN IP4 0.0.0.0", "s=-", "t=0 0"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDirections(t *testing.T) {
	all := []Direction{SendRecv, SendOnly, RecvOnly, Inactive}
	reversed := []Direction{SendRecv, RecvOnly, SendOnly, Inactive}
	and := [][]Direction{
		{SendRecv, SendOnly, RecvOnly, Inactive},
		{SendOnly, SendOnly, Inactive, Inactive},
		{RecvOnly, Inactive, RecvOnly, Inactive},
		{Inactive, Inactive, Inactive, Inactive},
	}
	for i, d := range all {
		if d.Reverse() != reversed[i] {
			t.Errorf("%v reversed: %v", d, d.Reverse())
		}
		for j, other := range all {
			if d.And(other) != and[i][j] {
				t.Errorf("%v and %v: %v", d, other, d.And(other))
			}
		}
		if back, ok := ParseDirection(d.String()); !ok || back != d {
			t.Errorf("%v reads as %v", d, back)
		}
	}
	if _, ok := ParseDirection("both"); ok || Direction(4).String() != "Direction(4)" {
		t.Error("a fifth direction")
	}
}
