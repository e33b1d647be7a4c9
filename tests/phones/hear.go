package phones

import (
	"fmt"
	"math"
	"time"

	"ringmaster/tests/mcpclient"
)

// Ear is a tone that a phone is to hear from the far end of a call.
type Ear struct {
	Phone *Phone
	Call  int
	Hz    float64
	Level float64 // in dBov; 0 is ToneLevel
}

// What a second of sound may differ by from a steady tone.
const (
	window   = time.Second
	pitch    = 3.0 // Hz
	mostTone = 0.8 // of the time: see steady
)

// Hear requires that each tone is heard now, at its frequency and level, for a
// second on end: what came before, and how it came to be, does not count. It is
// for calls that go on, after each change of their media.
func Hear(ears ...Ear) {
	for _, e := range ears {
		e.Phone.t.Helper()
	}
	begin := make([]heard, len(ears))
	for i, e := range ears {
		begin[i] = e.listen()
	}
	for i, e := range ears {
		e.await(begin[i])
	}
}

// heard is what a call had heard at a moment; see get_call_info.
type heard struct {
	lasted, heard float64 // ms
	power         float64 // heard ms times power
	hz, tone      float64 // the longest tone, and its ms
}

func (e Ear) listen() heard {
	e.Phone.t.Helper()
	return heardBy(e.Phone.Do("get_call_info", mcpclient.Args{"call_id": e.Call}))
}

func heardBy(info mcpclient.Answer) heard {
	fields, _ := info.Fields["heard"].(map[string]any)
	number := func(name string) float64 { n, _ := fields[name].(float64); return n }
	h := heard{heard: number("heard_ms"), hz: number("tone_hz")}
	h.lasted = h.heard + number("silent_ms") + number("missing_ms")
	if level, known := fields["level_dbov"].(float64); known {
		h.power = h.heard * math.Pow(10, level/10)
	}
	h.tone = h.heard * number("tone_part")
	return h
}

// await waits until one whole second was as it has to be.
func (e Ear) await(from heard) {
	e.Phone.t.Helper()
	why := "nothing came"
	deadline := time.Now().Add(window + Patience)
	for time.Now().Before(deadline) {
		var now heard
		e.Phone.c.Until(window+Patience, "a second more of a call", e.Phone.ID+"_get_call_info", mcpclient.Args{"call_id": e.Call},
			func(a mcpclient.Answer) bool {
				now = heardBy(a)
				return now.lasted-from.lasted >= float64(window.Milliseconds())
			})
		if why = e.fault(from, now); why == "" {
			return
		}
		from = now
	}
	e.Phone.t.Errorf("call %d of %s does not hear %g Hz: %s", e.Call, e.Phone.ID, e.Hz, why)
}

// fault is what keeps the time between two moments from being the tone.
func (e Ear) fault(from, to heard) string {
	level := e.Level
	if level == 0 {
		level = ToneLevel
	}
	lasted, sound := to.lasted-from.lasted, to.heard-from.heard
	if sound < mostTone*lasted {
		return fmt.Sprintf("in %.0f ms there was sound for %.0f ms", lasted, sound)
	}
	if math.Abs(to.hz-e.Hz) > pitch || math.Abs(from.hz-e.Hz) > pitch {
		return fmt.Sprintf("the longest tone is %.1f Hz, before it was %.1f Hz", to.hz, from.hz)
	}
	if tone := to.tone - from.tone; tone < mostTone*sound {
		return fmt.Sprintf("the tone was the strongest for %.0f of %.0f ms", tone, sound)
	}
	if got := 10 * math.Log10((to.power-from.power)/sound); math.Abs(got-level) > tolerance {
		return fmt.Sprintf("its level was %.1f dBov, want %g", got, level)
	}
	return ""
}

// Both lets two phones of a call play tones to each other, and gives what each
// has to hear, for Hear after each change of the call.
func Both(a, b *Phone, atA, atB int) []Ear {
	a.t.Helper()
	a.Plays(atA, 600)
	b.Plays(atB, 1000)
	return []Ear{{Phone: a, Call: atA, Hz: 1000}, {Phone: b, Call: atB, Hz: 600}}
}
