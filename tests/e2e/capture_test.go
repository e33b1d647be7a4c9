package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// withoutTcpdump makes a machine without tcpdump of this one.
var withoutTcpdump = mcpclient.Options{Env: []string{"PATH=/nowhere"}}

// capturing starts a server with phones a, which captures, and b.
func capturing(t *testing.T, o mcpclient.Options) (c *mcpclient.Client, a, b *phones.Phone) {
	t.Helper()
	c = mcpclient.Start(t, programs, o)
	a = phones.Add(t, c, "a", mcpclient.Args{"register": false, "capture_enabled": true})
	return c, a, phones.AddDirect(t, c, "b")
}

// analysis is what analyze_capture says of a capture that has an analysis.
func analysis(t *testing.T, c *mcpclient.Client, args mcpclient.Args) mcpclient.Answer {
	t.Helper()
	answer := c.Must("analyze_capture", args)
	if reason, failed := answer.Fields["error"].(string); failed {
		t.Fatalf("analyze_capture: %s", reason)
	}
	return answer
}

// counted is how many packets of RTP a capture has from and to a port.
func counted(of mcpclient.Answer, port int) (from, to int) {
	for _, f := range of.List("rtp_flows") {
		if f.Int("src_port") == port {
			from += f.Int("count")
		}
		if f.Int("dst_port") == port {
			to += f.Int("count")
		}
	}
	return from, to
}

// conversation is a call of a second with sound both ways; it returns what is
// known of a's end in the end.
func conversation(a, b *phones.Phone) mcpclient.Answer {
	atA, atB := phones.Talk(a, b, b.URI())
	a.Plays(atA, 600)
	b.Plays(atB, 1000)
	a.Receives(atA, phones.Talking)
	b.Receives(atB, phones.Talking)
	a.Do("hangup", mcpclient.Args{"call_id": atA})
	b.Ends(atB, 200)
	return a.Ends(atA, 200)
}

// A call is captured, by tcpdump or by the phone itself: both directions, with
// their codec, in a file that is paired with the recording.
func TestCallIsCaptured(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]mcpclient.Options{"as this machine can": {}, "own": withoutTcpdump} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, a, b := capturing(t, o)
			info := conversation(a, b)
			stopped, _ := a.Sees(0, "media.capture_stopped", nil)
			mode := stopped.Object("data").String("capture_mode")
			if name == "own" && mode != "own" {
				t.Errorf("without tcpdump the capture_mode is %q", mode)
			}
			call := info.Int("call_id")
			found := analysis(t, c, mcpclient.Args{"phone_id": "a", "call_id": call})
			path := found.String("path")
			wav := info.String("recording_file")
			if strings.TrimSuffix(filepath.Base(path), ".pcap") != strings.TrimSuffix(filepath.Base(wav), ".wav") {
				t.Errorf("the capture is %s, the recording %s", path, wav)
			}
			if side := a.Sidecar(call); side["pcap"] != path {
				t.Errorf("the sidecar's pcap is %v", side["pcap"])
			}
			port := found.Int("phone_rtp_port")
			from, to := counted(found, port)
			rtp := info.Object("rtp")
			tx, rx := rtp.Int("tx_packets"), rtp.Int("rx_packets")
			t.Logf("%s: %d of %d packets sent, %d of %d received", mode, from, tx, to, rx)
			// The phone counts until its call ends; what the far end sends on its
			// last way is captured, and more of it the busier the machine is.
			const onItsWay = 10
			if mode == "own" && (from != tx || to < rx) || from < tx*9/10 || to < rx*9/10 || from > tx || to > rx+onItsWay {
				t.Errorf("the capture has %d packets of RTP from the phone, which sent %d, and %d to it, which got %d", from, tx, to, rx)
			}
			if seen := found.Fields["phone_rtp_codecs_seen"]; fmt.Sprint(seen) != "["+info.String("codec")+"]" {
				t.Errorf("the codecs are %v, and the call's is %s", seen, info.String("codec"))
			}
			tshark(t, path, mode == "own")
		})
	}
}

