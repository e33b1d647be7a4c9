package supervisor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"ringmaster/scenario/report"
	"ringmaster/scenario/timeline"
	"ringmaster/supervisor/live"
)

// show is how runs are shown while they go on.
type show interface {
	begin(l loaded, i, of int)
	entry(e timeline.Entry)
	end(r timeline.Result) error
	done(all []report.Ran) error // after the last of them
}

// show chooses what stdout is for: JSON, a terminal, or lines.
func (e Edges) show(asJSON bool) show {
	if asJSON {
		return jsonShow{e.Stdout}
	}
	lines := lineShow{out: e.Stdout, style: report.Style{Colour: e.colour()}}
	if terminal, is := e.terminal(); is {
		view := live.New(live.Options{Out: e.Stdout, Style: lines.style, Now: e.Now, Size: func() live.Size { return sizeOf(terminal) }})
		return liveShow{lines, view}
	}
	return lines
}

// jsonShow writes one object for each run, and nothing else.
type jsonShow struct{ out io.Writer }

func (jsonShow) begin(loaded, int, int)        {}
func (jsonShow) entry(timeline.Entry)          {}
func (s jsonShow) end(r timeline.Result) error { return report.JSON(s.out, r) }
func (jsonShow) done([]report.Ran) error       { return nil }

// lineShow writes a line for everything that happens, for logs.
type lineShow struct {
	out   io.Writer
	style report.Style
}

func (s lineShow) begin(l loaded, _, _ int) {
	_, _ = fmt.Fprintf(s.out, "%s (%s)\n", l.scenario.Name(), l.file) // end tells when nobody reads
}

func (s lineShow) entry(e timeline.Entry) {
	_, _ = fmt.Fprintln(s.out, s.style.Line(e)) // likewise
}

func (s lineShow) end(r timeline.Result) error { return s.style.Outcome(s.out, r) }

// done sums several runs up, for whoever looks at the end of a log.
func (s lineShow) done(all []report.Ran) error {
	if len(all) < 2 {
		return nil
	}
	passed := 0
	if _, err := fmt.Fprintln(s.out); err != nil {
		return cannot(err)
	}
	for _, ran := range all {
		if ran.Result.Status == timeline.OK {
			passed++
		}
		if _, err := fmt.Fprintln(s.out, s.style.Verdict(ran.Result)); err != nil {
			return cannot(err)
		}
	}
	if _, err := fmt.Fprintf(s.out, "%d of %d scenarios passed\n", passed, len(all)); err != nil {
		return cannot(err)
	}
	return nil
}

// liveShow is lineShow with a block under the lines that says how it is now.
type liveShow struct {
	lineShow
	view *live.View
}

func (s liveShow) begin(l loaded, i, of int) {
	s.lineShow.begin(l, i, of)
	title := l.scenario.Name()
	if of > 1 {
		title += fmt.Sprintf("   %d of %d", i+1, of)
	}
	s.view.Begin(title, l.scenario.Phones())
}

func (s liveShow) entry(e timeline.Entry) { s.view.Entry(e) }

func (s liveShow) end(r timeline.Result) error {
	if err := s.view.End(); err != nil {
		return err
	}
	return s.lineShow.end(r)
}

// pageShow writes an HTML page of every run beside what another show shows. It
// is made at once, while everything about the run's calls is on record.
type pageShow struct {
	show
	file  string
	page  func(timeline.Result) ([]byte, error)
	ended int
}

func (s *pageShow) end(r timeline.Result) error {
	file := s.file
	if s.ended++; s.ended > 1 {
		ending := filepath.Ext(file)
		file = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(file, ending), s.ended, ending)
	}
	text, err := s.page(r)
	if err == nil {
		err = os.WriteFile(file, text, 0o644)
	}
	return errors.Join(s.show.end(r), err)
}
