package mcpclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Args are a tool's arguments.
type Args = map[string]any

// Answer is a tool's answer.
type Answer struct {
	Failed bool   // isError
	Text   string // the one text item
	Fields map[string]any
}

// Call calls a tool. The test ends when there is no answer, or one that is not
// in the contract's form (CONTRACT §1): one text item that is a JSON object,
// the same object as structuredContent, isError exactly with status "error".
func (c *Client) Call(tool string, args Args) Answer {
	c.t.Helper()
	a, err := c.TryCall(tool, args)
	if err != nil {
		c.t.Fatalf("%s(%v): %v", tool, args, err)
	}
	return a
}

// TryCall is Call for a test that handles the error itself: an *RPCError, or
// one that says how the answer breaks the contract's form.
func (c *Client) TryCall(tool string, args Args) (Answer, error) {
	if args == nil {
		args = Args{}
	}
	raw, err := c.Request("tools/call", map[string]any{"name": tool, "arguments": args})
	if err != nil {
		return Answer{}, err
	}
	return parseAnswer(raw)
}

func parseAnswer(raw json.RawMessage) (Answer, error) {
	var result struct {
		Content []struct {
			Type, Text string
		} `json:"content"`
		StructuredContent map[string]any `json:"structuredContent"`
		IsError           bool           `json:"isError"`
	}
	if err := json.Unmarshal(raw, &result); err != nil {
		return Answer{}, fmt.Errorf("the result is not a tool's: %w: %s", err, raw)
	}
	if len(result.Content) != 1 || result.Content[0].Type != "text" {
		return Answer{}, fmt.Errorf("the result has not exactly one text item: %s", raw)
	}
	a := Answer{Failed: result.IsError, Text: result.Content[0].Text}
	if err := json.Unmarshal([]byte(a.Text), &a.Fields); err != nil {
		return a, fmt.Errorf("the text is no JSON object: %s", a.Text)
	}
	if !reflect.DeepEqual(a.Fields, result.StructuredContent) {
		return a, fmt.Errorf("text and structuredContent differ: %s", raw)
	}
	status, hasStatus := a.Fields["status"]
	if a.Failed && status != "error" {
		return a, fmt.Errorf("isError without status error: %s", a.Text)
	}
	if a.Failed && a.Sentence() == "" {
		return a, fmt.Errorf("isError without a sentence under error: %s", a.Text)
	}
	if hasStatus && status == "error" && !a.Failed {
		// validate_scenario and run_scenario answer so: it is their finding.
		if a.Fields["issues"] == nil && a.Fields["timeline"] == nil {
			return a, fmt.Errorf("status error without isError: %s", a.Text)
		}
	}
	return a, nil
}

// Must calls a tool that has to succeed.
func (c *Client) Must(tool string, args Args) Answer {
	c.t.Helper()
	a := c.Call(tool, args)
	if a.Failed {
		c.t.Fatalf("%s(%v) failed: %s", tool, args, a.Sentence())
	}
	return a
}

// MustFail calls a tool that has to fail with a sentence that contains every
// one of the words.
func (c *Client) MustFail(tool string, args Args, words ...string) Answer {
	c.t.Helper()
	a := c.Call(tool, args)
	if !a.Failed {
		c.t.Errorf("%s(%v) succeeded: %s", tool, args, a.Text)
		return a
	}
	for _, w := range words {
		if !strings.Contains(a.Sentence(), w) {
			c.t.Errorf("%s(%v) fails without saying %q: %s", tool, args, w, a.Sentence())
		}
	}
	return a
}

// Until calls a tool again and again until its answer satisfies ok, and ends
// the test when that has not happened in time.
func (c *Client) Until(within time.Duration, want, tool string, args Args, ok func(Answer) bool) Answer {
	c.t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		a := c.Call(tool, args)
		if ok(a) {
			return a
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			c.t.Fatalf("after %v there is still not: %s. %s(%v) says %s", within, want, tool, args, a.Text)
		}
	}
}

