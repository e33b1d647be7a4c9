package negotiate

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"ringmaster/proto/sdp"
	"ringmaster/worker/codec"
)

var (
	opus = codec.Spec{Name: "opus", StaticPT: -1, ClockRate: 48000, SampleRate: 48000, Channels: 1}
	ilbc = codec.Spec{Name: "iLBC", StaticPT: -1, ClockRate: 8000, SampleRate: 8000, Channels: 1}

	here = Local{Address: netip.MustParseAddr("192.0.2.1"), Port: 4000}
)

// having makes a negotiation with the given codecs; what its answers prefer is
// the offer's order.
func having(codecs ...codec.Spec) *Negotiation {
	return New(Config{SessionID: 7, Username: "a", SessionName: "Ringmaster", Codecs: codecs, TelephoneEvent: true})
}

func lines(l ...string) string { return strings.Join(l, "\r\n") + "\r\n" }

// remote is a far end's description, from its first m= line on.
func remote(l ...string) []byte {
	return []byte(lines("v=0", "o=b 1 1 IN IP4 192.0.2.2", "s=-", "c=IN IP4 192.0.2.2", "t=0 0") + lines(l...))
}

func at(addr string) netip.AddrPort { return netip.MustParseAddrPort(addr) }

func TestOfferOnTheWire(t *testing.T) {
	l := here
	l.Direction = SendOnly
	got, err := having(codec.PCMA, codec.PCMU, opus).Offer(l)
	want := lines("v=0", "o=a 7 1 IN IP4 192.0.2.1", "s=Ringmaster", "c=IN IP4 192.0.2.1", "t=0 0",
		"m=audio 4000 RTP/AVP 8 0 96 101 97", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000", "a=rtpmap:96 opus/48000/2",
		"a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16", "a=rtpmap:97 telephone-event/48000", "a=fmtp:97 0-16", "a=ptime:20", "a=sendonly")
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
}

func TestAnswerOnTheWire(t *testing.T) {
	// After RFC 4317 §2.1, with T.38 and a refused second audio line.
	got, m, err := having(codec.PCMU, ilbc).Answer(remote("m=video 51372 RTP/AVP 31 32", "m=audio 49170 RTP/AVP 97 8 0 100", "a=rtpmap:97 iLBC/8000", "a=rtpmap:100 telephone-event/8000",
		"a=ptime:30", "m=image 51374 udptl t38", "m=audio 51376 RTP/SAVP 0"), here)
	want := lines("v=0", "o=a 7 1 IN IP4 192.0.2.1", "s=Ringmaster", "c=IN IP4 192.0.2.1", "t=0 0",
		"m=video 0 RTP/AVP 31 32", "a=rtpmap:31 H261/90000", "a=rtpmap:32 MPV/90000", "a=inactive",
		"m=audio 4000 RTP/AVP 97 0 100", "a=rtpmap:97 iLBC/8000", "a=rtpmap:0 PCMU/8000", "a=rtpmap:100 telephone-event/8000", "a=fmtp:100 0-15", "a=ptime:20", "a=sendrecv",
		"m=image 0 udptl t38", "a=inactive",
		"m=audio 0 RTP/SAVP 0", "a=rtpmap:0 PCMU/8000", "a=inactive")
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	wanted := Media{
		Remote: at("192.0.2.2:49170"), RemoteRTCP: at("192.0.2.2:49171"), Codec: ilbc, SendPT: 97,
		Receive: map[uint8]codec.Spec{97: ilbc, 0: codec.PCMU}, EventSendPT: 100, EventRecvPT: 100, CNPT: -1, Local: SendRecv, Ptime: 30,
	}
	if !reflect.DeepEqual(m, wanted) {
		t.Errorf("%+v\nwant\n%+v", m, wanted)
	}
}

