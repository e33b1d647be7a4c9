package tool

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/hub"
)

// entry is one line of the table of tools.
type entry struct {
	name        string
	title       string
	description string
	hints       Hints
	fields      []field
	schema      json.RawMessage
	result      reflect.Type // of what perform gives
	perform     func(ctx context.Context, c *call, raw json.RawMessage) (any, error)
}

// define completes an entry with what it does. The arguments' type A gives the
// schema (see field), the result's type R the answer.
func define[A, R any](e entry, fn func(ctx context.Context, c *call, args A) (R, error)) entry {
	e.fields = fieldsOf[A]()
	e.schema = schema(e.fields)
	e.result = reflect.TypeFor[R]()
	e.perform = func(ctx context.Context, c *call, raw json.RawMessage) (any, error) {
		var args A
		if err := decode(e, raw, &args); err != nil {
			return nil, err
		}
		mapPaths(&args, c.set.inside)
		result, err := fn(ctx, c, args)
		if err != nil {
			return nil, err
		}
		c.resources = append(c.resources, c.set.linked(&result)...)
		mapPaths(&result, c.set.outside)
		return result, nil
	}
	return e
}

// call is one call of a tool.
type call struct {
	set    *Set
	acts   bool     // it changes something: its answer has a cursor
	phone  phone.ID // the phone of a per-phone tool, or ""
	cursor uint64   // the place to wait from

	resources []string // URIs of the files that the answer tells of
}

// do gives a command to the phone.
func (c *call) do(ctx context.Context, cmd phone.Command) (phone.Outcome, error) {
	if !c.acts {
		return c.set.o.Phones.Do(ctx, c.phone, cmd)
	}
	m := c.mark(c.phone)
	out, err := c.set.o.Phones.Do(ctx, c.phone, cmd)
	if err != nil {
		return phone.Outcome{}, err
	}
	c.accepted(m, out)
	return out, nil
}

// mark begins what a tool does at a phone: see hub.Mark.
func (c *call) mark(id phone.ID) hub.Mark {
	m := c.set.o.Hub.Mark(id)
	c.cursor = m.Position()
	return m
}

func (c *call) accepted(m hub.Mark, out phone.Outcome) {
	c.cursor = c.set.o.Hub.Accepted(m, out.Cursor)
	if out.Call != nil {
		c.set.o.Hub.NoteCall(c.phone, out.Call.CallID)
	}
}

func (s *Set) callStatic(ctx context.Context, e entry, raw json.RawMessage) Answer {
	c := &call{set: s, acts: !e.hints.ReadOnly}
	result, err := e.perform(ctx, c, raw)
	if err != nil {
		return s.failure(err, givenPhone(raw))
	}
	if nested, ok := result.(Answer); ok { // phone_action
		return nested
	}
	return c.success(e, result)
}

func (s *Set) callAction(ctx context.Context, e entry, id phone.ID, raw json.RawMessage) Answer {
	c := &call{set: s, acts: !e.hints.ReadOnly, phone: id}
	result, err := e.perform(ctx, c, raw)
	if err != nil {
		return s.failure(err, id)
	}
	return c.success(e, result)
}

// phoneArgument is the argument that names a phone.
type phoneArgument struct {
	PhoneID string `json:"phone_id" doc:"the phone"`
}

func (s *Set) callShared(ctx context.Context, e entry, raw json.RawMessage) Answer {
	given, err := object(raw)
	if err != nil {
		return s.failure(err, phone.ID(""))
	}
	var args phoneArgument
	one := map[string]json.RawMessage{}
	if v, ok := given["phone_id"]; ok {
		one["phone_id"] = v
	}
	if err := decodeObject(e.name, fieldsOf[phoneArgument](), one, &args); err != nil {
		return s.failure(err, givenPhone(raw))
	}
	delete(given, "phone_id")
	rest, err := json.Marshal(given)
	if err != nil {
		return s.failure(err, givenPhone(raw))
	}
	return s.actOn(ctx, e, args.PhoneID, rest)
}

// actOn performs an action at a phone that a client has named.
func (s *Set) actOn(ctx context.Context, e entry, phoneID string, raw json.RawMessage) Answer {
	id, err := s.known(phoneID)
	if err != nil {
		return s.failure(err, phone.ID(clean(phoneID, idBound)))
	}
	return s.callAction(ctx, e, id, raw)
}

// known checks the id of a phone that must be there.
func (s *Set) known(phoneID string) (phone.ID, error) {
	id, err := phone.ParseID(phoneID)
	if err != nil {
		return "", err
	}
	if _, err := s.o.Phones.Status(id); err != nil {
		return "", err
	}
	return id, nil
}

// givenPhone is the phone_id that a refused call named, as far as it did.
func givenPhone(raw json.RawMessage) phone.ID {
	var args struct {
		PhoneID string `json:"phone_id"`
	}
	if json.Unmarshal(raw, &args) != nil {
		return ""
	}
	return phone.ID(clean(args.PhoneID, idBound))
}

// isKind reports whether err is a phone's error of that kind.
func isKind(err error, kind phone.ErrorKind) bool {
	var e *phone.Error
	return errors.As(err, &e) && e.Kind == kind
}