// tshark reads a capture: a stream of RTP each way (tcpdump also has those of
// others on this machine), a BYE and its answer. In a capture of the phone's own
// packets, which have headers of our making, there is nothing to complain of.
func tshark(t *testing.T, path string, own bool) {
	t.Helper()
	program, err := exec.LookPath("tshark")
	if err != nil {
		t.Log("tshark is not installed: it is not asked")
		return
	}
	out, err := exec.Command(program, "-r", path, "-o", "udp.check_checksum:TRUE", "-o", "rtp.heuristic_rtp:TRUE", "-T", "fields",
		"-o", "ip.check_checksum:TRUE",
		"-e", "sip.Method", "-e", "sip.Status-Code", "-e", "rtp.ssrc", "-e", "udp.checksum.status", "-e", "ip.checksum.status", "-e", "_ws.expert.severity").Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	methods, sources := map[string]int{}, map[string]int{}
	for line := range strings.Lines(string(out)) {
		w := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(w) < 6 {
			continue
		}
		const good, warning = "1", 6291456 // values of tshark's
		if severity, _ := strconv.Atoi(strings.Split(w[5]+",", ",")[0]); own && (w[3] != good || w[4] != good || severity >= warning) {
			t.Errorf("tshark complains of %q", w)
		}
		methods[w[0]+w[1]]++
		if w[2] != "" {
			sources[w[2]]++
		}
	}
	if len(sources) < 2 || methods["BYE"] == 0 || methods["200"] == 0 {
		t.Errorf("tshark sees the sources %v, and of SIP %v", sources, methods)
	}
}

func TestCaptureSwitchedDuringACall(t *testing.T) {
	t.Parallel()
	c, a, b := pair(t)
	atA, _ := phones.Talk(a, b, b.URI())
	c.Must("analyze_capture", mcpclient.Args{"phone_id": "a"})
	if none := c.Must("analyze_capture", mcpclient.Args{"phone_id": "a"}); !strings.Contains(none.String("error"), "no capture for phone=a") {
		t.Errorf("before there is one: %s", none.Text)
	}
	on := c.Must("update_phone", mcpclient.Args{"phone_id": "a", "capture_enabled": true})
	if mode := on.String("capture_mode"); !on.Bool("capture_enabled") || mode != "tcpdump" && mode != "own" {
		t.Errorf("update_phone answers %s", on.Text)
	}
	a.Receives(atA, phones.Talking)
	c.Must("update_phone", mcpclient.Args{"phone_id": "a", "capture_enabled": false})
	found := analysis(t, c, mcpclient.Args{"phone_id": "a", "call_id": atA})
	if len(found.List("rtp_flows")) == 0 {
		t.Errorf("nothing was captured: %s", found.Text)
	}
	a.Receives(atA, phones.Talking)
	if after := analysis(t, c, mcpclient.Args{"phone_id": "a"}); after.Int("total_packets") != found.Int("total_packets") {
		t.Errorf("switched off, the capture grew from %d to %d packets", found.Int("total_packets"), after.Int("total_packets"))
	}
}

func TestCaptureOnRequest(t *testing.T) {
	t.Parallel()
	c, a, b := pair(t)
	c.MustFail("stop_capture", mcpclient.Args{"phone_id": "a"}, "start_capture")
	started := c.Must("start_capture", mcpclient.Args{"phone_id": "a"})
	c.MustFail("start_capture", mcpclient.Args{"phone_id": "a"}, "stop_capture")
	conversation(a, b)
	stopped := c.Must("stop_capture", mcpclient.Args{"phone_id": "a"})
	name := started.String("filename")
	info, err := os.Stat(filepath.Join(c.Captures, "a", name))
	if err != nil || stopped.String("filename") != name || stopped.Int("file_size") != int(info.Size()) || !strings.HasPrefix(name, "capture_") {
		t.Errorf("start_capture answers %s, stop_capture %s: %v", started.Text, stopped.Text, err)
	}
	if found := analysis(t, c, mcpclient.Args{"phone_id": "a"}); filepath.Base(found.String("path")) != name || len(found.List("rtp_flows")) < 2 {
		t.Errorf("analyze_capture answers %s", found.Text)
	}
}

