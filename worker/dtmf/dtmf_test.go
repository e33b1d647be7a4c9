package dtmf

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		"0123456789*#ABCD": "0123456789*#ABCD", "abcd": "ABCD", "1,2": "1,2",
		"": "!there are no digits", ",,": "!there are no digits",
		"12x": "!character 3", "1 2": "!character 2", "1é": "!character 2",
	} {
		got, err := Normalize(in)
		if strings.HasPrefix(want, "!") {
			if err == nil || !strings.HasPrefix(err.Error(), want[1:]) {
				t.Errorf("Normalize(%q) = %q, %v", in, got, err)
			}
		} else if got != want || err != nil {
			t.Errorf("Normalize(%q) = %q, %v", in, got, err)
		}
	}
}

// sent is everything a sender says for a string, a line per step of 20 ms.
func sent(digits string) (lines []string, packets []Event) {
	s := NewSender(8000)
	s.Begin(digits)
	for at := uint32(1000); s.Busy(); at += 160 {
		e, send, done := s.Step(at, 160)
		line := "-"
		if send {
			packets = append(packets, e)
			line = fmt.Sprintf("%d/%d", e.Timestamp, int(e.Payload[2])<<8|int(e.Payload[3]))
			if e.Marker {
				line += "M"
			}
			if e.Payload[1]&0x80 != 0 {
				line += "E"
			}
		}
		if done != "" {
			line += " done " + done
		}
		lines = append(lines, line)
	}
	return lines, packets
}

func TestSenderSaysEachDigit(t *testing.T) {
	lines, packets := sent("5D")
	want := []string{
		"1000/160M", "1000/320", "1000/480", "1000/640", "1000/800E", "1000/800E", "1000/800E", "-",
		"2280/160M", "2280/320", "2280/480", "2280/640", "2280/800E", "2280/800E", "2280/800E", "-",
		"- done 5D",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got  %v\nwant %v", lines, want)
	}
	if packets[0].Payload != [4]byte{5, 10, 0, 160} || packets[len(packets)-1].Payload != [4]byte{15, 0x8A, 3, 32} {
		t.Errorf("payloads %v ... %v", packets[0].Payload, packets[len(packets)-1].Payload)
	}
}

func TestAPauseLastsTwoSeconds(t *testing.T) {
	lines, _ := sent("1,2")
	first := slices.IndexFunc(lines, func(s string) bool { return strings.HasSuffix(s, "M") })
	second := slices.IndexFunc(lines[first+1:], func(s string) bool { return strings.HasSuffix(s, "M") }) + 1
	if second != 8+100 { // the digit with its gap, and the pause
		t.Errorf("the second digit begins %d steps after the first, want 108", second)
	}
	s, alone := NewSender(8000), 0
	s.Begin("1,2,")
	for range 7 + 100 + 7 + 100 + 20 {
		s.Step(0, 160)
		if s.Alone() {
			alone++
		}
	}
	if s.Busy() || alone != 2*8 {
		t.Errorf("busy %v; the digits had the line to themselves for %d steps, want 16", s.Busy(), alone)
	}
}

func TestCutShort(t *testing.T) {
	s := NewSender(8000)
	s.Begin("12")
	s.Step(0, 160)
	s.CutShort()
	for i := range endPackets {
		if e, send, _ := s.Step(160, 160); !send || e.Payload[1]&0x80 == 0 || e.Timestamp != 0 {
			t.Errorf("step %d: %+v, %v", i, e, send)
		}
	}
	if s.Unfinished() || !s.Busy() {
		t.Error("the digit is not over, or the string is")
	}
}

func TestTake(t *testing.T) {
	for _, c := range []struct {
		steps               int // of 20 ms
		sent, current, rest string
	}{
		{0, "", "", "1,2"},
		{1, "", "1", ",2"},
		{4, "", "1", ",2"},
		{5, "1", "", ",2"}, // its end has been said
		{20, "1,", "", "2"},
		{1000, "", "", ""}, // told as done
	} {
		s := NewSender(8000)
		s.Begin("1,2")
		for i := range c.steps {
			s.Step(uint32(160*i), 160)
		}
		sent, current, rest := s.Take()
		if sent != c.sent || current != c.current || rest != c.rest {
			t.Errorf("after %d steps: %q, %q, %q, want %q, %q, %q", c.steps, sent, current, rest, c.sent, c.current, c.rest)
		}
		ends := 0
		for range 10 {
			e, send, done := s.Step(0, 160)
			if send && e.Payload[1]&0x80 == 0 || done != "" {
				t.Errorf("after %d steps and what was taken: %+v, %q", c.steps, e, done)
			}
			if send {
				ends++
			}
		}
		if s.Busy() || current != "" && ends != endPackets {
			t.Errorf("after %d steps: busy %v, the end was said %d times", c.steps, s.Busy(), ends)
		}
	}
}

// packet is what arrives.
type packet struct {
	ssrc, timestamp uint32
	marker          bool
	payload         []byte
}

func receive(packets []packet) string {
	var r Receiver
	var digits []byte
	for _, p := range packets {
		if d, ok := r.Packet(p.ssrc, p.timestamp, p.marker, p.payload); ok {
			digits = append(digits, d)
		}
	}
	return string(digits)
}

