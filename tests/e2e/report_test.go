package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ringmaster/tests/browser"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// screenshots is the variable that names a folder to keep them in.
const screenshots = "RINGMASTER_SCREENSHOTS"

// A call through the embedded PBX, one that is refused, and a run: each gets a
// page, which a browser shows.
func TestReports(t *testing.T) {
	t.Parallel()
	c, a, b := registered(t, "--sdp-session-name", "<script>alert(1)</script>")
	for _, p := range []*phones.Phone{a, b} {
		c.Must("update_phone", mcpclient.Args{"phone_id": p.ID, "recording_enabled": true, "capture_enabled": true, "capture_filter": "phone"})
	}
	uri := "sip:b@" + a.Added.String("domain")
	atA, atB := phones.Talk(a, b, uri)
	a.Plays(atA, 600)
	b.Plays(atB, 1000)
	a.Receives(atA, phones.Talking)
	a.Digits(b.Sends(atB, "12#"), atA, "12#")
	c.MustFail("make_report", mcpclient.Args{"phone_id": "b", "call_id": atA}, "belongs to phone_id 'a'")
	c.MustFail("make_report", mcpclient.Args{}, "call_id or run_id")
	if live := c.Must("make_report", mcpclient.Args{"call_id": atA}); live.String("verdict") != "Talking" {
		t.Errorf("of a call that goes on: %s", live.Text)
	}
	a.Do("hangup", mcpclient.Args{"call_id": atA})
	b.Ends(atB, 200)
	a.Ends(atA, 200)
	for _, p := range []*phones.Phone{a, b} {
		p.Sees(0, "media.capture_stopped", nil)
	}
	a.Recording(atA)
	b.Recording(atB)
	talked := c.Must("make_report", mcpclient.Args{"phone_id": "a", "call_id": atA})

	refused := a.Call(uri)
	b.Do("reject_call", mcpclient.Args{"call_id": b.Rings()})
	a.Ends(refused, 486)
	busy := c.Must("make_report", mcpclient.Args{"call_id": refused})

	run := c.Must("run_scenario", mcpclient.Args{"scenario": object{
		"name":            "press 5 </title><script>alert(1)</script>",
		"phones":          []string{"a", "b"},
		"patterns":        []object{{"use": "auto-answer", "phone_id": "b"}},
		"initial_actions": []object{{"make_call": object{"phone_id": "a", "to": uri}}},
		"hooks": []object{
			{"when": "call.state.confirmed", "on_phone": "a", "then": []any{object{"wait": "700ms"}, object{"send_dtmf": "5"}, object{"log": "<b>pressed</b>"}, object{"send_dtmf": object{"digits": "5", "call_id": 77777, "on_error": "continue"}}}},
			{"when": "dtmf.in", "on_phone": "b", "then": []any{object{"wait": "700ms"}, "hangup"}},
		},
		"stop_on":    []object{{"phone_id": "a", "event": "call.state.disconnected"}},
		"timeout_ms": 20000,
	}})
	ran := c.Must("make_report", mcpclient.Args{"run_id": run.String("run_id")})
	c.MustFail("make_report", mcpclient.Args{"run_id": "run_77"}, "run_77")
	if mime, timeline := resource(t, c, "ringmaster://runs/"+run.String("run_id")); mime != "application/json" || !strings.Contains(string(timeline), `"type":"scenario.stopped"`) {
		t.Errorf("the run as a resource: %s %.300s", mime, timeline)
	}

	var page *browser.Page
	if browser.Wanted() {
		page = browser.Open(t)
	} else {
		t.Log("chromium is not installed: make interop shows the pages to it")
	}
	for _, w := range []struct {
		name, verdict string
		made          mcpclient.Answer
		sounds        int
	}{{"talked", "Completed", talked, 2}, {"busy", "Refused", busy, 0}, {"run", "Passed", ran, 2}} {
		if w.made.String("verdict") != w.verdict {
			t.Errorf("%s: the verdict is %s", w.name, w.made.Text)
		}
		mime, data := resource(t, c, w.made.String("uri"))
		if text := string(data); mime != "text/html" || len(data) != w.made.Int("file_size") || strings.Contains(text, "<script") || !strings.Contains(text, "INVITE, SDP") {
			t.Errorf("%s: %d bytes of %s: %.300s", w.name, len(data), mime, data)
		}
		if page != nil {
			look(t, page, w.name, w.made.String("path"), w.sounds)
		}
	}
}

// look opens a page at two widths, in light and dark, and judges what a reader
// would see.
func look(t *testing.T, page *browser.Page, name, path string, sounds int) {
	t.Helper()
	folder := os.Getenv(screenshots)
	if folder == "" {
		folder = t.TempDir()
	}
	for _, width := range []int{1280, 400} {
		for _, dark := range []bool{false, true} {
			page.Load(path, width, dark)
			var saw struct {
				Verdict, Ladder, Waves, Audio, Script, Wide int
				Ground                                      string
			}
			page.Eval(`(() => { const n = s => document.querySelectorAll(s).length; return {
				Verdict: n('#verdict strong'), Ladder: n('#ladder svg path'), Waves: n('svg.wave path'), Audio: n('audio'), Script: n('script'),
				Wide: document.documentElement.scrollWidth - window.innerWidth, Ground: getComputedStyle(document.body).backgroundColor } })()`, &saw)
			if saw.Verdict != 1 || saw.Ladder < 10 || saw.Waves != sounds || saw.Audio != sounds || saw.Script != 0 || saw.Wide > 0 || (saw.Ground == "rgb(255, 255, 255)") == dark {
				t.Errorf("%s, %d px, dark %v: the browser shows %+v", name, width, dark, saw)
			}
			var lengths []float64
			page.Eval(`Promise.all([...document.querySelectorAll('audio')].map(a => new Promise((ok, no) => {
				a.onerror = () => no(a.error.message); if (a.readyState > 0) ok(a.duration); else a.onloadedmetadata = () => ok(a.duration) })))`, &lengths)
			for _, seconds := range lengths {
				if seconds < 1 || seconds > 60 {
					t.Errorf("%s: a recording plays for %v s", name, seconds)
				}
			}
			image := filepath.Join(folder, fmt.Sprintf("%s-%d-%v.png", name, width, map[bool]string{false: "light", true: "dark"}[dark]))
			page.Screenshot(image)
			if info, err := os.Stat(image); err != nil || info.Size() < 10_000 {
				t.Errorf("the screenshot: %v", err)
			}
		}
	}
	if said := page.Complaints(); len(said) > 0 {
		t.Errorf("%s: the browser complains: %.600q", name, said)
	}
	for _, url := range page.Requests() {
		if !strings.HasPrefix(url, "data:") && !strings.HasPrefix(url, "file://") {
			t.Errorf("%s: the page asked for %s", name, url)
		}
	}
}
