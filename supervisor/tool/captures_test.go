package tool

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ringmaster/proto/phone"
)

// talk is a capture of a call in PCMA between the ports 16384 and 20000, with
// what else there may be.
func talk() []byte {
	file := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	file = append(file, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0)
	add := func(ms int64, from, to uint16, payload ...byte) {
		udp := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, from), to)
		udp = append(binary.BigEndian.AppendUint16(udp, uint16(8+len(payload))), 0, 0)
		udp = append(udp, payload...)
		ip := append([]byte{0x45, 0}, binary.BigEndian.AppendUint16(nil, uint16(20+len(udp)))...)
		ip = append(ip, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2)
		ip = append(ip, udp...)
		at := now.Add(time.Duration(ms) * time.Millisecond)
		for _, n := range []uint32{uint32(at.Unix()), uint32(at.Nanosecond() / 1000), uint32(len(ip)), uint32(len(ip))} {
			file = binary.LittleEndian.AppendUint32(file, n)
		}
		file = append(file, ip...)
	}
	rtp := func(payloadType byte, sequence uint16, stamp uint32, payload ...byte) []byte {
		p := binary.BigEndian.AppendUint16([]byte{0x80, payloadType}, sequence)
		p = binary.BigEndian.AppendUint32(p, stamp)
		return append(append(p, 0xca, 0xfe, 0, payloadType&1), payload...)
	}
	for i := range int64(5) {
		if i != 3 {
			add(20*i, 16384, 20000, rtp(8, uint16(i), uint32(160*i), 1, 2)...)
		}
		add(20*i+i, 20000, 16384, rtp(18, uint16(i), uint32(160*i), 1, 2)...)
	}
	add(100, 16384, 20000, rtp(120, 5, 800, 7, 10, 0, 160)...)
	add(120, 5353, 6000, rtp(97, 1, 1, 1)...)
	add(130, 16385, 20001, 0x80, 200, 0, 1, 0, 0, 0, 0)
	return file
}

func TestAnalyzeCapture(t *testing.T) {
	pin(t, "analyze_capture", func(a *answers) {
		f := newFake("a", "b")
		st := f.phones["a"]
		st.Settings.Codecs = []string{"pcma/8000", "opus"}
		f.put(st)
		s := newSet(f)
		s.o.Recordings, s.o.Captures = filepath.Join(t.TempDir(), "recordings"), filepath.Join(t.TempDir(), "captures")
		s.o.HostPaths = []HostPath{{Inside: s.o.Captures, Host: "/host/captures"}}
		put := func(path string, data []byte) {
			t.Helper()
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		sidecar := func(id string) {
			put(filepath.Join(s.o.Recordings, id, "call_0_x.meta.json"),
				fmt.Appendf(nil, `{"call_id": 0, "pcap": %q, "local_rtp_port": 16384}`, filepath.Join(s.o.Captures, id, "call_0_x.pcap")))
		}
		a.add(s, "no folder yet", `{"phone_id": "a"}`)
		put(filepath.Join(s.o.Captures, "a", "call_0_x.pcap"), talk())
		a.add(s, "without a sidecar", `{"phone_id": "a"}`)
		sidecar("a")
		a.add(s, "codecs that the phone does not have are on its port", `{"phone_id": "a", "call_id": 0}`)
		a.add(s, "another call", `{"phone_id": "a", "call_id": 7}`)
		put(filepath.Join(s.o.Captures, "gone", "call_0_x.pcap"), talk())
		sidecar("gone")
		a.add(s, "a phone that is gone", `{"phone_id": "gone", "call_id": 0}`)
		put(filepath.Join(s.o.Captures, "b", "call_0_x.pcap"), []byte("root:x:0:0: this is a text, and nothing of it is shown"))
		a.add(s, "no capture at all", `{"phone_id": "b"}`)
		put(filepath.Join(s.o.Captures, "b", "call_0_x.pcap"), talk()[:200])
		a.add(s, "cut off", `{"phone_id": "b"}`)
		a.add(s, "an invalid phone_id", `{"phone_id": "../a"}`)
		a.add(s, "without a phone", `{}`)
	})
}

func TestCaptureTools(t *testing.T) {
	began := out(phone.Outcome{Capture: &phone.CaptureInfo{Path: "/captures/a/capture_20261122_120000_000000.pcap", Mode: "tcpdump"}})
	own := out(phone.Outcome{Capture: &phone.CaptureInfo{Path: "/captures/a/capture_20261122_120000_000000.pcap", Mode: "own", Reason: "tcpdump is not installed"}})
	for name, command := range map[string]string{"start_capture": "phone.StartCapture", "stop_capture": "phone.StopCapture"} {
		pin(t, name, func(a *answers) {
			f := newFake("a")
			s := newSet(f)
			s.o.HostPaths = []HostPath{{Inside: "/captures", Host: "/host/captures"}}
			f.outcomes[command] = began
			a.add(s, "by tcpdump", `{"phone_id": "a"}`)
			own.Capture.Size = 4711
			f.outcomes[command] = own
			a.add(s, "the phone's own packets", `{"phone_id": "a"}`)
			f.outcomes[command] = phone.Errorf(phone.Precondition, `phone_id "a" has no capture to stop: start_capture begins one`)
			a.add(s, "refused", `{"phone_id": "a"}`)
			a.add(s, "an unknown phone", `{"phone_id": "nobody"}`)
		})
	}
}