func fromSender(digits string) []packet {
	_, events := sent(digits)
	var p []packet
	for _, e := range events {
		p = append(p, packet{7, e.Timestamp, e.Marker, e.Payload[:]})
	}
	return p
}

func TestDigitsArriveOnceAndInOrder(t *testing.T) {
	const digits = "1123580#*ABCD44455"
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		var arrived []packet
		left := 0 // lost in a row
		for _, p := range fromSender(digits) {
			// 10 % are lost, but not a whole digit of seven.
			if random.IntN(10) == 0 && left < 6 {
				left++
				continue
			}
			left = 0
			arrived = append(arrived, p)
			if random.IntN(10) == 0 {
				arrived = append(arrived, p)
			}
		}
		for i := 1; i < len(arrived); i++ { // neighbours change places
			if random.IntN(5) == 0 {
				arrived[i-1], arrived[i] = arrived[i], arrived[i-1]
			}
		}
		if got := receive(arrived); got != digits {
			t.Fatalf("seed %d: got %q, want %q", seed, got, digits)
		}
	}
}

func TestReceiver(t *testing.T) {
	ev := func(ts uint32, code byte, duration int, flags string) packet {
		p := packet{1, ts, strings.Contains(flags, "M"), []byte{code, 10, byte(duration >> 8), byte(duration)}}
		if strings.Contains(flags, "E") {
			p.payload[1] |= 0x80
		}
		return p
	}
	other := ev(0, 5, 160, "M")
	other.ssrc = 2
	for _, c := range []struct {
		name    string
		packets []packet
		want    string
	}{
		{"one packet is enough", []packet{ev(0, 5, 320, "")}, "5"},
		{"an end is enough", []packet{ev(0, 5, 800, "E")}, "5"},
		{"the same digit twice", []packet{ev(0, 5, 160, "M"), ev(0, 5, 800, "E"), ev(1280, 5, 160, "M")}, "55"},
		{"the same digit twice, no ends, no marker", []packet{ev(0, 5, 160, "M"), ev(0, 5, 320, ""), ev(1280, 5, 320, "")}, "55"},
		{"the old digit's end comes after the new one's begin", []packet{ev(0, 5, 160, "M"), ev(1280, 6, 160, "M"), ev(0, 5, 800, "E")}, "56"},
		{"eight seconds are two segments of one digit", []packet{
			ev(0, 1, 160, "M"), ev(0, 1, 0xFFFF, ""), ev(0xFFFF, 1, 160, ""), ev(0, 1, 0xFFFF, ""), ev(0xFFFF, 1, 800, "E"),
		}, "1"},
		{"the segment's last packet is lost", []packet{ev(0, 1, 160, "M"), ev(0xFFFF, 1, 160, ""), ev(2*0xFFFF&0xFFFFFFFF, 1, 160, "E")}, "1"},
		{"timestamps across the wrap", []packet{ev(0xFFFFFFF0, 1, 160, "M"), ev(0xFFFFFFF0, 1, 800, "E"), ev(1264, 1, 160, "M")}, "11"},
		{"a sender that moves the timestamp", []packet{ev(0, 9, 160, "M"), ev(160, 9, 320, ""), ev(320, 9, 480, ""), ev(480, 9, 640, "E")}, "9"},
		{"another source", []packet{ev(0, 5, 160, "M"), other}, "55"},
		{"a flash is no digit", []packet{ev(0, 16, 160, "M")}, ""},
		{"too short to be one", []packet{{1, 0, true, []byte{5, 10, 0}}}, ""},
		{"nothing", []packet{{1, 0, true, nil}}, ""},
	} {
		if got := receive(c.packets); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestInfo(t *testing.T) {
	for _, c := range []struct{ kind, body, want string }{
		{RelayType, "Signal=5\r\nDuration=160\r\n", "5"},
		{RelayType, "Duration= 250\nsignal = * \n", "*"},
		{RelayType, "Signal=d\r\n", "D"},
		{RelayType, "Signal=11\r\n", "#"},
		{RelayType + "; charset=utf-8", "Signal=0", "0"},
		{"Application/DTMF-Relay", "Signal=1", "1"},
		{PlainType, "7", "7"},
		{PlainType, " #\r\n", "#"},
		{PlainType, "10", "*"},
		{RelayType, "Duration=160\r\n", "!the INFO body has no line Signal="},
		{RelayType, "Signal=16\r\n", "!the INFO's signal"},
		{PlainType, "", "!the INFO's signal"},
		{"text/plain", "5", "!an INFO body of type"},
		{"", "5", "!the INFO's content type"},
	} {
		got, err := ParseInfo(c.kind, c.body)
		if strings.HasPrefix(c.want, "!") {
			if err == nil || !strings.HasPrefix(err.Error(), c.want[1:]) {
				t.Errorf("%s %q: %c, %v", c.kind, c.body, got, err)
			}
		} else if err != nil || string(rune(got)) != c.want {
			t.Errorf("%s %q: %c, %v", c.kind, c.body, got, err)
		}
	}
	for i := range len(keys) {
		if d, err := ParseInfo(RelayType, FormatRelay(keys[i])); d != keys[i] || err != nil {
			t.Errorf("relay body of %c: %c, %v", keys[i], d, err)
		}
		if d, err := ParseInfo(PlainType, FormatPlain(keys[i])); d != keys[i] || err != nil {
			t.Errorf("plain body of %c: %c, %v", keys[i], d, err)
		}
	}
}