// tcpdumps are the processes of that name whose parent is a worker.
func tcpdumps(t *testing.T, worker int) []int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", worker, worker))
	if err != nil {
		t.Skipf("the system does not tell a process's children: %v", err)
	}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", worker))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		more, err := os.ReadFile(task)
		if err == nil {
			raw = append(raw, more...)
		}
	}
	var found []int
	for _, word := range strings.Fields(string(raw)) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil && strings.TrimSpace(string(name)) == "tcpdump" && !slices.Contains(found, pid) {
			found = append(found, pid)
		}
	}
	return found
}

// A killed worker takes its tcpdump along, and its capture can be read.
func TestKilledWorkerLeavesACapture(t *testing.T) {
	t.Parallel()
	c, a, b := capturing(t, mcpclient.Options{})
	atA, _ := phones.Talk(a, b, b.URI())
	a.Receives(atA, phones.Talking)
	started, _ := a.Sees(0, "media.capture_started", nil)
	worker := workerPID(c, "a")
	children := tcpdumps(t, worker)
	if started.Object("data").String("capture_mode") == "tcpdump" && len(children) != 1 {
		t.Errorf("the worker's tcpdumps are %v", children)
	}
	if err := syscall.Kill(worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for _, pid := range children {
		awaitGone(t, pid)
	}
	found := analysis(t, c, mcpclient.Args{"phone_id": "a", "call_id": atA})
	if len(found.List("rtp_flows")) < 2 {
		t.Errorf("analyze_capture answers %s", found.Text)
	}
}

// A phone has one capture for as long as it has a call, which its calls share;
// switched off and on again, it begins another, named after the oldest call
// that there is, with nothing of before in it.
func TestCallsShareACapture(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]mcpclient.Options{"as this machine can": {}, "own": withoutTcpdump} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, a, b := capturing(t, o)
			d := phones.AddDirect(t, c, "d")
			first, atB := phones.Talk(a, b, b.URI())
			second, atD := phones.Talk(a, d, d.URI())
			a.Do("conference", mcpclient.Args{"call_ids": []int{first, second}})
			a.Receives(second, phones.Talking)
			inConference := pcaps(t, c)
			if len(inConference) != 1 || !strings.HasPrefix(inConference[0], fmt.Sprintf("call_%d_", first)) {
				t.Errorf("in the conference there are %q", inConference)
			}
			b.Do("hangup", mcpclient.Args{"call_id": atB})
			a.Ends(first, 200)
			c.Must("update_phone", mcpclient.Args{"phone_id": "a", "capture_enabled": false})
			switched := time.Now().Truncate(time.Millisecond)
			c.Must("update_phone", mcpclient.Args{"phone_id": "a", "capture_enabled": true})
			a.Receives(second, phones.Talking)
			d.Do("hangup", mcpclient.Args{"call_id": atD})
			a.Ends(second, 200)
			a.Sees(0, "media.capture_stopped", mcpclient.Args{"file": "~call_" + fmt.Sprint(second) + "_"})
			later := pcaps(t, c)
			if len(later) != 2 || !slices.Contains(later, inConference[0]) || !strings.HasPrefix(later[1], fmt.Sprintf("call_%d_", second)) {
				t.Fatalf("in the end there are %q", later)
			}
			if side, want := a.Sidecar(first), filepath.Join(c.Captures, "a", later[0]); side["pcap"] != want {
				t.Errorf("the sidecar of the first call points to %v, not %s", side["pcap"], want)
			}
			if wav := a.Do("get_call_info", mcpclient.Args{"call_id": first}).String("recording_file"); strings.TrimSuffix(filepath.Base(wav), ".wav")+".pcap" != later[0] {
				t.Errorf("the first call's recording is %s, its capture %s", wav, later[0])
			}
			if side, want := a.Sidecar(second), filepath.Join(c.Captures, "a", later[1]); side["pcap"] != want {
				t.Errorf("the sidecar of the second call points to %v, not %s", side["pcap"], want)
			}
			flows := analysis(t, c, mcpclient.Args{"phone_id": "a", "call_id": second}).List("rtp_flows")
			if len(flows) == 0 {
				t.Error("the second capture has no RTP")
			}
			for _, f := range flows {
				if at, err := time.Parse(time.RFC3339, f.String("first_time")); err != nil || at.Before(switched) {
					t.Errorf("switched on at %v, the capture has a packet of %s", switched, f.String("first_time"))
				}
			}
		})
	}
}

