package tool

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/diagnose"
	"ringmaster/supervisor/explain"
	"ringmaster/supervisor/report"
)

// verdictOf is what a call came to, in the words of its explanation.
func verdictOf(e explain.Report) report.Verdict {
	v := report.Verdict{Tone: report.Unsure, Word: strings.ToUpper(e.Outcome[:1]) + e.Outcome[1:], Text: e.Summary}
	worst := explain.Note
	if len(e.Findings) > 0 {
		worst = e.Findings[0].Severity // the worst come first
	}
	switch {
	case worst == explain.Error, e.Outcome == explain.OutcomeRefused, e.Outcome == explain.OutcomeDropped, e.Outcome == explain.OutcomeNoResponse:
		v.Tone = report.Bad
	case worst == explain.Note && e.Outcome == explain.OutcomeCompleted:
		v.Tone = report.Good
	}
	return v
}

// findingsOf are what is to be known of a call; of is said before each.
func findingsOf(of string, e explain.Report) []report.Finding {
	var all []report.Finding
	for _, f := range e.Findings {
		one := report.Finding{Title: of + f.Finding, Tone: report.Unsure}
		if f.Advice != "" {
			one.Text = "What to do: " + f.Advice + "."
		}
		switch f.Severity {
		case explain.Error:
			one.Tone = report.Bad
		case explain.Note:
			one.Tone = report.Plain
		}
		for _, rests := range f.Evidence {
			one.Evidence = append(one.Evidence, rests.At.UTC().Format(diagnose.ClockLayout)+" "+cmp.Or(rests.Message, rests.Statistic))
		}
		all = append(all, one)
	}
	return all
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
