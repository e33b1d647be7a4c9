package explain

import (
	"cmp"
	"fmt"
	"slices"
)

// Severity says how much a finding matters.
type Severity string

// The severities: what made the call fail, what was wrong with a call, and
// what explains one although nothing was wrong.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Rule is one thing that may be found.
type Rule struct {
	ID       string
	Severity Severity
	LooksAt  string // in a few words, for the reader of the table
	Says     string // one sentence, a format for what the predicate gives
	Advice   string // what to do
	found    func(*record) *match
}

// match is what a predicate has found.
type match struct {
	words    []any // for Says
	advice   string
	evidence []Evidence
}

func matched(evidence ...Evidence) *match { return &match{evidence: evidence} }

func (m *match) says(words ...any) *match {
	m.words = words
	return m
}

// Finding is a rule that has found something.
type Finding struct {
	Rule     string
	Severity Severity
	Finding  string
	Advice   string
	Evidence []Evidence
}

// Report is what is to be said of a call.
type Report struct {
	Ending
	Summary  string // two sentences at most
	Findings []Finding
	Checked  []string // rules that found nothing
}

// mostEvidence bounds what is shown for one finding.
const mostEvidence = 6

// Rules are all rules, in the order in which they are asked.
func Rules() []Rule {
	return slices.Concat(setupRules(), ackRules(), callRules(), addressRules(), soundRules(), digitRules())
}

// Explain asks every rule. Errors come first, then warnings, then notes.
func Explain(f Facts) Report {
	r := newRecord(f)
	report := Report{Ending: r.ending(), Findings: []Finding{}, Checked: []string{}}
	for _, rule := range Rules() {
		m := rule.found(r)
		if m == nil {
			report.Checked = append(report.Checked, rule.ID)
			continue
		}
		report.Findings = append(report.Findings, Finding{
			Rule: rule.ID, Severity: rule.Severity, Finding: fmt.Sprintf(rule.Says, m.words...),
			Advice: cmp.Or(m.advice, rule.Advice), Evidence: m.evidence[:min(len(m.evidence), mostEvidence)],
		})
	}
	rank := []Severity{Error, Warning, Note}
	slices.SortStableFunc(report.Findings, func(a, b Finding) int {
		return slices.Index(rank, a.Severity) - slices.Index(rank, b.Severity)
	})
	report.Summary = r.summary(report)
	return report
}