func TestAnswered(t *testing.T) {
	n := having(codec.PCMA, codec.PCMU, opus)
	if _, err := n.Offer(here); err != nil {
		t.Fatal(err)
	}
	// The far end numbers opus in its own way (RFC 3264 §6.1).
	got, err := n.Answered(remote("m=audio 5000 RTP/AVP 111 8 13 110", "c=IN IP6 2001:db8::2", "a=rtpmap:111 opus/48000/2", "a=rtpmap:110 telephone-event/48000",
		"a=rtcp:5009 IN IP4 192.0.2.3", "a=recvonly", "a=maxptime:15"))
	want := Media{
		Remote: at("[2001:db8::2]:5000"), RemoteRTCP: at("192.0.2.3:5009"), Codec: opus, SendPT: 111,
		Receive: map[uint8]codec.Spec{111: opus, 96: opus, 8: codec.PCMA}, EventSendPT: 110, EventRecvPT: 97, CNPT: 13, Local: SendOnly, Ptime: 10,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v\nwant\n%+v", err, got, want)
	}
	if current, ok := n.Current(); !ok || !reflect.DeepEqual(current, want) {
		t.Errorf("%v, %+v", ok, current)
	}
	// The 200 says it otherwise than the 183 did.
	got, err = n.Answered(remote("m=audio 5002 RTP/AVP 8"))
	if err != nil || got.Codec != codec.PCMA || got.Remote != at("192.0.2.2:5002") || got.EventSendPT != -1 || got.EventRecvPT != -1 || got.Local != SendRecv {
		t.Errorf("%v, %+v", err, got)
	}
}

// RFC 3264 §6.1: what an answer may say to what was offered, and what that
// leaves us to do.
func TestDirections(t *testing.T) {
	for _, row := range []struct {
		connection, offered string
		wanted              Direction
		answer              string
		held                bool
	}{
		{"", "sendrecv", SendRecv, "sendrecv", false},
		{"", "", SendRecv, "sendrecv", false},
		{"", "sendonly", SendRecv, "recvonly", true},
		{"", "recvonly", SendRecv, "sendonly", false},
		{"", "inactive", SendRecv, "inactive", true},
		{"", "sendrecv", SendOnly, "sendonly", false},
		{"", "sendonly", SendOnly, "inactive", true},
		{"", "recvonly", SendOnly, "sendonly", false},
		{"", "inactive", SendOnly, "inactive", true},
		{"", "sendrecv", RecvOnly, "recvonly", false},
		{"", "sendonly", RecvOnly, "recvonly", true},
		{"", "recvonly", RecvOnly, "inactive", false},
		{"", "inactive", RecvOnly, "inactive", true},
		{"", "sendrecv", Inactive, "inactive", false},
		{"", "sendonly", Inactive, "inactive", true},
		{"", "recvonly", Inactive, "inactive", false},
		{"", "inactive", Inactive, "inactive", true},
		// RFC 3264 §8.4, the hold of RFC 2543, and its like for IPv6.
		{"c=IN IP4 0.0.0.0", "sendrecv", SendRecv, "recvonly", true},
		{"c=IN IP4 0.0.0.0", "sendonly", SendRecv, "recvonly", true},
		{"c=IN IP4 0.0.0.0", "recvonly", SendRecv, "inactive", true},
		{"c=IN IP4 0.0.0.0", "inactive", SendRecv, "inactive", true},
		{"c=IN IP6 ::", "", SendRecv, "recvonly", true},
		{"c=IN IP6 hold.invalid", "", SendRecv, "recvonly", true},
	} {
		t.Run(row.connection+" "+row.offered+" "+row.wanted.String(), func(t *testing.T) {
			l := here
			l.Direction = row.wanted
			answer, m, err := having(codec.PCMU).Answer(remote("m=audio 5000 RTP/AVP 0", row.connection, "a="+row.offered), l)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(answer), "a="+row.answer+"\r\n") || m.Local.String() != row.answer || m.RemoteHeld != row.held {
				t.Errorf("%s, held %v\n%s", m.Local, m.RemoteHeld, answer)
			}
			if zero := m.Remote == (netip.AddrPort{}) && m.RemoteRTCP == (netip.AddrPort{}); zero != (row.connection != "") {
				t.Errorf("far end at %v and %v", m.Remote, m.RemoteRTCP)
			}
		})
	}
}

