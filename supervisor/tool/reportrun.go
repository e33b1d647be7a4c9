package tool

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"ringmaster/scenario/timeline"
	"ringmaster/supervisor/report"
)

// RunPage is the page of a run that is over: its HTML method writes it.
func (s *Set) RunPage(ctx context.Context, r timeline.Result) report.Page {
	s.catchUp(ctx, "")
	page := report.Page{Title: "Scenario " + r.ScenarioName, Made: s.o.Now(), Verdict: s.runVerdict(r), Facts: runFacts(r)}
	for _, fault := range r.Errors {
		tone := report.Bad
		if fault.Tolerated {
			tone = report.Unsure
		}
		page.Findings = append(page.Findings, report.Finding{Tone: tone, Title: strings.ReplaceAll(fault.Kind, "_", " "), Text: s.turned(fault.Msg)})
	}
	parts := s.calledIn(ctx, r)
	s.showParts(ctx, &page, parts)
	for _, p := range parts {
		of := fmt.Sprintf("%s, call %d: ", p.phone, p.info.CallID)
		page.Findings = append(page.Findings, findingsOf(of, s.explained(p))...)
	}
	worst := []report.Tone{report.Bad, report.Unsure, report.Plain}
	slices.SortStableFunc(page.Findings, func(a, b report.Finding) int { return slices.Index(worst, a.Tone) - slices.Index(worst, b.Tone) })
	var drawn []string // Call-IDs
	for _, p := range parts {
		if slices.Contains(drawn, p.info.SIPCallID) {
			continue
		}
		flow, legs := s.flow(p.info.SIPCallID)
		for _, l := range legs {
			drawn = append(drawn, l.SIPCallID)
		}
		if len(flow.Steps) > 0 {
			page.Ladders = append(page.Ladders, ladderOf(fmt.Sprintf("Call %d of %s", p.info.CallID, p.phone), flow))
		}
	}
	for _, e := range r.Timeline {
		page.Timeline = append(page.Timeline, s.rowOf(e))
	}
	return page
}

// calledIn are the calls that a run's timeline tells of.
func (s *Set) calledIn(ctx context.Context, r timeline.Result) []part {
	var parts []part
	for _, e := range r.Timeline {
		if e.Kind != timeline.Event || e.PhoneID == nil || e.CallID == nil || len(parts) == partBound {
			continue
		}
		if slices.ContainsFunc(parts, func(p part) bool { return p.phone == *e.PhoneID && p.info.CallID == *e.CallID }) {
			continue
		}
		if info, counted, err := s.callOnRecord(ctx, *e.PhoneID, e.CallID); err == nil {
			parts = append(parts, part{*e.PhoneID, info, !counted})
		}
	}
	return parts
}

func (s *Set) runVerdict(r timeline.Result) report.Verdict {
	v := report.Verdict{Tone: report.Bad, Word: "Failed", Text: s.turned(r.Reason)}
	switch r.Status {
	case timeline.OK:
		v.Tone, v.Word = report.Good, "Passed"
	case timeline.Timeout:
		v.Word = "Timed out"
	case timeline.Error:
		v.Word = "Could not run"
	}
	return v
}

func runFacts(r timeline.Result) []report.Fact {
	var phones []string
	for id := range r.Artifacts {
		phones = append(phones, string(id))
	}
	slices.Sort(phones)
	facts := []report.Fact{
		{Name: "Started", Value: r.StartedAt.UTC().Format("2006-01-02 15:04:05.000 UTC")},
		{Name: "Took", Value: span(time.Duration(r.ElapsedMS) * time.Millisecond)},
	}
	if len(phones) > 0 {
		facts = append(facts, report.Fact{Name: "Phones", Value: strings.Join(phones, ", ")})
	}
	if len(r.PatternsUsed) > 0 {
		facts = append(facts, report.Fact{Name: "Patterns", Value: strings.Join(r.PatternsUsed, ", ")})
	}
	return facts
}