// pcaps are the names of phone a's captures, in order.
func pcaps(t *testing.T, c *mcpclient.Client) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(c.Captures, "a"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// noise sends what looks like RTP from one port of this machine to another
// until stop is called, and tells the port that it goes to.
func noise(t *testing.T) (port int, stop func()) {
	t.Helper()
	to, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	from, err := net.Dial("udp4", to.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		packet := make([]byte, 172)
		packet[0], packet[1] = 0x80, 8
		for {
			select {
			case <-tick.C:
				packet[3]++
				if _, err := from.Write(packet); err != nil {
					return
				}
			case <-done:
				return
			}
		}
	}()
	return to.LocalAddr().(*net.UDPAddr).Port, func() {
		close(done)
		<-ended
		from.Close()
		to.Close()
	}
}

// With capture_filter phone a capture has what the phone sent and received,
// all of it, and nothing else of the machine; until the filter is changed.
func TestCaptureOfThePhoneAlone(t *testing.T) {
	t.Parallel()
	strange, stop := noise(t)
	defer stop()
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	a := phones.Add(t, c, "a", mcpclient.Args{"register": false, "capture_enabled": true, "capture_filter": "phone"})
	if got := c.Must("get_phone", mcpclient.Args{"phone_id": "a"}).String("capture_filter"); got != "phone" {
		t.Errorf("the capture_filter of a is %q", got)
	}
	info := conversation(a, phones.AddDirect(t, c, "b"))
	stopped, _ := a.Sees(0, "media.capture_stopped", nil)
	mode := stopped.Object("data").String("capture_mode")
	found := analysis(t, c, mcpclient.Args{"phone_id": "a", "call_id": info.Int("call_id")})
	port := found.Int("phone_rtp_port")
	from, to := counted(found, port)
	if rtp := info.Object("rtp"); from < rtp.Int("tx_packets")*9/10 || to < rtp.Int("rx_packets")*9/10 {
		t.Errorf("%d of %d packets sent are there, %d of %d received", from, rtp.Int("tx_packets"), to, rtp.Int("rx_packets"))
	}
	for _, f := range found.List("rtp_flows") {
		if f.Int("src_port") != port && f.Int("dst_port") != port {
			t.Errorf("the capture has others' packets too: %s", f.Text)
		}
	}
	tshark(t, found.String("path"), mode == "own")

	if mode != "tcpdump" {
		t.Skipf("capture_mode is %q here: nobody else's packets would be seen", mode)
	}
	c.Must("start_capture", mcpclient.Args{"phone_id": "a"})
	if got := c.Must("update_phone", mcpclient.Args{"phone_id": "a", "capture_filter": "udp"}).String("capture_filter"); got != "udp" {
		t.Errorf("update_phone answers %q", got)
	}
	c.Until(10*time.Second, "the packets of others", "analyze_capture", mcpclient.Args{"phone_id": "a"}, func(a mcpclient.Answer) bool {
		_, to := counted(a, strange)
		return to > 0
	})
	c.Must("stop_capture", mcpclient.Args{"phone_id": "a"})
	c.MustFail("update_phone", mcpclient.Args{"phone_id": "a", "capture_filter": "tcp"}, "capture_filter must be udp or phone")
}