// What an answer to our offer leaves us to do. Only where we offered to send is
// it the far end that holds.
func TestAnsweredDirections(t *testing.T) {
	for _, row := range []struct {
		offered Direction
		answer  string
		local   Direction
		held    bool
	}{
		{SendRecv, "sendrecv", SendRecv, false},
		{SendRecv, "sendonly", RecvOnly, true},
		{SendRecv, "recvonly", SendOnly, false},
		{SendRecv, "inactive", Inactive, true},
		{SendOnly, "recvonly", SendOnly, false},
		{SendOnly, "inactive", Inactive, true},
		{RecvOnly, "sendonly", RecvOnly, false},
		{RecvOnly, "inactive", Inactive, false},
		{Inactive, "inactive", Inactive, false},
		// What an answer may not say (§6.1), and some do: never more than was offered.
		{SendOnly, "sendrecv", SendOnly, false},
		{SendOnly, "sendonly", Inactive, true},
		{RecvOnly, "sendrecv", RecvOnly, false},
		{RecvOnly, "recvonly", Inactive, false},
		{Inactive, "sendrecv", Inactive, false},
		{Inactive, "sendonly", Inactive, false},
		{Inactive, "recvonly", Inactive, false},
	} {
		n := having(codec.PCMU)
		l := here
		l.Direction = row.offered
		if _, err := n.Offer(l); err != nil {
			t.Fatal(err)
		}
		m, err := n.Answered(remote("m=audio 5000 RTP/AVP 0", "a="+row.answer))
		if err != nil || m.Local != row.local || m.RemoteHeld != row.held {
			t.Errorf("%v answered %s: %v, %v, held %v", row.offered, row.answer, err, m.Local, m.RemoteHeld)
		}
	}
}

func TestOrderOfCodecs(t *testing.T) {
	offer := remote("m=audio 5000 RTP/AVP 0 8 98", "a=rtpmap:98 iLBC/8000")
	for _, row := range []struct {
		ownOrder bool
		formats  string
		codec    codec.Spec
	}{
		{false, "m=audio 4000 RTP/AVP 0 8 98\r\n", codec.PCMU},
		{true, "m=audio 4000 RTP/AVP 98 8 0\r\n", ilbc},
	} {
		n := New(Config{Codecs: []codec.Spec{ilbc, codec.PCMA, codec.PCMU}, PreferOwnOrder: row.ownOrder})
		answer, m, err := n.Answer(offer, here)
		if err != nil || m.Codec != row.codec || !strings.Contains(string(answer), row.formats) {
			t.Errorf("own order %v: %v, %+v\n%s", row.ownOrder, err, m, answer)
		}
	}
	n := having(codec.PCMU, codec.PCMA)
	n.SetCodecs([]codec.Spec{codec.PCMA}, true)
	if _, m, err := n.Answer(offer, here); err != nil || m.Codec != codec.PCMA || len(m.Receive) != 1 {
		t.Errorf("after SetCodecs: %v, %+v", err, m)
	}
}

// RFC 3264 §8: the version rises with every change and with nothing else.
func TestVersion(t *testing.T) {
	n := having(codec.PCMU, codec.PCMA)
	step := func(direction Direction, version int) {
		t.Helper()
		l := here
		l.Direction = direction
		offer, err := n.Offer(l)
		if err != nil || !strings.Contains(string(offer), fmt.Sprintf("o=a 7 %d IN", version)) {
			t.Fatalf("%v, want version %d\n%s", err, version, offer)
		}
	}
	agree := func() {
		t.Helper()
		if _, err := n.Answered(remote("m=audio 5000 RTP/AVP 0")); err != nil {
			t.Fatal(err)
		}
	}
	step(SendRecv, 1)
	agree()
	step(SendOnly, 2) // hold
	agree()
	step(SendOnly, 2) // said again
	n.Rollback()
	step(SendRecv, 3) // unhold
	n.Rollback()      // refused
	step(SendRecv, 3)
	agree()
	answer, _, err := n.Answer(remote("m=audio 5000 RTP/AVP 0 8"), here)
	if err != nil || !strings.Contains(string(answer), "o=a 7 4 IN") {
		t.Errorf("%v\n%s", err, answer)
	}
}

