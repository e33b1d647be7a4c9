package tool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"ringmaster/proto/phone"
)

// answerBound is how many bytes of JSON an answer may have before its lists
// are cut: what a model reads is bounded.
const answerBound = 90_000

// errorBound is how many characters of an error are shown.
const errorBound = 8000

// statused is a result that is neither "ok" nor a failure.
type statused interface{ status() string }

// failing is a result that says all that there is to say although the tool
// could not do what was asked: then it gives a sentence.
type failing interface{ failure() string }

// success encodes a result:
//
//	{"status": "ok", "phone_id": …, <the result's fields>, "cursor": …, "resources": […]}
//
// phone_id stands there for per-phone tools (results of the others have it
// among their fields), cursor for tools that act, resources where the answer
// names files that can be read as such (see linked).
func (c *call) success(e entry, result any) Answer {
	head := writer{}
	head.add("status", statusOf(result))
	failed := false
	if f, ok := result.(failing); ok && f.failure() != "" {
		failed = true
		head.add("error", clean(c.set.turned(f.failure()), errorBound))
		head.add("phone_id", nil)
	} else if c.phone != "" {
		head.add("phone_id", c.phone)
	}
	tail := writer{}
	if c.acts {
		tail.add("cursor", c.cursor)
	}
	if len(c.resources) > 0 {
		tail.add("resources", c.resources)
	}
	text, err := bounded(result, head, tail)
	if err != nil {
		return c.set.failure(fmt.Errorf("the answer of %s cannot be written: %w", e.name, err), c.phone)
	}
	return Answer{JSON: text, IsError: failed}
}

func statusOf(result any) string {
	if s, ok := result.(statused); ok {
		return s.status()
	}
	return "ok"
}

// failure is the answer of a tool that could not do what was asked.
func (s *Set) failure(err error, id phone.ID) Answer {
	o := writer{}
	o.add("status", "error")
	o.add("error", clean(s.turned(sentence(err)), errorBound))
	if id == "" {
		o.add("phone_id", nil)
	} else {
		o.add("phone_id", id)
	}
	return Answer{JSON: o.close(), IsError: true}
}

func sentence(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return "the call of the tool was cancelled before the matter was decided"
	case errors.Is(err, context.DeadlineExceeded):
		return "the phone did not answer in time"
	}
	return err.Error()
}

// writer is a JSON object while it is written, its fields in order.
type writer struct{ text []byte }

func (o *writer) add(name string, value any) {
	v, err := encode(value)
	if err != nil {
		v = []byte("null")
	}
	o.addRaw(name, v)
}

// encode writes v without turning < and > into escapes, which SIP is full of.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func (o *writer) addRaw(name string, value json.RawMessage) {
	if len(o.text) > 0 {
		o.text = append(o.text, ',')
	}
	o.text = append(append(append(o.text, '"'), name...), '"', ':')
	o.text = append(o.text, value...)
}

// join adds the fields of another object.
func (o *writer) join(fields []byte) {
	if len(fields) == 0 {
		return
	}
	if len(o.text) > 0 {
		o.text = append(o.text, ',')
	}
	o.text = append(o.text, fields...)
}

func (o *writer) close() json.RawMessage {
	return append(append([]byte{'{'}, o.text...), '}')
}

// bounded writes head, result and tail as one object. Past the bound, the list
// of the result that is tagged
//
//	cut:"<how to ask for what is missing>"
//
// loses its oldest entries: the first ones, or the last ones when it is tagged
// newest:"first" too. Its count, the field tagged `count:""`, follows, and
// "truncated" says what is missing.
func bounded(result any, head, tail writer) (json.RawMessage, error) {
	v := valueOf(result)
	list := cuttable(v)
	var missing int
	for {
		text, err := write(v, head, tail, missing, list.how)
		if err != nil || len(text) <= answerBound || !list.values.IsValid() || list.values.Len() == 0 {
			return text, err
		}
		n, err := list.excess(len(text) - answerBound)
		if err != nil {
			return nil, err
		}
		missing += n
		list.drop(n)
		setCount(v, list.values.Len())
	}
}

// valueOf is a copy of a result that may be changed.
func valueOf(result any) reflect.Value {
	v := reflect.New(reflect.TypeOf(result)).Elem()
	v.Set(reflect.ValueOf(result))
	return v
}

func write(v reflect.Value, head, tail writer, missing int, how string) (json.RawMessage, error) {
	fields, err := encode(v.Interface())
	if err != nil {
		return nil, err
	}
	o := writer{text: append([]byte(nil), head.text...)}
	o.join(fields[1 : len(fields)-1])
	o.join(tail.text)
	if missing > 0 {
		o.add("truncated", fmt.Sprintf("%d older entries are missing, to keep the answer short: %s", missing, how))
	}
	return o.close(), nil
}

// cutList is the list of a result that may be cut.
type cutList struct {
	values      reflect.Value // not valid when there is none
	how         string        // to ask for what is missing
	newestFirst bool
}

func cuttable(v reflect.Value) cutList {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if tag := field.Tag; tag.Get("cut") != "" {
			return cutList{values: v.Field(i), how: tag.Get("cut"), newestFirst: tag.Get("newest") == "first"}
		}
		if field.Anonymous {
			if found := cuttable(v.Field(i)); found.values.IsValid() {
				return found
			}
		}
	}
	return cutList{}
}

// excess is how many of the oldest entries hold at least so many bytes.
func (l cutList) excess(bytes int) (int, error) {
	n := 0
	for ; n < l.values.Len() && bytes > 0; n++ {
		i := n
		if l.newestFirst {
			i = l.values.Len() - 1 - n
		}
		text, err := encode(l.values.Index(i).Interface())
		if err != nil {
			return 0, err
		}
		bytes -= len(text) + 1
	}
	return n, nil
}

// drop leaves out the n oldest entries.
func (l cutList) drop(n int) {
	from, to := n, l.values.Len()
	if l.newestFirst {
		from, to = 0, to-n
	}
	l.values.Set(l.values.Slice(from, to))
}

func setCount(v reflect.Value, n int) {
	for i := range v.NumField() {
		if _, ok := v.Type().Field(i).Tag.Lookup("count"); ok {
			v.Field(i).SetInt(int64(n))
		}
	}
}
