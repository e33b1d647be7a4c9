package sdp

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// lines joins with CRLF, as on the wire.
func lines(l ...string) string { return strings.Join(l, "\r\n") + "\r\n" }

func parse(t *testing.T, text string) Session {
	t.Helper()
	s, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return s
}

func TestReadEverything(t *testing.T) {
	s := parse(t, lines("v=0", "o=jdoe 2890844526 2890842807 IN IP4 10.47.16.5", "s=SDP Seminar", "i=A Seminar", "u=http://www.example.com/seminars/sdp.pdf",
		"c=IN IP4 224.2.17.12/127", "b=AS:64", "t=2873397496 2873404696", "a=recvonly", "a=tool:x y",
		"m=audio 49170/2 RTP/SAVP 0 97 101 98", "c=IN IP6 2001:db8::1", "a=rtpmap:97 iLBC/8000", "a=fmtp:97 mode=20; x=y", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16",
		"a=ptime:20", "a=maxptime:150", "a=rtcp:53020 IN IP4 126.16.64.4", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc|2^20|1:4 KDR=1 UNENCRYPTED_SRTCP",
		"a=sendonly", "a=rtcp-mux", "a=ssrc:1 cname:x",
		"m=video 51372 RTP/AVP 31", "m=image 0 udptl t38", "a=T38FaxVersion:0"))
	ip4 := Connection{"IP4", "224.2.17.12"}
	want := Session{
		Origin:     Origin{"jdoe", "2890844526", "2890842807", "10.47.16.5"},
		Name:       "SDP Seminar",
		Connection: ip4,
		Attributes: []Attribute{{"tool", "x y"}},
		Media: []Media{
			{Type: "audio", Port: 49170, Proto: "RTP/SAVP", Formats: []string{"0", "97", "101", "98"},
				Codecs:     []Codec{{0, "PCMU", 8000, 1, ""}, {97, "iLBC", 8000, 1, "mode=20; x=y"}, {101, "telephone-event", 8000, 1, "0-16"}},
				Connection: Connection{"IP6", "2001:db8::1"}, Direction: SendOnly, RTCPPort: 53020, RTCP: Connection{"IP4", "126.16.64.4"}, Ptime: 20, Maxptime: 150,
				Crypto:     []Crypto{{1, "AES_CM_128_HMAC_SHA1_80", "inline:abc|2^20|1:4", "KDR=1 UNENCRYPTED_SRTCP"}},
				Attributes: []Attribute{{"rtcp-mux", ""}, {"ssrc", "1 cname:x"}}},
			{Type: "video", Port: 51372, Proto: "RTP/AVP", Formats: []string{"31"}, Codecs: []Codec{{31, "H261", 90000, 1, ""}}, Connection: ip4, Direction: RecvOnly},
			{Type: "image", Proto: "udptl", Formats: []string{"t38"}, Connection: ip4, Direction: RecvOnly, Attributes: []Attribute{{"T38FaxVersion", "0"}}},
		},
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
	again := parse(t, string(s.Bytes()))
	if !reflect.DeepEqual(again, want) {
		t.Errorf("written and read again:\ngot  %+v\nwant %+v\n%s", again, want, s.Bytes())
	}
}

// What real PBXs and phones send, each of which a stricter reader refuses.
func TestReadForgives(t *testing.T) {
	const audio = "m=audio 4000 RTP/AVP 8"
	for _, row := range []struct{ name, text string }{
		{"no final line end", "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" + audio},
		{"bare line feeds", "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n" + audio + "\n"},
		{"bare carriage returns", "v=0\ro=- 1 1 IN IP4 192.0.2.1\rc=IN IP4 192.0.2.1\r" + audio},
		{"no s= and no t=", lines("v=0", "o=- 1 1 IN IP4 192.0.2.1", "c=IN IP4 192.0.2.1", audio)},
		{"nothing but c= and m=", lines("c=IN IP4 192.0.2.1", audio)},
		{"b= before c=", lines("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "b=AS:64", "c=IN IP4 192.0.2.1", "t=0 0", audio)},
		{"c= before s=", lines("v=0", "o=- 1 1 IN IP4 192.0.2.1", "c=IN IP4 192.0.2.1", "s=-", "t=0 0", audio)},
		{"lower-case in ip4", lines("v=0", "o=- 1 1 in ip4 192.0.2.1", "s=-", "c=in ip4 192.0.2.1", "t=0 0", audio)},
		{"an unknown line", lines("v=0", "o=- 1 1 IN IP4 192.0.2.1", "x=1", "garbage", "", "=", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", audio)},
		{"blanks at line ends", lines("v=0 ", "o=- 1 1 IN IP4 192.0.2.1 ", "s= ", "c=IN IP4 192.0.2.1 ", "t=0 0", audio+" ")},
		{"capitals", lines("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", "m=AUDIO 4000 rtp/avp 8", "a=RTPMAP:8 PCMA/8000")},
		{"T.38 beside audio", lines("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", audio, "m=image 4002 udptl t38", "a=fmtp:t38 x")},
		{"an rtpmap without a clock rate", lines("v=0", "c=IN IP4 192.0.2.1", audio, "a=rtpmap:8 PCMA")},
		{"attributes that make no sense", lines("v=0", "c=IN IP4 192.0.2.1", audio, "a=rtpmap:x y", "a=rtpmap:999 Z/1", "a=rtpmap:8 PCMA/0", "a=fmtp:", "a=", "a=rtcp:", "a=rtcp:x", "a=ptime:-", "a=crypto:x", "a")},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := parse(t, row.text).Media[0]
			if m.Type != "audio" || m.Port != 4000 || len(m.Codecs) != 1 || m.Codecs[0] != (Codec{8, "PCMA", 8000, 1, ""}) || m.Connection != (Connection{"IP4", "192.0.2.1"}) || m.RTCPPort != 0 || m.Ptime != 0 {
				t.Errorf("%+v", m)
			}
		})
	}
}

func TestReadOrigin(t *testing.T) {
	for value, want := range map[string]Origin{
		"- 1 2 IN IP4 192.0.2.1":                          {"-", "1", "2", "192.0.2.1"},
		"Cisco Phone 7 1 2 IN IP4 h.example":              {"Cisco Phone 7", "1", "2", "h.example"},
		"root 99999999999999999999999 abc IN IP6 2001::1": {"root", "99999999999999999999999", "abc", "2001::1"},
		"root 1": {Username: "root", SessionID: "1"},
		"":       {},
	} {
		if got := parse(t, lines("v=0", "o="+value)).Origin; got != want {
			t.Errorf("%q: %+v, want %+v", value, got, want)
		}
	}
}

func TestDirectionIsTheMediasElseTheSessions(t *testing.T) {
	for _, row := range []struct {
		session, media string
		want           Direction
	}{
		{"", "", SendRecv},
		{"a=inactive", "", Inactive},
		{"a=sendonly", "a=sendrecv", SendRecv},
		{"", "a=recvonly", RecvOnly},
		{"", "a=SendOnly", SendOnly},
	} {
		if got := parse(t, lines("v=0", row.session, "m=audio 1 RTP/AVP 0", row.media)).Media[0].Direction; got != row.want {
			t.Errorf("%q, %q: %v, want %v", row.session, row.media, got, row.want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, row := range []struct {
		text string
		want error
	}{
		{"", ErrNotSDP},
		{"hello\r\nworld", ErrNotSDP},
		{"Signal=5\r\nDuration=160\r\n", ErrNotSDP},
		{"v=0\r\nm=audio", ErrMediaLine},
		{"v=0\r\nm=audio 1", ErrMediaLine},
		{"v=0\r\nm=audio x RTP/AVP 0", ErrMediaLine},
		{"v=0\r\nm=audio -1 RTP/AVP 0", ErrMediaLine},
		{"v=0\r\nm=audio 65536 RTP/AVP 0", ErrMediaLine},
		{"v=0\r\n" + strings.Repeat("a=x\r\n", maxSize/5), ErrTooLong},
	} {
		if s, err := Parse([]byte(row.text)); !errors.Is(err, row.want) || !reflect.DeepEqual(s, Session{}) {
			t.Errorf("%.40q: %+v, %v; want %v", row.text, s, err, row.want)
		}
	}
}

func TestConnectionAddresses(t *testing.T) {
	for _, row := range []struct {
		c       Connection
		literal bool
	}{
		{Connection{"IP4", "192.0.2.1"}, true}, {Connection{"IP6", "2001:db8::1"}, true}, {Connection{"IP4", "media.example"}, false}, {Connection{}, false},
	} {
		addr, ok := row.c.Addr()
		if ok != row.literal {
			t.Errorf("%v: %v", row.c, ok)
		}
		if ok && ConnectionTo(addr) != row.c {
			t.Errorf("%v: %v", row.c, ConnectionTo(addr))
		}
	}
	if c := ConnectionTo(netip.MustParseAddr("::ffff:192.0.2.1")); c != (Connection{"IP4", "192.0.2.1"}) {
		t.Error(c)
	}
	if c := ConnectionTo(netip.MustParseAddr("fe80::1%lo")); c != (Connection{"IP6", "fe80::1"}) {
		t.Error(c)
	}
}

func TestStaticPayloadTypes(t *testing.T) {
	for pt, want := range map[uint8]string{0: "PCMU", 3: "GSM", 8: "PCMA", 9: "G722", 13: "CN", 18: "G729", 34: "H263", 1: "", 19: "", 35: "", 96: "", 127: ""} {
		got, ok := Static(pt)
		if got.Name != want || ok != (want != "") || ok && (got.PT != pt || got.Channels < 1 || got.ClockRate < 8000) {
			t.Errorf("%d: %+v, want %q", pt, got, want)
		}
	}
	if g722, _ := Static(9); g722.ClockRate != 8000 { // RFC 3551 §4.5.2
		t.Error(g722)
	}
}

// FuzzParse: whatever can be read is read the same again after writing.
func FuzzParse(f *testing.F) {
	f.Add([]byte(lines("v=0", "o=a b 1 2 IN IP4 h", "s=-", "c=IN IP4 192.0.2.1/3", "t=0 0", "a=x:y", "m=audio 1/2 RTP/AVP 0 96 x", "a=rtpmap:96 opus/48000/2", "a=fmtp:96 a=b",
		"a=rtcp:5 IN IP4 h", "a=crypto:1 S inline:k p", "a=ptime:20", "m=image 0 udptl t38", "c=IN IP6 ::1", "a=inactive")))
	f.Add([]byte("m=a 0 /\ra=:\na=sendonly:x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Parse(b)
		if err != nil {
			return
		}
		written := s.Bytes()
		if len(written) > maxSize {
			return
		}
		again, err := Parse(written)
		if err != nil || !reflect.DeepEqual(again.Media, s.Media) || !reflect.DeepEqual(again.Attributes, s.Attributes) {
			t.Errorf("%v\n%q\n%+v\n%+v", err, written, s, again)
		}
	})
}
