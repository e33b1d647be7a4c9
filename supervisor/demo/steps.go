package demo

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"ringmaster/listen"
	"ringmaster/proto/phone"
	"ringmaster/scenario/timeline"
)

// meet does what every client does first, and looks whether the phones are
// there.
func (d *demo) meet(s *session) error {
	hello, err := s.initialize()
	if err != nil {
		return err
	}
	d.page.step("server", "supervisor serve --profile phones.yaml --pbx %s is process %d", d.pbx, s.cmd.Process.Pid)
	d.page.step("initialize", "%s %s speaks MCP %s", hello.ServerInfo.Name, hello.ServerInfo.Version, hello.ProtocolVersion)
	names, err := s.tools()
	if err != nil {
		return err
	}
	own := map[phone.ID]int{}
	for _, name := range names {
		id, _, _ := strings.Cut(name, "_")
		own[phone.ID(id)]++
	}
	d.page.step("tools/list", "%d tools: %d for everything, %d of phone %s, %d of phone %s",
		len(names), len(names)-own[caller]-own[callee], own[caller], caller, own[callee], callee)
	var list struct {
		Phones []struct {
			PhoneID      phone.ID `json:"phone_id"`
			LocalPort    int      `json:"local_port"`
			IsRegistered bool     `json:"is_registered"`
			Worker       struct {
				PID int `json:"pid"`
			} `json:"worker"`
		} `json:"phones"`
	}
	if err := s.call("list_phones", nil, &list); err != nil {
		return err
	}
	for _, p := range list.Phones {
		state := "registered"
		if !p.IsRegistered {
			state = "not registered yet"
		}
		d.page.step("list_phones", "%s is process %d, port %d, %s", p.PhoneID, p.Worker.PID, p.LocalPort, state)
	}
	return nil
}

// run is what run_scenario answers.
type run struct {
	Status    string                          `json:"status"`
	Reason    string                          `json:"reason"`
	Timeline  []timeline.Entry                `json:"timeline"`
	Artifacts map[phone.ID]*timeline.Artifact `json:"artifacts"`
}

func (d *demo) run(s *session) (run, error) {
	d.page.step("run_scenario", "%s: %s", d.scenario["name"], d.scenario["description"])
	d.page.section("Timeline", "progress of run_scenario")
	s.progress = func(line string) { d.page.entry(strings.ReplaceAll(line, d.dir+"/", "")) }
	defer func() { s.progress = nil }()
	var r run
	err := s.call("run_scenario", map[string]any{"scenario": d.scenario}, &r)
	return r, err
}

// digits are those that the callee heard.
func (r run) digits() string {
	var heard strings.Builder
	for _, e := range r.Timeline {
		if digit, ok := e.Data["digit"].(string); ok && e.Type == "dtmf.in" && e.PhoneID != nil && *e.PhoneID == callee {
			heard.WriteString(digit)
		}
	}
	return heard.String()
}

// call is the first call of a phone in the run.
func (r run) call(id phone.ID) (phone.CallID, bool) {
	for _, e := range r.Timeline {
		if e.Kind == timeline.Event && e.PhoneID != nil && *e.PhoneID == id && e.CallID != nil {
			return *e.CallID, true
		}
	}
	return 0, false
}

func (d *demo) flow(s *session) (string, error) {
	var answer struct {
		Flow string `json:"flow"`
	}
	err := s.call("get_call_flow", nil, &answer)
	return answer.Flow, err
}

// counts shows what each side sent and what the other got of it.
func (d *demo) counts(s *session, r run) error {
	type info struct {
		Codec string `json:"codec"`
		RTP   struct {
			Sent     int     `json:"tx_packets"`
			Received int     `json:"rx_packets"`
			Lost     int     `json:"rx_loss"`
			Jitter   float64 `json:"rx_jitter_usec"`
		} `json:"rtp"`
	}
	infos := map[phone.ID]info{}
	for _, id := range []phone.ID{caller, callee} {
		call, ok := r.call(id)
		if !ok {
			continue // the verdict says enough
		}
		var i info
		if err := s.call(string(id)+"_get_call_info", map[string]any{"call_id": call}, &i); err != nil {
			return err
		}
		infos[id] = i
	}
	d.page.section("RTP", "get_call_info of both")
	for _, way := range [][2]phone.ID{{caller, callee}, {callee, caller}} {
		from, to := infos[way[0]], infos[way[1]]
		d.page.line("%s → %s   %s, %d packets sent, %d received, %d lost, jitter %.2f ms",
			way[0], way[1], from.Codec, from.RTP.Sent, to.RTP.Received, to.RTP.Lost, to.RTP.Jitter/1000)
	}
	return nil
}

// window is long enough to tell the tones apart.
const window = 100 * time.Millisecond

// listen looks for both tones in the recordings.
func (d *demo) listen(r run) ([]heard, error) {
	d.page.section("Recordings", "in "+filepath.Join(d.dir, "recordings"))
	var all []heard
	for _, id := range []phone.ID{caller, callee} {
		a := r.Artifacts[id]
		if a == nil || a.Recording == nil {
			continue
		}
		wav, err := listen.Read(*a.Recording)
		if err != nil {
			return nil, fmt.Errorf("the recording of %s: %w", id, err)
		}
		other := callerHz + calleeHz - toneOf(id)
		h := heard{phone: id, other: other, level: wav.MeanLevelOf(other, window)}
		all = append(all, h)
		d.page.line("%-40s %.1f s   %s's %.0f Hz %.1f dBov   %s's %.0f Hz %.1f dBov",
			fmt.Sprintf("%s/%s", id, filepath.Base(*a.Recording)), wav.Duration().Seconds(),
			caller, callerHz, wav.MeanLevelOf(callerHz, window), callee, calleeHz, wav.MeanLevelOf(calleeHz, window))
	}
	return all, nil
}
