package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"go.uber.org/goleak"
)

// TestMain is also the tcpdump of the tests: with FAKE_TCPDUMP set, this
// program does what that says.
func TestMain(m *testing.M) {
	if how := os.Getenv("FAKE_TCPDUMP"); how != "" {
		fakeTcpdump(how)
		return
	}
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// fakeTcpdump writes three records, the last in two pieces, and stays until it
// is told to end.
func fakeTcpdump(how string) {
	out := os.NewFile(1, "stdout")
	switch how {
	case "refused":
		fmt.Fprintln(os.Stderr, "tcpdump: any: You don't have permission to capture on that device")
		return
	case "rubbish":
		_, _ = out.Write(bytes.Repeat([]byte("no pcap. "), 10))
	case "silent":
	default:
		stream := pcapStream(binary.BigEndian, time.Now().Add(time.Hour), 3)
		_, _ = out.Write(stream[:len(stream)-5])
		_, _ = out.Write(stream[len(stream)-5:])
		if how == "half a record" {
			_, _ = out.Write(stream[fileHeader : fileHeader+20])
			return
		}
	}
	_, _ = io.Copy(io.Discard, os.NewFile(0, "stdin"))
	select {}
}

// pcapStream is a capture with n records of RAW packets, a second apart.
func pcapStream(order binary.ByteOrder, from time.Time, n int) []byte {
	out := make([]byte, fileHeader)
	order.PutUint32(out, magicMicros)
	order.PutUint16(out[4:], 2)
	order.PutUint16(out[6:], 4)
	order.PutUint32(out[16:], longestRecord)
	order.PutUint32(out[20:], 101)
	for i := range n {
		record := make([]byte, recordHeader+40+i)
		order.PutUint32(record, uint32(from.Unix()+int64(i)))
		order.PutUint32(record[8:], uint32(40+i))
		order.PutUint32(record[12:], uint32(40+i))
		out = append(out, record...)
	}
	return out
}

// witness keeps what a capture reports.
type witness struct {
	opened chan string
	failed chan error
	closed chan Result
}

func start(t *testing.T, c *Captures) (*Capture, witness) {
	t.Helper()
	w := witness{make(chan string, 1), make(chan error, 1), make(chan Result, 1)}
	p, err := c.Start(Reports{
		Opened: func(m Mode, why string) { w.opened <- string(m) + " " + why },
		Failed: func(err error) { w.failed <- err },
		Closed: func(r Result) { w.closed <- r },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p, w
}

func next[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s came", what)
		panic("unreachable")
	}
}

// fake is a phone's captures with a made-up tcpdump.
func fake(t *testing.T, how string) *Captures {
	t.Helper()
	t.Setenv("FAKE_TCPDUMP", how)
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	c := New(Config{Program: os.Args[0]})
	t.Cleanup(c.Close)
	return c
}

type seen struct {
	at       time.Time
	from, to string
	payload  string
}

// read reads a capture of Ethernet frames, whole records only.
func read(t *testing.T, path string) []seen {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if r.LinkType() != layers.LinkTypeEthernet {
		t.Fatalf("the link type is %v", r.LinkType())
	}
	var all []seen
	for {
		data, info, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		p := gopacket.NewPacket(data, layers.LinkTypeEthernet, gopacket.Default)
		udp, ok := p.TransportLayer().(*layers.UDP)
		if !ok || p.ErrorLayer() != nil {
			t.Fatalf("a record is %v", p)
		}
		if err := udp.SetNetworkLayerForChecksum(p.NetworkLayer()); err != nil {
			t.Fatal(err)
		}
		if err, wrong := p.VerifyChecksums(); err != nil || len(wrong) > 0 {
			t.Errorf("checksums: %v %v", err, wrong)
		}
		from, to := p.NetworkLayer().NetworkFlow().Endpoints()
		all = append(all, seen{
			info.Timestamp, net.JoinHostPort(from.String(), fmt.Sprint(int(udp.SrcPort))),
			net.JoinHostPort(to.String(), fmt.Sprint(int(udp.DstPort))), string(udp.Payload),
		})
	}
}

var (
	here  = netip.MustParseAddrPort("192.0.2.1:16384")
	there = netip.MustParseAddrPort("[::ffff:192.0.2.2]:4000")
	six   = netip.MustParseAddrPort("[fe80::1%eth0]:5060")
	sixth = netip.MustParseAddrPort("[2001:db8::2]:5062")
)

// Where tcpdump is missing, refused or silent, the phone writes the same file
// itself, with what came while that was found out.
func TestOwnPackets(t *testing.T) {
	for how, why := range map[string]string{
		"refused": "You don't have permission to capture on that device",
		"missing": "tcpdump cannot be started",
	} {
		t.Run(how, func(t *testing.T) {
			c := fake(t, how)
			if how == "missing" {
				c.cfg.Program = filepath.Join(t.TempDir(), "none")
			}
			p, w := start(t, c)
			c.Taps().Datagram(time.Now(), here, there, []byte("before"))
			path := filepath.Join(t.TempDir(), "a", "call_1_x.pcap")
			p.Open(path)
			at := time.Now()
			c.Taps().Datagram(at, here, there, []byte("out"))
			c.Taps().Datagram(at, six, sixth, bytes.Repeat([]byte("6"), 3000))
			if mode := next(t, "mode", w.opened); !strings.HasPrefix(mode, "own ") || !strings.Contains(mode, why) {
				t.Errorf("opened as %q", mode)
			}
			c.Taps().Datagram(at, there, here, []byte("in"))
			p.Stop(0)
			result := next(t, "end", w.closed)
			got := read(t, path)
			want := []seen{
				{at, "192.0.2.1:16384", "192.0.2.2:4000", "out"},
				{at, "[fe80::1]:5060", "[2001:db8::2]:5062", strings.Repeat("6", 3000)},
				{at, "192.0.2.2:4000", "192.0.2.1:16384", "in"},
			}
			if len(got) != len(want) {
				t.Fatalf("the file has %v", got)
			}
			for i := range want {
				if !got[i].at.Equal(at.UTC().Truncate(time.Microsecond)) {
					t.Errorf("packet %d is of %v, not %v", i, got[i].at, at)
				}
				got[i].at = want[i].at
				if got[i] != want[i] {
					t.Errorf("packet %d is %v", i, got[i])
				}
			}
			info, err := os.Stat(path)
			if err != nil || result != (Result{Path: path, Mode: Own, Bytes: info.Size()}) {
				t.Errorf("result %+v, file %v %v", result, info.Size(), err)
			}
			if c.Taps().On() {
				t.Error("the taps are still on")
			}
		})
	}
}

// tcpdump's stream is written byte for byte, in whole records.
func TestTcpdumpsPackets(t *testing.T) {
	c := fake(t, "well")
	p, w := start(t, c)
	path := filepath.Join(t.TempDir(), "x.pcap")
	p.Open(path)
	if mode := next(t, "mode", w.opened); mode != "tcpdump " {
		t.Errorf("opened as %q", mode)
	}
	awaitSize(t, path, fileHeader+3*recordHeader+40+41+42)
	if c.Taps().On() {
		t.Error("the phone's own datagrams are still asked for")
	}
	p.Stop(time.Hour)
	p.Stop(0)
	result := next(t, "end", w.closed)
	raw, err := os.ReadFile(path)
	if err != nil || result.Bytes != int64(len(raw)) || result.Mode != Tcpdump {
		t.Errorf("result %+v, %v", result, err)
	}
	r, err := pcapgo.NewReader(bytes.NewReader(raw))
	if err != nil || r.LinkType() != layers.LinkTypeRaw {
		t.Errorf("%v %v", r, err)
	}
}

func awaitSize(t *testing.T, path string, size int64) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if info, err := os.Stat(path); err == nil && info.Size() >= size {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s never has %d bytes", path, size)
		}
	}
}

