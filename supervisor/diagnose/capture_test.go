package diagnose

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"ringmaster/proto/sdp"
)

var (
	a4 = netip.MustParseAddrPort("192.0.2.1:16384")
	b4 = netip.MustParseAddrPort("192.0.2.2:20000")
	a6 = netip.MustParseAddrPort("[2001:db8::1]:16384")
	b6 = netip.MustParseAddrPort("[2001:db8::2]:20000")
)

// frame is a packet that goes into a capture.
type frame struct {
	at   time.Time
	data []byte
}

// rtp makes an RTP packet.
func rtp(payloadType uint8, sequence uint16, timestamp, ssrc uint32, payload ...byte) []byte {
	p := []byte{0x80, payloadType}
	p = binary.BigEndian.AppendUint16(p, sequence)
	p = binary.BigEndian.AppendUint32(p, timestamp)
	return append(binary.BigEndian.AppendUint32(p, ssrc), payload...)
}

// ip makes the IP packet of a UDP datagram.
func ip(from, to netip.AddrPort, payload []byte) []byte {
	udp := &layers.UDP{SrcPort: layers.UDPPort(from.Port()), DstPort: layers.UDPPort(to.Port())}
	var header gopacket.SerializableLayer
	if from.Addr().Is4() {
		v4 := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: from.Addr().AsSlice(), DstIP: to.Addr().AsSlice(), Id: 7}
		_ = udp.SetNetworkLayerForChecksum(v4)
		header = v4
	} else {
		v6 := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolUDP, SrcIP: from.Addr().AsSlice(), DstIP: to.Addr().AsSlice()}
		_ = udp.SetNetworkLayerForChecksum(v6)
		header = v6
	}
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, header, udp, gopacket.Payload(payload)); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// linked puts an IP packet behind a header of the link type.
func linked(link LinkType, packet []byte) []byte {
	kind := []byte{0x08, 0x00}
	if packet[0]>>4 == 6 {
		kind = []byte{0x86, 0xdd}
	}
	var header []byte
	switch link {
	case linkEthernet:
		header = append(make([]byte, 12), kind...)
	case linkSLL:
		header = append(make([]byte, 14), kind...)
	case linkSLL2:
		header = append(kind, make([]byte, 18)...)
	case linkNull:
		header = []byte{2, 0, 0, 0}
	}
	return append(header, packet...)
}

func tagged(packet []byte, types ...uint16) []byte {
	f := make([]byte, 12)
	for _, t := range types {
		f = binary.BigEndian.AppendUint16(f, t)
		f = binary.BigEndian.AppendUint16(f, 5)
	}
	return append(append(f, 0x08, 0x00), packet...)
}

// pcap is a file of the link type.
func pcap(link LinkType, frames ...frame) []byte {
	var b bytes.Buffer
	w := pcapgo.NewWriter(&b)
	if err := w.WriteFileHeader(1<<18, layers.LinkType(link)); err != nil {
		panic(err)
	}
	for _, f := range frames {
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: f.at, CaptureLength: len(f.data), Length: len(f.data)}, f.data); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

func pcapng(t *testing.T, link LinkType, frames ...frame) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriter(&b, layers.LinkType(link))
	for _, f := range frames {
		if err == nil {
			err = w.WritePacket(gopacket.CaptureInfo{Timestamp: f.at, CaptureLength: len(f.data), Length: len(f.data)}, f.data)
		}
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t *testing.T, file []byte, known ...Described) (Capture, error) {
	t.Helper()
	return ReadCapture(context.Background(), bytes.NewReader(file), known)
}

