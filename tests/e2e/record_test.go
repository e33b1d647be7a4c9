package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

func TestWaitForEvent(t *testing.T) {
	t.Parallel()
	c, a, b := pair(t)
	made := a.Do("make_call", mcpclient.Args{"dest_uri": b.URI()})
	rings, cursor := b.Sees(made.Int("cursor"), "call.state.incoming", mcpclient.Args{"remote_uri": "~sip:a@"})
	if rings.String("phone_id") != "b" || rings.Object("data").String("state") != "incoming" {
		t.Errorf("b saw %s", rings.Text)
	}
	nothing := c.Must("wait_for_event", mcpclient.Args{"type": "dtmf.in", "phone_id": "b", "after": cursor, "timeout_ms": 50})
	if !nothing.Bool("timed_out") || nothing.Fields["event"] != nil || nothing.Int("cursor") < cursor {
		t.Errorf("waiting in vain answers %s", nothing.Text)
	}
	rejected := b.Do("reject_call", mcpclient.Args{"call_id": rings.Int("call_id")})
	over, _ := a.Sees(rejected.Int("cursor"), "call.state.*", mcpclient.Args{"last_status": "4xx"})
	if over.String("type") != "call.state.disconnected" || over.Int("call_id") != made.Int("call_id") {
		t.Errorf("a saw %s", over.Text)
	}
}

// The log is what was on the wire: what one phone sent the other received, byte
// for byte; and it stays when the phone goes.
func TestSIPLog(t *testing.T) {
	t.Parallel()
	c, a, b := pair(t)
	atA, atB := phones.Talk(a, b, b.URI())
	a.Do("hangup", mcpclient.Args{"call_id": atA})
	b.Ends(atB, 200)
	a.Ends(atA, 200)
	bodies := func(call int, direction string) []string {
		var list []string
		for _, e := range c.Must("get_sip_log", mcpclient.Args{"call_id": call, "direction": direction}).List("entries") {
			_, body, _ := strings.Cut(e.String("msg"), "\n")
			list = append(list, body)
		}
		return list
	}
	for _, way := range []struct {
		from, to int
		sender   string
	}{{atA, atB, "a"}, {atB, atA, "b"}} {
		sent, received := bodies(way.from, "TX"), bodies(way.to, "RX")
		if len(sent) == 0 || strings.Join(sent, "|") != strings.Join(received, "|") {
			t.Errorf("%s sent\n%q\nand what was received is\n%q", way.sender, sent, received)
		}
	}
	bye := c.Must("get_sip_log", mcpclient.Args{"phone_id": "a", "method": "BYE"}).List("entries")
	if len(bye) != 2 || !strings.Contains(bye[0].String("msg"), " TX ") || !strings.Contains(bye[0].String("msg"), fmt.Sprintf("to UDP 127.0.0.1:%d:\nBYE sip:b@127.0.0.1:%d SIP/2.0\r\n", b.Port, b.Port)) {
		t.Errorf("a's BYE and its answer are %v", bye)
	}
	before := c.Must("get_sip_log", mcpclient.Args{"phone_id": "a"})
	c.Must("drop_phone", mcpclient.Args{"phone_id": "a"})
	if after := c.Must("get_sip_log", mcpclient.Args{"phone_id": "a"}); after.Text != before.Text {
		t.Errorf("after drop_phone the log is %s", after.Text)
	}
	unknown := c.Must("get_call_messages", mcpclient.Args{"call_id": 424242})
	if !strings.Contains(unknown.String("warning"), "424242") || unknown.Int("total_count") != 0 {
		t.Errorf("an unknown call has %s", unknown.Text)
	}
}

func TestListRecordings(t *testing.T) {
	t.Parallel()
	c, a, b := pair(t)
	var path string
	for range 2 {
		atA, _ := phones.Talk(a, b, b.URI())
		b.Receives(active(t, b), 0)
		a.Do("hangup", mcpclient.Args{"call_id": atA})
		a.Recording(atA)
		path = a.Do("get_call_info", mcpclient.Args{"call_id": atA}).String("recording_file")
	}
	list := c.Must("list_recordings", mcpclient.Args{"phone_id": "a"}).List("recordings")
	if len(list) != 2 || list[0].String("file_path") != path || list[0].String("filename") != filepath.Base(path) || list[0].String("phone_id") != "a" {
		t.Fatalf("the recordings of a are %v, want %s first", list, path)
	}
	info, err := os.Stat(path)
	if err != nil || list[0].Int("file_size") != int(info.Size()) {
		t.Errorf("%s: %v", list[0].Text, err)
	}
	if meta := strings.TrimSuffix(path, ".wav") + ".meta.json"; list[0].String("meta_path") != meta {
		t.Errorf("its sidecar is %s, want %s", list[0].String("meta_path"), meta)
	}
	older := c.Must("list_recordings", mcpclient.Args{"phone_id": "a", "call_id": list[1].Int("call_id")}).List("recordings")
	if len(older) != 1 || older[0].String("file_path") != list[1].String("file_path") {
		t.Errorf("of the first call there are %v", older)
	}
}