// A tcpdump that dies or writes what is none ends the capture with an error
// and a file of whole records.
func TestTcpdumpFails(t *testing.T) {
	t.Run("dies", func(t *testing.T) {
		c := fake(t, "half a record")
		p, w := start(t, c)
		path := filepath.Join(t.TempDir(), "x.pcap")
		p.Open(path)
		if err := next(t, "error", w.failed); !strings.Contains(err.Error(), "tcpdump has ended") {
			t.Error(err)
		}
		if r := next(t, "end", w.closed); r.Path != "" && r.Bytes != fileHeader+3*recordHeader+40+41+42 {
			t.Errorf("result %+v", r)
		}
	})
	t.Run("rubbish", func(t *testing.T) {
		c := fake(t, "rubbish")
		_, w := start(t, c)
		if err := next(t, "error", w.failed); !errors.Is(err, errNoPcap) {
			t.Error(err)
		}
		if r := next(t, "end", w.closed); r.Path != "" {
			t.Errorf("result %+v", r)
		}
	})
}

// Close ends what is open at once, a tcpdump that says nothing too, and leaves
// no file of a capture that was never opened.
func TestClose(t *testing.T) {
	c := fake(t, "silent")
	p, w := start(t, c)
	path := filepath.Join(t.TempDir(), "x.pcap")
	_, w2 := start(t, c)
	p.Open(path)
	c.Close()
	if r := next(t, "end", w.closed); r.Path != path || r.Mode != Own || len(read(t, path)) != 0 {
		t.Errorf("result %+v", r)
	}
	if r := next(t, "end", w2.closed); r.Path != "" {
		t.Errorf("result %+v", r)
	}
	if _, err := c.Start(Reports{}); !errors.Is(err, ErrClosed) {
		t.Errorf("a capture after Close: %v", err)
	}
}

func TestFileThatCannotBe(t *testing.T) {
	c := fake(t, "refused")
	p, w := start(t, c)
	path := filepath.Join(t.TempDir(), "x.pcap")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Open(path)
	if err := next(t, "error", w.failed); !errors.Is(err, os.ErrExist) {
		t.Error(err)
	}
	next(t, "end", w.closed)
	if raw, err := os.ReadFile(path); err != nil || string(raw) != "mine" {
		t.Errorf("%q %v", raw, err)
	}
}

// The real tcpdump, where there is one that may capture.
func TestRealTcpdump(t *testing.T) {
	c := New(Config{})
	defer c.Close()
	p, w := start(t, c)
	path := filepath.Join(t.TempDir(), "x.pcap")
	p.Open(path)
	if mode := next(t, "mode", w.opened); mode != "tcpdump " {
		t.Skipf("tcpdump cannot capture on this machine: %s", mode)
	}
	b, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	a, err := net.DialUDP("udp4", nil, b.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	const packets = 300
	for range packets {
		if _, err := a.Write(make([]byte, 172)); err != nil {
			t.Fatal(err)
		}
	}
	// Each is 172 bytes of payload after IP, UDP and the header of LINUX_SLL2.
	awaitSize(t, path, packets*(172+28+16))
	p.Stop(0)
	if r := next(t, "end", w.closed); r.Mode != Tcpdump || r.Dropped != 0 {
		t.Errorf("result %+v", r)
	}
	if out, err := exec.Command("tcpdump", "-n", "-r", path, "udp", "and", "port", fmt.Sprint(b.LocalAddr().(*net.UDPAddr).Port)).Output(); err != nil || bytes.Count(out, []byte("\n")) != packets {
		t.Errorf("it reads back as %d lines, %v", bytes.Count(out, []byte("\n")), err)
	}
}