func mustRead(t *testing.T, file []byte, known ...Described) Capture {
	t.Helper()
	c, err := read(t, file, known...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// show is a capture's flows in a line each.
func show(c Capture) string {
	var b strings.Builder
	for _, f := range c.RTP {
		fmt.Fprintf(&b, "%d>%d %d %s %d%s\n", f.SrcPort, f.DstPort, f.PayloadType, f.Codec, f.Count, f.Digits)
	}
	for _, f := range c.RTCP {
		fmt.Fprintf(&b, "%d>%d %d %s %d\n", f.SrcPort, f.DstPort, f.PayloadType, f.Name, f.Count)
	}
	return b.String()
}

// Every link type, either IP version, both forms of file.
func TestLinkTypes(t *testing.T) {
	names := map[LinkType]string{
		linkNull: "NULL", linkEthernet: "EN10MB", linkRawBSD: "RAW", linkRaw: "RAW", linkSLL: "LINUX_SLL", linkSLL2: "LINUX_SLL2",
	}
	for link, name := range names {
		frames := []frame{
			{noon, linked(link, ip(a4, b4, rtp(0, 1, 0, 9)))},
			{noon, linked(link, ip(a6, b6, rtp(0, 1, 0, 9)))},
			{noon, linked(link, ip(b4, a4, []byte{0x80, 200, 0, 0}))},
			{noon, []byte{1}},
		}
		for form, file := range map[string][]byte{"pcap": pcap(link, frames...), "pcapng": pcapng(t, link, frames...)} {
			c := mustRead(t, file)
			if c.LinkType == nil || *c.LinkType != link || c.LinkType.String() != name || c.Packets != 4 {
				t.Errorf("%s of %s: link type %v, %d packets", form, name, c.LinkType, c.Packets)
			}
			if got, want := show(c), "16384>20000 0 PCMU 2\n20000>16384 200 SR 1\n"; got != want {
				t.Errorf("%s of %s: %s", form, name, got)
			}
		}
	}
}

func TestVLAN(t *testing.T) {
	packet := ip(a4, b4, rtp(8, 1, 0, 9))
	c := mustRead(t, pcap(linkEthernet, frame{noon, tagged(packet, 0x8100)}, frame{noon, tagged(packet, 0x88a8, 0x8100)}))
	if got := show(c); got != "16384>20000 8 PCMA 2\n" {
		t.Error(got)
	}
}

func TestIPv6ExtensionHeaders(t *testing.T) {
	plain := ip(a6, b6, rtp(8, 1, 0, 9))
	with := slices.Clone(plain[:40])
	with[6] = ipHopByHop
	with = append(with, ipDestination, 0, 1, 4, 0, 0, 0, 0)        // hop by hop
	with = append(with, ipUDP, 1, 1, 12, 0, 0, 0, 0)               // destination options, 16 bytes
	with = append(append(with, make([]byte, 8)...), plain[40:]...) //
	binary.BigEndian.PutUint16(with[4:], uint16(len(with)-40))
	if got := show(mustRead(t, pcap(linkRaw, frame{noon, with}))); got != "16384>20000 8 PCMA 1\n" {
		t.Error(got)
	}
}

// fragments cuts an IP packet's payload into fragments of at most size bytes.
func fragments(packet []byte, size int) [][]byte {
	var out [][]byte
	v6 := packet[0]>>4 == 6
	header := 20
	if v6 {
		header = 40
	}
	body := packet[header:]
	for at := 0; at < len(body); at += size {
		end := min(at+size, len(body))
		f := slices.Clone(packet[:header])
		more := end < len(body)
		if v6 {
			f[6] = ipFragment
			offset := uint16(at)
			if more {
				offset |= 1
			}
			f = append(f, ipUDP, 0)
			f = binary.BigEndian.AppendUint16(f, offset)
			f = append(f, 0, 0, 0, 9)
			binary.BigEndian.PutUint16(f[4:], uint16(8+end-at))
		} else {
			flags := uint16(at / 8)
			if more {
				flags |= 0x2000
			}
			binary.BigEndian.PutUint16(f[6:], flags)
			binary.BigEndian.PutUint16(f[2:], uint16(20+end-at))
		}
		out = append(out, append(f, body[at:end]...))
	}
	return out
}

// A datagram in fragments counts once, in whatever order they come, with
// copies, and the description in it is read.
func TestFragments(t *testing.T) {
	for _, way := range [][2]netip.AddrPort{{a4, b4}, {a6, b6}} {
		for seed := range uint64(20) {
			order := rand.New(rand.NewPCG(seed, 1))
			all := fragments(ip(way[0], way[1], rtp(0, 1, 0, 9, make([]byte, 3000)...)), 1000)
			all = append(all, all[order.IntN(len(all)-1)])
			order.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			var frames []frame
			for _, f := range all {
				frames = append(frames, frame{noon, f})
			}
			if got := show(mustRead(t, pcap(linkRaw, frames...))); got != "16384>20000 0 PCMU 1\n" {
				t.Errorf("seed %d: %q", seed, got)
			}
			if got := show(mustRead(t, pcap(linkRaw, frames[:2]...))); got != "" {
				t.Errorf("seed %d: of some fragments: %q", seed, got)
			}
		}
	}
}

// Never-finished packets do not pile up.
func TestFragmentsAreBounded(t *testing.T) {
	var r reassembly
	for i := range 10 * unfinishedBound {
		r.add(ipPacket{from: a4.Addr(), to: b4.Addr(), id: uint32(i), more: true, payload: make([]byte, 8)})
	}
	if len(r.unfinished) != unfinishedBound || len(r.order) != unfinishedBound {
		t.Errorf("%d packets, %d in order", len(r.unfinished), len(r.order))
	}
}

func describe(t *testing.T, at time.Time, port int, lines ...string) Described {
	t.Helper()
	s, err := sdp.Parse([]byte(body(port, lines...)))
	if err != nil {
		t.Fatal(err)
	}
	return Described{at, s}
}

func body(port int, lines ...string) string {
	text := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0 96\r\n", port)
	for _, l := range lines {
		text += "a=" + l + "\r\n"
	}
	return text
}

// The names of payload types.
func TestCodecs(t *testing.T) {
	send := func(types ...uint8) []byte {
		var frames []frame
		for _, pt := range types {
			frames = append(frames, frame{noon, ip(a4, b4, rtp(pt, 1, 0, 9, 0, 0, 0, 0))})
		}
		return pcap(linkRaw, frames...)
	}
	codecs := func(c Capture) string {
		var names []string
		for _, f := range c.RTP {
			names = append(names, f.Codec)
		}
		return strings.Join(names, " ")
	}
	if got := codecs(mustRead(t, send(0, 8, 9, 13, 18, 101, 120, 96))); got != "PCMU PCMA G722 CN G729 telephone-event telephone-event PT=96" {
		t.Error(got)
	}
	opus, other := "rtpmap:96 opus/48000/2", "rtpmap:96 L16/16000"
	for name, known := range map[string][]Described{
		"of the receiver":        {describe(t, noon.Add(-time.Second), 20000, opus)},
		"of the sender":          {describe(t, noon.Add(-time.Second), 16384, opus)},
		"receiver before sender": {describe(t, noon, 16384, other), describe(t, noon.Add(-time.Hour), 20000, opus)},
		"the last before":        {describe(t, noon.Add(-time.Hour), 20000, other), describe(t, noon, 20000, opus), describe(t, noon.Add(1), 20000, other)},
		"the first after":        {describe(t, noon.Add(2), 20000, other), describe(t, noon.Add(1), 20000, opus)},
	} {
		if got := codecs(mustRead(t, send(96), known...)); got != "opus" {
			t.Errorf("%s: %s", name, got)
		}
	}
	sip := "SIP/2.0 200 OK\r\nContent-Type: application/sdp\r\n\r\n" + body(20000, opus)
	file := pcap(linkRaw, frame{noon, ip(b4, a4, []byte(sip))}, frame{noon, ip(a4, b4, rtp(96, 1, 0, 9))})
	if got := codecs(mustRead(t, file)); got != "opus" {
		t.Errorf("described in the file: %s", got)
	}
}

func TestDigits(t *testing.T) {
	var frames []frame
	for i, event := range []byte{1, 1, 1, 11, 11, 15, 16} {
		stamp := map[byte]uint32{1: 100, 11: 900, 15: 1700, 16: 2500}[event]
		frames = append(frames, frame{noon, ip(a4, b4, rtp(101, uint16(i), stamp, 9, event, 10, 0, 160))})
	}
	frames = append(frames, frame{noon, ip(a4, b4, rtp(101, 7, 3300, 9, 1, 10, 0, 160))})
	if c := mustRead(t, pcap(linkRaw, frames...)); c.RTP[0].Digits != "1#D1" {
		t.Errorf("the digits are %q", c.RTP[0].Digits)
	}
}

// What cannot be read is an error, and what could be is there.
func TestDamagedFiles(t *testing.T) {
	one, two := frame{noon, ip(a4, b4, rtp(0, 1, 0, 9))}, frame{noon, ip(a4, b4, rtp(0, 2, 160, 9))}
	whole := pcap(linkRaw, one, two)
	for name, c := range map[string]struct {
		file    []byte
		words   string
		packets int
	}{
		"empty":              {nil, "empty", 0},
		"text":               {[]byte("not a capture, but a text that is long enough"), "no capture", 0},
		"short header":       {whole[:20], "no capture", 0},
		"cut within a frame": {whole[:len(whole)-3], "middle of a packet, after 1 whole", 1},
		"cut within a head":  {whole[:24+16+len(one.data)+5], "middle of a packet, after 1 whole", 1},
		"other link type":    {pcap(105, one, two), "link type 105", 2},
		"cut pcapng":         {pcapng(t, linkRaw, one, two)[:200], "middle of a packet", -1},
		"pcapng that is not": {append(slices.Clone(sectionHeader), 1, 2, 3, 4, 5, 6), "no capture", 0},
	} {
		got, err := read(t, c.file)
		if err == nil || !strings.Contains(err.Error(), c.words) || c.packets >= 0 && got.Packets != c.packets {
			t.Errorf("%s: %d packets, %v", name, got.Packets, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := ReadCapture(ctx, bytes.NewReader(whole), nil); err == nil {
		t.Error("a cancelled reading goes on")
	}
}

func FuzzReadCapture(f *testing.F) {
	packet := ip(a4, b4, rtp(101, 1, 0, 9, 1, 2, 3, 4))
	f.Add(pcap(linkSLL2, frame{noon, linked(linkSLL2, packet)}))
	f.Add(pcap(linkEthernet, frame{noon, tagged(packet, 0x8100)}))
	for _, piece := range fragments(ip(a6, b6, make([]byte, 100)), 48) {
		f.Add(pcap(linkRaw, frame{noon, piece}))
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = ReadCapture(context.Background(), bytes.NewReader(data), nil)
	})
}

// tsharkStreams is what tshark says of the streams of a file.
func tsharkStreams(t *testing.T, path string) map[string][]float64 {
	t.Helper()
	program, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed")
	}
	out, err := exec.Command(program, "-r", path, "-q", "-z", "rtp,streams", "-d", "udp.port==16384,rtp", "-d", "udp.port==20000,rtp").Output()
	if err != nil {
		t.Fatal(err)
	}
	streams := map[string][]float64{}
	for line := range strings.Lines(string(out)) {
		// Start, end, source, port, destination, port, SSRC, payload, packets,
		// lost, (percent), deltas and jitters: minimum, mean, maximum.
		w := strings.Fields(line)
		if len(w) < 17 || !strings.HasPrefix(w[6], "0x") {
			continue
		}
		var numbers []float64
		for _, i := range []int{8, 9, 15, 16} {
			n, err := strconv.ParseFloat(w[i], 64)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			numbers = append(numbers, n)
		}
		streams[w[2]+":"+w[3]+" "+w[6]] = numbers
	}
	return streams
}

// What is said of streams agrees with tshark on the same file: packets, lost,
// mean and maximum of the jitter.
func TestAgreesWithTshark(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var frames []frame
	send := func(from, to netip.AddrPort, ssrc uint32, loss, wobble, swap float64) {
		sequence, stamp := uint16(65500), uint32(1<<32-8000) // both wrap
		var own []frame
		for i := range 500 {
			at := noon.Add(time.Duration(i)*20*time.Millisecond + time.Duration(wobble*rnd.Float64()*1e6)*time.Nanosecond)
			if i == 0 || rnd.Float64() >= loss {
				own = append(own, frame{at.Truncate(time.Microsecond), linked(linkSLL2, ip(from, to, rtp(0, sequence, stamp, ssrc, make([]byte, 160)...)))})
			}
			sequence, stamp = sequence+1, stamp+160
		}
		for i := 2; i < len(own)-1; i++ {
			if rnd.Float64() < swap {
				own[i].data, own[i+1].data = own[i+1].data, own[i].data
			}
		}
		frames = append(frames, own...)
	}
	send(a4, b4, 0x11111111, 0, 0, 0)
	send(b4, a4, 0x22222222, 0.05, 8, 0)
	send(a6, b6, 0x33333333, 0.2, 15, 0)
	send(b6, a6, 0x44444444, 0.01, 3, 0.02)
	slices.SortStableFunc(frames, func(a, b frame) int { return a.at.Compare(b.at) })
	path := filepath.Join(t.TempDir(), "x.pcap")
	if err := os.WriteFile(path, pcap(linkSLL2, frames...), 0o600); err != nil {
		t.Fatal(err)
	}
	theirs := tsharkStreams(t, path)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ours := mustRead(t, raw).Streams
	if len(theirs) != 4 || len(ours) != 4 {
		t.Fatalf("tshark has %v, and we have %d streams", theirs, len(ours))
	}
	for _, s := range ours {
		key := fmt.Sprintf("%s:%d 0x%08X", s.From.Addr(), s.From.Port(), s.SSRC)
		want, ok := theirs[key]
		if !ok {
			t.Errorf("tshark has no %s, but %v", key, theirs)
			continue
		}
		ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
		got := []float64{float64(s.Packets), float64(s.Lost), ms(s.JitterMean), ms(s.JitterMax)}
		t.Logf("%s: packets, lost, mean and maximum jitter: tshark %v, we %.3f", key, want, got)
		for i, tolerance := range []float64{0, 0, 0.002, 0.002} {
			if d := got[i] - want[i]; d > tolerance || d < -tolerance {
				t.Errorf("%s: number %d is %v, and tshark says %v", key, i, got[i], want[i])
			}
		}
	}
}
