// Package schema describes the scenario language as JSON Schema, for editors
// and for models. It is made from what reads scenarios (spec.Describe) and from
// the pattern files, so that it cannot say anything else than they do.
//
// The schema takes everything that the program takes, and refuses most of what
// the program refuses: words that do not exist, values of a wrong type. What
// depends on several places at once – a hook whose action cannot know its
// phone, a variable that nothing captures – only validate finds.
package schema

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"ringmaster/scenario/pattern"
	"ringmaster/scenario/spec"
)

type object = map[string]any

// JSON is the schema of a whole scenario, indented. Patterns of the library
// are known with their parameters; others may be used all the same.
func JSON(library *pattern.Library) ([]byte, error) {
	text, err := json.MarshalIndent(whole(spec.Describe(), library), "", "  ")
	return append(text, '\n'), err
}

func whole(l spec.Language, library *pattern.Library) object {
	s := mapping(l.Scenario, scenarioDocs)
	maps.Copy(s, object{
		"$schema":     "http://json-schema.org/draft-07/schema#", // the one that every editor knows
		"title":       "Ringmaster scenario",
		"description": "What phones are to do, and what must come of it. supervisor validate FILE finds every fault.",
		"definitions": definitions(l, library),
	})
	return s
}

// Brief is the schema of a scenario as far as a tool's arguments say it: the
// keys of the scenario and of its parts, and the words of the actions. The
// whole is too much for every list of tools. It refuses nothing, so that a
// client that checks arguments itself leaves that to validate_scenario, which
// says what is wrong.
func Brief() object {
	l := spec.Describe()
	properties := object{}
	for _, p := range l.Scenario {
		properties[p.Name] = object{"description": scenarioDocs[p.Name]}
	}
	keys := func(params []spec.Param, docs map[string]string) object {
		inner := object{}
		for _, p := range params {
			inner[p.Name] = object{}
			if doc := docs[p.Name]; doc != "" {
				inner[p.Name] = object{"description": doc}
			}
		}
		return object{"type": "object", "properties": inner}
	}
	words := make([]string, len(l.Actions))
	for i, a := range l.Actions {
		words[i] = a.Word
		if a.Main != "" {
			words[i] += "(" + a.Main + ")"
		}
	}
	properties["hooks"] = object{"description": scenarioDocs["hooks"], "type": "array", "items": keys(l.Hook, hookDocs)}
	properties["stop_on"] = object{"description": scenarioDocs["stop_on"], "type": "array", "items": keys(l.Stop, nil)}
	properties["initial_actions"] = object{
		"description": scenarioDocs["initial_actions"] + " An action is {word: main argument}, {word: {argument: value}} or the word alone; the words, with their main arguments: " + strings.Join(words, ", "),
	}
	return object{"type": "object", "properties": properties}
}

// mapping is a mapping with these keys and no others.
func mapping(params []spec.Param, docs map[string]string) object {
	properties := object{}
	var required []string
	for _, p := range params {
		properties[p.Name] = described(param(p), docs[p.Name])
		for _, alias := range p.Aliases {
			properties[alias] = described(param(p), "the same as "+p.Name)
		}
		if p.Required && len(p.Aliases) == 0 {
			required = append(required, p.Name)
		}
	}
	m := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		m["required"] = required
	}
	return m
}

func described(s object, doc string) object {
	if doc == "" {
		return s
	}
	if _, isRef := s["$ref"]; isRef { // draft-07 does not look beside a $ref
		return object{"allOf": []object{s}, "description": doc}
	}
	s["description"] = doc
	return s
}

// param is what an argument takes.
func param(p spec.Param) object {
	switch {
	case len(p.OneOf) > 0 && p.Type == spec.TypeInteger:
		return anyOf(object{"enum": numbers(p.OneOf)}, ref("reference"), null())
	case len(p.OneOf) > 0:
		return anyOf(object{"enum": p.OneOf}, ref("reference"), null())
	case p.Type == spec.TypeInteger && p.Max != 0:
		return anyOf(object{"type": "integer", "minimum": p.Min, "maximum": p.Max}, ref("reference"), null())
	case p.Type == spec.TypeAudio || p.Type == spec.TypeRTP:
		return ref(p.Name)
	default:
		return ref(definitionOf(p.Type))
	}
}

func numbers(texts []string) []json.Number {
	list := make([]json.Number, len(texts))
	for i, t := range texts {
		list[i] = json.Number(t)
	}
	return list
}

func anyOf(s ...object) object { return object{"anyOf": s} }

func ref(definition string) object { return object{"$ref": "#/definitions/" + definition} }

func null() object { return object{"type": "null"} }

// oneOrList is one, or a list of some at least.
func oneOrList(one object, least int) object {
	return anyOf(one, object{"type": "array", "items": one, "minItems": least}, null())
}

// sorted are the keys of m.
func sorted[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
