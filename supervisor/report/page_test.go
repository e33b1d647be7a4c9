package report

import (
	"bytes"
	"html/template"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/artifact"
	"ringmaster/supervisor/diagnose"
)

const hostile = "\"><script>alert(1)</script><img src=x onerror=alert(2)>`${x}` [a](javascript:alert(3)) {{.Title}}\x1b[2J\x00\u202e\u2028"

// full is a page with everything in it, and hostile text wherever text goes.
func full(t *testing.T) Page {
	t.Helper()
	dir := t.TempDir()
	wav := filepath.Join(dir, "call_0.wav")
	head := artifact.WAVHeader(8000, 16000)
	samples := make([]byte, 16000)
	for i := range samples {
		samples[i] = byte(i * i)
	}
	if err := os.WriteFile(wav, append(head[:], samples...), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty.wav")
	if err := os.WriteFile(empty, head[:], 0o600); err != nil {
		t.Fatal(err)
	}
	var sounds Sounds
	sounds.Add(hostile, dir, wav, "ringmaster://recordings/a/call_0.wav")
	sounds.Add("empty", dir, empty, "")
	sounds.Add("gone", dir, filepath.Join(dir, "gone.wav"), "")
	sounds.Add("elsewhere", t.TempDir(), wav, "")
	series := diagnose.Series{Every: time.Second, Samples: []diagnose.Sample{{Packets: 50, Jitter: time.Millisecond}, {}, {Packets: 40, Lost: 10, Jitter: 40 * time.Millisecond}}}
	stream := &diagnose.Stream{Packets: 90, Lost: 10, JitterKnown: true, JitterMax: 40 * time.Millisecond, Series: series}
	return Page{
		Title: hostile, Made: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
		Verdict:  Verdict{Bad, hostile, strings.Repeat(hostile, 100)},
		Facts:    []Fact{{hostile, hostile}},
		Findings: []Finding{{Bad, hostile, hostile, []string{hostile}}},
		Legs:     []Leg{{Phone: hostile, Remote: hostile, Status: hostile}},
		Ladders:  []Ladder{{hostile, template.HTML("<svg><text>INVITE</text></svg>")}},
		Quality:  Quality(hostile, 0, []*diagnose.Stream{stream}),
		Sounds:   sounds.List(),
		Timeline: []Row{{Offset: 1500 * time.Millisecond, Phone: hostile, Kind: "event", What: hostile, Detail: hostile, Tone: Bad}},
		Notes:    []string{hostile},
	}
}

func TestHostileTextStaysText(t *testing.T) {
	page, err := full(t).HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", "<img", "onerror=alert(2)>", "\x1b", "\x00", "\u202e", "\u2028", "ZgotmplZ"} {
		if bytes.Contains(page, []byte(bad)) {
			t.Errorf("the page has %q in it", bad)
		}
	}
	if n := bytes.Count(page, []byte("&lt;script&gt;")); n < 12 {
		t.Errorf("the text is there %d times", n)
	}
	if !bytes.Contains(page, []byte("more bytes)")) {
		t.Error("a long text is not bounded")
	}
}

// Nothing in a page refers to something outside of it.
func TestPageRefersToNothing(t *testing.T) {
	page, err := full(t).HTML()
	if err != nil {
		t.Fatal(err)
	}
	refers := regexp.MustCompile(`(?i)(?:src|href|url|action|srcset|poster|data)\s*[=(]\s*"?([^"\s)>]*)`)
	style := page[bytes.Index(page, []byte("<style>")):bytes.Index(page, []byte("</style>"))]
	for _, where := range append(regexp.MustCompile(`<[a-zA-Z!][^>]*>`).FindAll(page, -1), style) {
		for _, m := range refers.FindAllSubmatch(where, -1) {
			if !bytes.HasPrefix(m[1], []byte("data:")) {
				t.Errorf("the page refers to %q", m[0])
			}
		}
	}
	if !bytes.Contains(page, []byte(`http-equiv="Content-Security-Policy" content="default-src 'none'`)) {
		t.Error("the page has no policy")
	}
}

func TestEverythingIsShown(t *testing.T) {
	page, err := full(t).HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`id="verdict"`, `id="findings"`, `id="legs"`, `id="ladder"`, "<text>INVITE</text>", `id="recordings"`, `<audio controls preload="metadata" src="data:audio/wav;base64,UklGR`,
		`class="wave"`, "1.0 s", "there is no sound in it", "gone</strong> <span class=\"dim\">gone.wav</span></figcaption><p class=\"dim\">the file is not there any more", "elsewhere</strong> <span class=\"dim\">call_0.wav</span></figcaption><p class=\"dim\">the file is not there any more", `id="quality"`, "90 packets, 10 lost (10.00 %)", "highest 20.0 %, height 20 %", "highest 40.0 ms, height 40 ms",
		`<path class="none" d="M1 0V60H2V0Z"/>`, `id="timeline"`, "&#43;1.500 s", `id="notes"`, "2026-11-22 12:00:00 UTC",
	} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page has no %q", want)
		}
	}
	bare, err := Page{Title: "nothing"}.HTML()
	if err != nil || bytes.Contains(bare, []byte("<h2>")) {
		t.Errorf("an empty page: %v, %s", err, bare)
	}
}

func TestWhatIsTooMuchIsLeftOut(t *testing.T) {
	page, err := Page{Timeline: make([]Row, rowBound+7)}.HTML()
	if err != nil || bytes.Count(page, []byte("<tr class")) != rowBound || !bytes.Contains(page, []byte("7 older entries")) {
		t.Errorf("%v, %d rows", err, bytes.Count(page, []byte("<tr class")))
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "long.wav")
	head := artifact.WAVHeader(8000, soundBound)
	if err := os.WriteFile(path, append(head[:], make([]byte, soundBound)...), 0o600); err != nil {
		t.Fatal(err)
	}
	var s Sounds
	s.Add("long", dir, path, "ringmaster://recordings/long.wav")
	page, err = Page{Sounds: s.List()}.HTML()
	if err != nil || bytes.Contains(page, []byte("<audio")) || !bytes.Contains(page, []byte("Too long to be put into this page: ringmaster://recordings/long.wav")) || !bytes.Contains(page, []byte("4:22 min")) {
		t.Errorf("%v, %d bytes", err, len(page))
	}
	streams := make([]*diagnose.Stream, 30)
	for i := range streams {
		streams[i] = &diagnose.Stream{Packets: i}
	}
	if n := len(Quality("a", 0, streams)); n != directionBound {
		t.Errorf("%d directions are drawn", n)
	}
}
