package interop

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
	"ringmaster/tests/wire"
)

// calls is how many calls measureLoad lets two phones have with each other.
const calls = 20

// measureLoad takes the memory of a phone, idle, in a call and in 20, and in
// 20 calls the processor's time per leg and how late packets leave.
func measureLoad(t *testing.T) {
	tap, err := wire.Open()
	if errors.Is(err, unix.EPERM) {
		t.Skip("no right to open packet sockets: run as root")
	}
	if err != nil {
		t.Fatal(err)
	}
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	add := func(id string) *phones.Phone {
		return phones.Add(t, c, id, mcpclient.Args{"register": false, "recording_enabled": false, "auto_answer": true})
	}
	a, b := add("a"), add("b")
	pids := workers(t, c)
	t.Logf("memory of a phone, idle: %s", memory(t, pids))
	first := a.Call(b.URI())
	a.Reaches(first, "CONFIRMED")
	a.Receives(first, time.Second)
	t.Logf("memory of a phone in a call: %s", memory(t, pids))
	last := first
	for range calls - 1 {
		last = a.Call(b.URI())
		a.Reaches(last, "CONFIRMED")
	}
	a.Receives(last, time.Second)
	t.Logf("memory of a phone in %d calls: %s", calls, memory(t, pids))

	before, began := processor(t, pids), time.Now()
	a.Receives(first, listening)
	spent, took := processor(t, pids)-before, time.Since(began)
	t.Logf("processor per call leg, in %d calls: %.2f %% of a core", calls, 100*spent.Seconds()/took.Seconds()/float64(2*calls))
	lost := 0
	for _, p := range []*phones.Phone{a, b} {
		for _, call := range p.Do("get_active_calls", nil).List("calls") {
			lost += call.Object("rtp").Int("rx_loss") + call.Object("rtp").Int("rx_discard")
		}
	}
	all, err := tap.Close()
	if err != nil {
		t.Fatal(err)
	}
	late := wire.Late(20*time.Millisecond, flows(all, began, ports(c))...)
	t.Logf("RTP in %d calls: %d packets, late by p50 %s p99 %s max %s ms; %d lost or too late",
		calls, late.Packets, ms(late.P50), ms(late.P99), ms(late.Longest), lost)
}

// ports are those that phone a and its far ends have named for their sound.
func ports(c *mcpclient.Client) map[int]bool {
	named := map[int]bool{}
	for _, m := range c.Must("get_call_messages", mcpclient.Args{"phone_id": "a", "method": "INVITE", "last_n": 8 * calls}).List("messages") {
		if m.Fields["sdp"] != nil {
			named[m.Object("sdp").List("media")[0].Int("port")] = true
		}
	}
	return named
}

// flows takes packets of those ports apart by their sender, from a moment on.
func flows(all []wire.Packet, from time.Time, ports map[int]bool) (own [][]wire.Packet) {
	at := map[string]int{}
	for _, p := range all {
		if p.At.Before(from) || !ports[p.From] {
			continue
		}
		key := fmt.Sprint(p.From, p.SSRC)
		if _, known := at[key]; !known {
			at[key] = len(own)
			own = append(own, nil)
		}
		own[at[key]] = append(own[at[key]], p)
	}
	return own
}

// workers are the process ids of all phones.
func workers(t *testing.T, c *mcpclient.Client) (pids []int) {
	t.Helper()
	for _, p := range c.Must("list_phones", nil).List("phones") {
		pids = append(pids, p.Object("worker").Int("pid"))
	}
	return pids
}

// memory is the proportional set size of each process.
func memory(t *testing.T, pids []int) string {
	t.Helper()
	var text []byte
	for _, pid := range pids {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(raw) {
			if fields := bytes.Fields(line); len(fields) == 3 && string(fields[0]) == "Pss:" {
				kb, err := strconv.Atoi(string(fields[1]))
				if err != nil {
					t.Fatal(err)
				}
				text = fmt.Appendf(text, "%.1f MB ", float64(kb)/1024)
			}
		}
	}
	return string(text) + "(PSS, each phone)"
}

// processor is the time that processes have had of a processor.
func processor(t *testing.T, pids []int) (spent time.Duration) {
	t.Helper()
	const tick = 10 * time.Millisecond // USER_HZ is 100
	for _, pid := range pids {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:]) // from the third of proc(5) on
		for _, f := range fields[11:13] {                             // utime, stime
			n, err := strconv.Atoi(string(f))
			if err != nil {
				t.Fatal(err)
			}
			spent += time.Duration(n) * tick
		}
	}
	return spent
}