func TestRollbackKeepsTheSession(t *testing.T) {
	n := having(codec.PCMU, codec.PCMA)
	if _, ok := n.Current(); ok {
		t.Error("agreed before anything was said")
	}
	if _, err := n.Answered(remote("m=audio 5000 RTP/AVP 0")); !errors.Is(err, ErrNoOffer) {
		t.Error(err)
	}
	_, agreed, err := n.Answer(remote("m=audio 5000 RTP/AVP 0"), here)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Offer(here); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Offer(here); !errors.Is(err, ErrPending) {
		t.Errorf("a second offer: %v", err)
	}
	if _, _, err := n.Answer(remote("m=audio 5000 RTP/AVP 0"), here); !errors.Is(err, ErrPending) {
		t.Errorf("their offer crosses ours: %v", err)
	}
	if _, err := n.Answered(remote("m=audio 0 RTP/AVP 0")); !errors.Is(err, ErrRejected) {
		t.Errorf("refused: %v", err)
	}
	if _, err := n.Answered(remote("m=audio 5000 RTP/AVP 0")); !errors.Is(err, ErrNoOffer) {
		t.Errorf("answered after the refusal: %v", err)
	}
	if current, _ := n.Current(); !reflect.DeepEqual(current, agreed) {
		t.Errorf("%+v\nwant\n%+v", current, agreed)
	}
	if _, _, err := n.Answer(remote("m=audio 5000 RTP/AVP 8"), here); err != nil {
		t.Error(err)
	}
}

// RFC 3264 §8: lines keep their places and numbers their meaning.
func TestLaterOffersKeepLinesAndNumbers(t *testing.T) {
	n := having(opus, codec.PCMU)
	if _, _, err := n.Answer(remote("m=video 5002 RTP/AVP 31", "m=audio 5000 RTP/AVPF 101 96 98", "a=rtpmap:101 opus/48000/2", "a=rtpmap:96 telephone-event/8000", "a=rtpmap:98 telephone-event/48000"), here); err != nil {
		t.Fatal(err)
	}
	n.SetCodecs([]codec.Spec{opus, ilbc, codec.PCMU}, true)
	offer, err := n.Offer(here)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sdp.Parse(offer)
	if err != nil || len(s.Media) != 2 || s.Media[0].Port != 0 || s.Media[0].Type != "video" {
		t.Fatalf("%v\n%s", err, offer)
	}
	if m := s.Media[1]; strings.Join(m.Formats, " ") != "101 97 0 98 96" || m.Proto != "RTP/AVPF" {
		t.Errorf("%s", offer)
	}
	m, err := n.Answered(remote("m=video 0 RTP/AVP 31", "m=audio 5000 RTP/AVPF 97 96", "a=rtpmap:97 iLBC/8000", "a=rtpmap:96 telephone-event/8000"))
	if err != nil || m.Codec != ilbc || m.SendPT != 97 || m.EventSendPT != 96 || m.EventRecvPT != 96 {
		t.Errorf("%v, %+v", err, m)
	}
}

