//go:build interop

package interop

import (
	"maps"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"ringmaster/tests/asterisk"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// A call through Asterisk, captured by tcpdump and by the phone itself: tshark
// and analyze_capture say the same of the same file.
func TestCaptureThroughAsterisk(t *testing.T) {
	x := exchange{asterisk.Start(t)}
	tshark := need(t, "tshark")
	for mode, o := range map[string]mcpclient.Options{"tcpdump": {}, "own": {Env: []string{"PATH=/nowhere"}}} {
		t.Run(mode, func(t *testing.T) {
			covers(t, "capture by "+mode, "tshark")
			c := mcpclient.Start(t, programs, o)
			a := x.addOver(t, c, "a", "6001", mcpclient.Args{"capture_enabled": true})
			b := x.add(t, c, "b", "6002")
			atA, atB := phones.Talk(a, b, x.uri("6002"))
			a.Digits(b.Sends(atB, "12#"), atA, "12#")
			a.Receives(atA, phones.Talking)
			b.Do("hangup", mcpclient.Args{"call_id": atB})
			a.Ends(atA, 200)
			stopped, _ := a.Sees(0, "media.capture_stopped", nil)
			if got := stopped.Object("data").String("capture_mode"); got != mode {
				t.Skipf("the capture_mode is %s: this machine does not let tcpdump capture", got)
			}
			found := c.Must("analyze_capture", mcpclient.Args{"phone_id": "a", "call_id": atA})
			agree(t, tshark, found)
			made := c.Must("make_report", mcpclient.Args{"call_id": atA})
			if page, err := os.ReadFile(made.String("path")); err != nil || made.String("verdict") != "Completed" || !strings.Contains(string(page), "a receives") {
				t.Errorf("the report: %s, %v", made.Text, err)
			}
			var digits string
			for _, f := range found.List("rtp_flows") {
				if d, ok := f.Fields["digits"].(string); ok && f.Int("dst_port") == found.Int("phone_rtp_port") {
					digits += d
				}
			}
			if digits != "12#" {
				t.Errorf("the digits in the capture are %q", digits)
			}
		})
	}
}

// agree compares what went each way through the phone's own port with what
// tshark finds there: packets and lost. A peer may send as several sources one
// after the other, as Asterisk does that changes what it relays.
func agree(t *testing.T, tshark string, found mcpclient.Answer) {
	t.Helper()
	port := strconv.Itoa(found.Int("phone_rtp_port"))
	out, err := exec.Command(tshark, "-r", found.String("path"), "-q", "-d", "udp.port=="+port+",rtp", "-z", "rtp,streams").Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	type sums struct{ packets, lost int }
	theirs, ours := map[string]sums{}, map[string]sums{}
	sources := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		// Start, end, source, port, destination, port, SSRC, payloads (with
		// commas between them), packets, lost.
		w := strings.Fields(strings.ReplaceAll(line, ", ", ","))
		if len(w) < 10 || w[3] != port && w[5] != port {
			continue
		}
		packets, err := strconv.Atoi(w[8])
		lost, err2 := strconv.Atoi(w[9])
		if err != nil || err2 != nil {
			t.Fatalf("tshark says %q", line)
		}
		way := w[3] + " to " + w[5]
		theirs[way] = sums{theirs[way].packets + packets, theirs[way].lost + lost}
		sources[strings.ToLower(w[6])] = true
	}
	for _, f := range found.List("rtp_flows") {
		from, to := strconv.Itoa(f.Int("src_port")), strconv.Itoa(f.Int("dst_port"))
		if from != port && to != port {
			continue
		}
		way := from + " to " + to
		// Flows of one way share its sources and what they lost.
		ours[way] = sums{ours[way].packets + f.Int("count"), max(ours[way].lost, f.Int("lost"))}
		if !sources[f.String("ssrc")] {
			t.Errorf("analyze_capture has the source %s, tshark %v", f.String("ssrc"), sources)
		}
	}
	t.Logf("packets and lost: tshark %v of %d sources, analyze_capture %v", theirs, len(sources), ours)
	if len(theirs) < 2 || !maps.Equal(ours, theirs) {
		t.Errorf("tshark says %v, analyze_capture %v", theirs, ours)
	}
}
