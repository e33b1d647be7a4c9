package tool

import (
	"fmt"
	"strings"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/diagnose"
	"ringmaster/supervisor/report"
)

// callVerdict says in a sentence what a call came to, from its facts alone.
func (s *Set) callVerdict(id phone.ID, i phone.CallInfo) report.Verdict {
	whole := fmt.Sprintf("%s called %s", id, i.RemoteURI)
	if i.Direction == phone.Inbound {
		whole = fmt.Sprintf("%s was called by %s", id, i.RemoteURI)
	}
	status := strings.TrimSpace(fmt.Sprintf("%d %s", i.LastStatus, i.LastStatusText))
	switch {
	case i.State != phone.StateDisconnected:
		return report.Verdict{Tone: report.Unsure, Word: "In progress", Text: whole + ": " + strings.ToLower(i.State.String()) + "."}
	case i.LastStatusText == workerExited:
		return report.Verdict{Tone: report.Bad, Word: "Cut off", Text: fmt.Sprintf("%s; the phone's process ended during the call.", whole)}
	case i.AnsweredAt.IsZero() && i.LastStatus == 487:
		return report.Verdict{Tone: report.Unsure, Word: "Given up", Text: fmt.Sprintf("%s; the call was cancelled before it was answered (%s).", whole, status)}
	case i.AnsweredAt.IsZero():
		return report.Verdict{Tone: report.Bad, Word: "Not answered", Text: fmt.Sprintf("%s; it ended with %s.", whole, status)}
	}
	talked := fmt.Sprintf("%s; answered after %s, talked for %s%s.", whole, span(i.AnsweredAt.Sub(i.StartedAt)), span(i.Duration), s.hungUp(id, i))
	switch {
	case i.Duration < time.Second:
	case i.RTP.RxPackets == 0 && i.RTP.TxPackets == 0:
		return report.Verdict{Tone: report.Bad, Word: "No media", Text: talked + " No RTP went either way."}
	case i.RTP.RxPackets == 0:
		return report.Verdict{Tone: report.Bad, Word: "One-way media", Text: talked + fmt.Sprintf(" No RTP reached %s.", id)}
	case i.RTP.TxPackets == 0:
		return report.Verdict{Tone: report.Unsure, Word: "One-way media", Text: talked + fmt.Sprintf(" %s sent no RTP.", id)}
	}
	return report.Verdict{Tone: report.Good, Word: "Completed", Text: talked}
}

// workerExited is the reason that the fleet gives for calls of a dead worker.
const workerExited = "worker exited"

// hungUp says who ended a call, as far as a BYE is on record.
func (s *Set) hungUp(id phone.ID, i phone.CallInfo) string {
	for _, m := range s.messages(id, diagnose.Filter{CallID: i.SIPCallID, Method: "BYE"}) {
		switch {
		case !m.IsRequest():
		case m.Sent:
			return fmt.Sprintf("; %s hung up", id)
		default:
			return "; the far end hung up"
		}
	}
	return ""
}

func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

func callFacts(i phone.CallInfo) []report.Fact {
	facts := []report.Fact{{Name: "Started", Value: i.StartedAt.UTC().Format("2006-01-02 15:04:05.000 UTC")}}
	if i.Codec != "" {
		facts = append(facts, report.Fact{Name: "Codec", Value: i.Codec})
	}
	if i.LastStatus > 0 {
		facts = append(facts, report.Fact{Name: "Last status", Value: strings.TrimSpace(fmt.Sprintf("%d %s", i.LastStatus, i.LastStatusText))})
	}
	if q := i.Quality; q != nil {
		facts = append(facts, report.Fact{Name: "MOS (estimated)", Value: fmt.Sprintf("%.1f", q.MOS)}, report.Fact{Name: "Loss", Value: fmt.Sprintf("%.2f %%", q.LossPercent)})
	}
	if i.Heard.Lasted() > 0 {
		facts = append(facts, report.Fact{Name: "Heard", Value: heardIn(i.Heard)}, report.Fact{Name: "Said", Value: heardIn(i.Sent)})
	}
	return append(facts, report.Fact{Name: "SIP Call-ID", Value: i.SIPCallID})
}

// heardIn says in a few words what was heard in one direction.
func heardIn(s phone.Sound) string {
	heard := time.Duration(s.HeardMs) * time.Millisecond
	if heard == 0 {
		return "nothing in " + span(s.Lasted())
	}
	return fmt.Sprintf("%s of %s, %.0f dBov", span(heard), span(s.Lasted()), s.LevelDBov)
}