func TestRefusals(t *testing.T) {
	offered := func(l ...string) func() error {
		return func() error {
			_, _, err := having(codec.PCMA, ilbc).Answer(remote(l...), here)
			return err
		}
	}
	answered := func(l ...string) func() error {
		return func() error {
			n := having(codec.PCMA, ilbc)
			if _, err := n.Offer(here); err != nil {
				return err
			}
			_, err := n.Answered(remote(l...))
			return err
		}
	}
	for _, row := range []struct {
		name  string
		do    func() error
		want  error
		words []string
	}{
		{"no common codec offered", offered("m=audio 5000 RTP/AVP 0 18 101", "a=rtpmap:101 telephone-event/8000"), ErrNoCommonCodec, []string{"PCMU, G729", "PCMA, iLBC"}},
		{"the same name at another clock", offered("m=audio 5000 RTP/AVP 96", "a=rtpmap:96 iLBC/16000"), ErrNoCommonCodec, nil},
		{"events alone", offered("m=audio 5000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"), ErrNoCommonCodec, []string{"none"}},
		{"no formats", offered("m=audio 5000 RTP/AVP"), ErrNoCommonCodec, nil},
		{"a name that is no text", offered("m=audio 5000 RTP/AVP 96", "a=rtpmap:96 "+strings.Repeat("x\x1b", 50)+"/8000"), ErrNoCommonCodec, []string{`x\x1bx`}},
		{"encrypted", offered("m=audio 5000 RTP/SAVP 8"), ErrProfile, []string{"RTP/SAVP", "RTP/AVP"}},
		{"no audio", offered("m=video 5000 RTP/AVP 31"), ErrNoAudio, nil},
		{"no media", offered(""), ErrNoAudio, nil},
		{"audio switched off", offered("m=audio 0 RTP/AVP 8"), ErrNoAudio, nil},
		{"no description", func() error { _, _, err := having(codec.PCMA).Answer([]byte("x"), here); return err }, ErrMalformed, nil},
		{"no address", func() error { _, _, err := having(codec.PCMA).Answer([]byte("m=audio 1 RTP/AVP 8"), here); return err }, ErrMalformed, []string{"c="}},
		{"no common codec answered", answered("m=audio 5000 RTP/AVP 0"), ErrNoCommonCodec, []string{"PCMU", "PCMA, iLBC"}},
		{"port 0 answered", answered("m=audio 0 RTP/AVP 8"), ErrRejected, nil},
		{"encryption answered", answered("m=audio 5000 RTP/SAVP 8"), ErrProfile, nil},
		{"no audio answered", answered("m=video 5000 RTP/AVP 31"), ErrNoAudio, nil},
		{"no codecs of our own", func() error { _, err := having().Offer(here); return err }, ErrLocal, []string{"codecs"}},
		{"no address of our own", func() error { _, err := having(codec.PCMA).Offer(Local{Port: 1}); return err }, ErrLocal, []string{"address"}},
		{"no port of our own", func() error { _, err := having(codec.PCMA).Offer(Local{Address: here.Address}); return err }, ErrLocal, []string{"port"}},
	} {
		err := row.do()
		if !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
			continue
		}
		for _, word := range row.words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q does not say %q", row.name, err, word)
			}
		}
		if strings.ContainsAny(err.Error(), "\x1b\r\n") || len(err.Error()) > 400 {
			t.Errorf("%s: %q", row.name, err)
		}
	}
}

func TestAnswerTakesTheFirstLineItCan(t *testing.T) {
	n := having(codec.PCMA)
	offer := remote("m=audio 5000 RTP/SAVP 8", "m=audio 5002 RTP/AVP 0", "m=audio 5004 RTP/AVP 8", "m=audio 5006 RTP/AVP 8")
	answer, m, err := n.Answer(offer, here)
	s, _ := sdp.Parse(answer)
	if err != nil || m.Remote != at("192.0.2.2:5004") || len(s.Media) != 4 || s.Media[2].Port != 4000 || s.Media[0].Port+s.Media[1].Port+s.Media[3].Port != 0 {
		t.Errorf("%v, %+v\n%s", err, m, answer)
	}
	// And stays with it, though an earlier one would do now.
	_, m, err = n.Answer(remote("m=audio 5000 RTP/AVP 8", "m=audio 0 RTP/AVP 0", "m=audio 5004 RTP/AVP 8", "m=audio 0 RTP/AVP 8"), here)
	if err != nil || m.Remote != at("192.0.2.2:5004") {
		t.Errorf("%v, %+v", err, m)
	}
}

func TestHostNameInConnection(t *testing.T) {
	_, m, err := having(codec.PCMA).Answer(remote("m=audio 5000 RTP/AVP 8", "c=IN IP4 media.example"), here)
	if err != nil || m.RemoteHost != "media.example" || m.Remote.Addr().IsValid() || m.Remote.Port() != 5000 || m.RemoteRTCP.Port() != 5001 || m.RemoteHeld {
		t.Errorf("%v, %+v", err, m)
	}
}