// Tools lists the names of all tools, page by page, in order.
func (c *Client) Tools() []string {
	c.t.Helper()
	names := map[string]bool{}
	params := map[string]any{}
	for {
		raw, err := c.Request("tools/list", params)
		if err != nil {
			c.t.Fatalf("tools/list: %v", err)
		}
		var page struct {
			Tools      []struct{ Name string } `json:"tools"`
			NextCursor string                  `json:"nextCursor"`
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			c.t.Fatalf("tools/list: %v: %s", err, raw)
		}
		for _, tool := range page.Tools {
			if names[tool.Name] {
				c.t.Errorf("tools/list names %s twice", tool.Name)
			}
			names[tool.Name] = true
		}
		if page.NextCursor == "" {
			return slices.Sorted(maps.Keys(names))
		}
		params["cursor"] = page.NextCursor
	}
}

// ToolsOf lists the tools of one phone, without the phone's name.
func (c *Client) ToolsOf(phoneID string) []string {
	c.t.Helper()
	var own []string
	for _, name := range c.Tools() {
		if action, is := strings.CutPrefix(name, phoneID+"_"); is {
			own = append(own, action)
		}
	}
	return own
}

// WaitNotification waits for the next notification of a method, in the order
// in which they came, and returns it. Each is given once.
func (c *Client) WaitNotification(method string, within time.Duration) Notification {
	c.t.Helper()
	deadline := time.After(within)
	for {
		since, news, fault := c.conn.since(c.seen)
		for _, n := range since {
			c.seen++
			if n.Method == method {
				return n
			}
		}
		if fault != nil {
			c.t.Fatalf("waiting for %s: %v", method, fault)
		}
		select {
		case <-news:
		case <-deadline:
			c.t.Fatalf("no %s within %v", method, within)
		}
	}
}

// Notifications counts the notifications of a method so far.
func (c *Client) Notifications(method string) int {
	all, _, _ := c.conn.since(0)
	n := 0
	for _, one := range all {
		if one.Method == method {
			n++
		}
	}
	return n
}

// errNoField is what the field readers fail with.
var errNoField = errors.New("no such field of that type")

// Sentence is what a failure says under error.
func (a Answer) Sentence() string {
	s, _ := a.Fields["error"].(string)
	return s
}

// String reads a string field; null and absence give "".
func (a Answer) String(field string) string {
	s, _ := a.Fields[field].(string)
	return s
}

// Int reads a number field; it panics when there is none, since a test that
// goes on with 0 would test something else.
func (a Answer) Int(field string) int {
	f, ok := a.Fields[field].(float64)
	if !ok {
		panic(fmt.Errorf("%q in %s: %w", field, a.Text, errNoField))
	}
	return int(f)
}

// Bool reads a truth field; null and absence give false.
func (a Answer) Bool(field string) bool {
	b, _ := a.Fields[field].(bool)
	return b
}

// List reads a field that is a list of objects.
func (a Answer) List(field string) []Answer {
	raw, ok := a.Fields[field].([]any)
	if !ok {
		panic(fmt.Errorf("%q in %s: %w", field, a.Text, errNoField))
	}
	list := make([]Answer, len(raw))
	for i, one := range raw {
		list[i] = part(one)
	}
	return list
}

// Object reads a field that is an object.
func (a Answer) Object(field string) Answer {
	if _, ok := a.Fields[field].(map[string]any); !ok {
		panic(fmt.Errorf("%q in %s: %w", field, a.Text, errNoField))
	}
	return part(a.Fields[field])
}

// part makes an answer of an object within one, for its field readers.
func part(object any) Answer {
	fields, _ := object.(map[string]any)
	text, err := json.Marshal(object)
	if err != nil {
		panic(err) // it was JSON before
	}
	return Answer{Text: string(text), Fields: fields}
}
