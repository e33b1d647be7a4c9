package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"ringmaster/scenario/timeline"
)

type junitSuites struct {
	XMLName xml.Name   `xml:"testsuites"`
	Suite   junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name      string     `xml:"name,attr"`
	ClassName string     `xml:"classname,attr"`
	Time      string     `xml:"time,attr"`
	Timestamp string     `xml:"timestamp,attr"`
	Failure   *junitText `xml:"failure,omitempty"`
	Error     *junitText `xml:"error,omitempty"`
	Output    string     `xml:"system-out,omitempty"`
}

type junitText struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// Ran is one scenario and where it came from.
type Ran struct {
	File   string
	Result timeline.Result
}

// JUnit writes one test suite with a case for each scenario, and one for each
// of its expectations. Status failed and timeout are failures, status error is
// an error; the timeline is the output of the scenario's case.
func JUnit(w io.Writer, runs []Ran) error {
	suite := junitSuite{Name: "ringmaster", Cases: []junitCase{}}
	var total int64
	for _, ran := range runs {
		total += ran.Result.ElapsedMS
		c := junitCase{
			Name: ran.Result.ScenarioName, ClassName: ran.File, Time: seconds(ran.Result.ElapsedMS),
			Timestamp: ran.Result.StartedAt.UTC().Format(time.RFC3339), Output: lines(ran.Result.Timeline),
		}
		text := &junitText{Message: ran.Result.Reason, Type: string(ran.Result.Status), Text: faults(ran.Result.Errors)}
		switch ran.Result.Status {
		case timeline.OK:
		case timeline.Error:
			suite.Errors++
			c.Error = text
		default:
			suite.Failures++
			c.Failure = text
		}
		suite.Cases = append(suite.Cases, c)
		for _, e := range ran.Result.Expectations {
			c := junitCase{Name: fmt.Sprintf("%s: %s %s", ran.Result.ScenarioName, e.Path, e.Fact), ClassName: ran.File, Time: seconds(0), Timestamp: c.Timestamp}
			if !e.Held {
				suite.Failures++
				c.Failure = &junitText{Message: e.Msg, Type: "expectation", Text: e.Msg + "\n"}
			}
			suite.Cases = append(suite.Cases, c)
		}
	}
	suite.Tests = len(suite.Cases)
	suite.Time = seconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(junitSuites{Suite: suite}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(ms int64) string { return fmt.Sprintf("%.3f", float64(ms)/1000) }

func lines(entries []timeline.Entry) string {
	var b strings.Builder
	for _, e := range entries {
		b.WriteString(Style{}.Line(e) + "\n")
	}
	return b.String()
}

func faults(list []timeline.Fault) string {
	var b strings.Builder
	for _, f := range list {
		b.WriteString(f.Msg + "\n")
	}
	return b.String()
}
