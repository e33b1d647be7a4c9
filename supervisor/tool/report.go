package tool

import (
	"context"
	"fmt"

	"ringmaster/proto/artifact"
	"ringmaster/proto/phone"
	"ringmaster/supervisor/report"
)

func reportEntries() []entry {
	return []entry{
		define(entry{name: "make_report", title: "Make a report",
			description: "Write one HTML page of a call (phone_id and call_id) or of a scenario's run (run_id): what it came to, the ladder, recordings with players, quality over time, the timeline. It is one file without references, for a person to open in a browser; it lies beside the recordings.",
			hints:       Hints{}}, makeReport),
	}
}

type reportArguments struct {
	PhoneID *string       `json:"phone_id" doc:"with call_id; left out: the phone that the call belongs to"`
	CallID  *phone.CallID `json:"call_id" min:"0" doc:"the call, active or ended"`
	RunID   *string       `json:"run_id" doc:"in place of a call: a run that is over"`
}

type reportResult struct {
	PhoneID  *phone.ID     `json:"phone_id"`
	CallID   *phone.CallID `json:"call_id"`
	RunID    *string       `json:"run_id"`
	Verdict  string        `json:"verdict"`
	Summary  string        `json:"summary"`
	Path     Path          `json:"path"`
	URI      *string       `json:"uri"`
	FileSize int           `json:"file_size"`
}

func makeReport(ctx context.Context, c *call, a reportArguments) (reportResult, error) {
	if (a.RunID == nil) == (a.CallID == nil) {
		return reportResult{}, phone.Errorf(phone.Invalid, "make_report takes call_id or run_id, one of the two")
	}
	result := reportResult{RunID: a.RunID, CallID: a.CallID}
	var page report.Page
	var folder, name string
	c.mark("")
	if a.RunID != nil {
		run, err := c.set.o.Runs.Get(*a.RunID)
		if err != nil {
			return reportResult{}, err
		}
		came, over := run.Result()
		if !over {
			return reportResult{}, phone.Errorf(phone.Precondition, "run %s is not over: wait for it with get_run, or end it with cancel_run", run.ID())
		}
		page, name = c.set.RunPage(ctx, came), run.ID()+"_"+artifact.Stamp(c.set.o.Now())
	} else {
		id, err := c.ownerOf(a)
		if err != nil {
			return reportResult{}, err
		}
		if page, err = c.set.callPage(ctx, id, *a.CallID); err != nil {
			return reportResult{}, err
		}
		result.PhoneID, folder, name = &id, string(id), artifact.CallName(int64(*a.CallID), c.set.o.Now())
	}
	html, err := page.HTML()
	if err != nil {
		return reportResult{}, err
	}
	path, err := c.set.evidence().WriteReport(folder, name, html)
	if err != nil {
		return reportResult{}, err
	}
	result.Path, result.URI, result.FileSize = Path(path), c.set.uri(path), len(html)
	result.Verdict, result.Summary = page.Verdict.Word, report.Text(page.Verdict.Text)
	return result, nil
}

// ownerOf is the phone of the call that a report is asked of.
func (c *call) ownerOf(a reportArguments) (phone.ID, error) {
	owner, known := c.set.o.Hub.Owner(*a.CallID)
	if a.PhoneID == nil {
		if !known {
			return "", notFound(*a.CallID)
		}
		return owner, nil
	}
	id, err := phone.ParseID(*a.PhoneID)
	switch {
	case err != nil:
		return "", err
	case !known:
		return "", notFound(*a.CallID)
	case owner != id:
		return "", foreignCall(*a.CallID, owner, id)
	}
	return id, nil
}

// callPage is the page of one call, with all phones that took part in it.
func (s *Set) callPage(ctx context.Context, id phone.ID, number phone.CallID) (report.Page, error) {
	s.catchUp(ctx, "") // the other phones' part too
	info, counted, err := s.callOnRecord(ctx, id, &number)
	if err != nil {
		return report.Page{}, err
	}
	of := part{phone: id, info: info, uncounted: !counted}
	explained := s.explained(of)
	flow, legs := s.flow(info.SIPCallID)
	page := report.Page{
		Title: fmt.Sprintf("Call %d of phone %s", number, id), Made: s.o.Now(),
		Verdict: verdictOf(explained), Facts: callFacts(info), Findings: findingsOf("", explained),
	}
	parts := s.parts(of, legs)
	s.showParts(ctx, &page, parts)
	if len(flow.Steps) > 0 {
		page.Ladders = []report.Ladder{ladderOf("", flow)}
	} else {
		page.Notes = append(page.Notes, "The SIP messages of the call are no longer on record.")
	}
	page.Timeline = s.eventsOf(parts)
	return page, nil
}
