package schema

import (
	"strings"

	"ringmaster/scenario/pattern"
	"ringmaster/scenario/spec"
)

// definitionOf is a type's name among the definitions.
func definitionOf(t spec.Type) string { return strings.ReplaceAll(string(t), " ", "_") }

// A string that holds ${name} stands for a value of any type.
const referenceForm = `\$\{[A-Za-z_]`

// definitions are the types of the language, and its parts.
func definitions(l spec.Language, library *pattern.Library) object {
	all := object{
		"reference":  object{"type": "string", "pattern": referenceForm, "description": "a variable: ${name}"},
		"event_type": eventType(l),
		"action":     action(l),
		"pattern":    patternUse(library),
		"fact":       anyOf(ref("event_type"), mapping(l.EventFact, factDocs), mapping(l.SeriesFact, factDocs), mapping(l.CallFact, factDocs)),
		"heard":      anyOf(mapping(l.Heard, audioDocs), null()),
		"sent":       anyOf(mapping(l.Sent, audioDocs), null()),
		"rtp":        anyOf(mapping(l.RTP, nil), null()),
	}
	for t, s := range parts(l) {
		all[definitionOf(t)] = s
	}
	for t, s := range scalars() {
		all[definitionOf(t)] = s
	}
	return all
}

// parts are the types that are made of others.
func parts(l spec.Language) map[spec.Type]object {
	return map[spec.Type]object{
		spec.TypePatterns: listOf(ref("pattern")),
		spec.TypeHooks:    listOf(mapping(l.Hook, hookDocs)),
		spec.TypeStops:    listOf(mapping(l.Stop, nil)),
		spec.TypeActions:  oneOrList(ref("action"), 0),
		spec.TypeBranches: listOf(ref("actions")),
		spec.TypeFacts:    oneOrList(ref("fact"), 0),
		spec.TypeSeries:   {"type": "array", "items": anyOf(ref("event_type"), mapping(l.SeriesEvent, factDocs)), "minItems": 2},
		spec.TypeAnEvent:  anyOf(ref("event_type"), mapping(l.Event, factDocs), null()),
		spec.TypeSelector: anyOf(ref("phone"), mapping(l.Selector, nil)),
		spec.TypeEvents:   oneOrList(ref("event_type"), 1),
	}
}

func listOf(item object) object {
	return anyOf(object{"type": "array", "items": item}, null())
}

// scalars are the types of single values, and of plain mappings.
func scalars() map[spec.Type]object {
	text := func(more object) object {
		more["type"] = "string"
		return more
	}
	integer := object{"type": "integer", "minimum": 0}
	number := object{"type": "number"}
	plain := object{"type": []string{"object", "null"}}
	bounds := func(v object) object {
		return object{"type": "object", "properties": object{"min": v, "max": v}, "additionalProperties": false, "minProperties": 1}
	}
	variable := anyOf(number, ref("reference"), null())
	span := anyOf(text(object{"pattern": `^([0-9]*\.?[0-9]+(ns|us|µs|ms|s|m|h))+$|` + referenceForm}), null())
	phoneID := anyOf(text(object{"pattern": `^[a-z0-9_]{1,32}$|` + referenceForm}), integer, null())
	code := anyOf(object{"type": "integer", "minimum": 100, "maximum": 699}, ref("reference"))
	texts := object{"type": []string{"string", "number", "boolean", "null"}}
	return map[spec.Type]object{
		spec.TypeString:   texts,
		spec.TypeInteger:  anyOf(object{"type": "integer"}, ref("reference"), null()),
		spec.TypeBoolean:  anyOf(object{"type": "boolean"}, ref("reference"), null()),
		spec.TypeDuration: anyOf(integer, text(object{"pattern": `^\+?([0-9]+|([0-9]*\.?[0-9]+(ns|us|µs|ms|s|m|h))+)$|` + referenceForm}), null()),
		spec.TypePhone:    phoneID,
		spec.TypePhones:   oneOrList(anyOf(phoneID, object{"const": spec.AnyPhone}), 0),
		spec.TypeURI:      anyOf(text(object{"pattern": `^[sS][iI][pP][sS]?:.|` + referenceForm}), null()),
		spec.TypeDigits:   {"type": []string{"string", "integer", "null"}},
		spec.TypeDigit:    {"type": []string{"string", "integer", "null"}},
		spec.TypeCodes:    oneOrList(code, 0),
		spec.TypeStrings:  oneOrList(texts, 1),
		spec.TypeCall:     anyOf(integer, ref("reference"), null()),
		spec.TypeCalls:    anyOf(object{"const": "auto"}, object{"type": "array", "items": anyOf(integer, ref("reference")), "minItems": 2}, ref("reference"), null()),
		spec.TypeHeaders:  {"type": []string{"object", "null"}, "additionalProperties": texts},
		spec.TypeObject:   anyOf(plain, ref("reference")),
		spec.TypeMatch:    {"type": []string{"object", "null"}, "description": `fields of the event's data, by dotted path, and what they must be: a value, a list of values, "4xx", or "~regex"`},
		spec.TypeVars:     plain,
		spec.TypeCapture:  {"type": []string{"object", "null"}, "additionalProperties": object{"type": "string"}, "description": "variables, and the field of the event that each takes"},
		spec.TypeName:     anyOf(text(object{"pattern": `^[A-Za-z_][A-Za-z0-9_]{0,63}$`}), null()),
		spec.TypeSecret:   texts,
		spec.TypeWant:     {},
		spec.TypeCallRef:  anyOf(integer, object{"enum": []string{"first", "second", "third", "last"}}, ref("reference"), null()),
		spec.TypeCount:    anyOf(integer, bounds(variable), ref("reference"), null()),
		spec.TypeBounds:   anyOf(bounds(variable), ref("reference"), null()),
		spec.TypeTone:     anyOf(number, bounds(variable), ref("reference"), null()),
		spec.TypeSpan:     anyOf(bounds(span), ref("reference"), null()),
	}
}

// eventType is one type, a family, or "*".
func eventType(l spec.Language) object {
	known := append(append([]string{string(spec.EveryEvent)}, l.EventTypes...), l.Families...)
	return anyOf(
		object{"enum": known},
		object{"type": "string", "pattern": l.OpenTypes},
		object{"type": "string", "pattern": `^(` + strings.Join(familyNames(l), "|") + `)\.([A-Za-z0-9_.-]+\.)?\*$`},
		ref("reference"),
	)
}

// familyNames are the first words of the types: "call", "dtmf", …
func familyNames(l spec.Language) []string {
	seen := map[string]bool{"user": true}
	for _, t := range l.EventTypes {
		head, _, _ := strings.Cut(t, ".")
		seen[head] = true
	}
	return sorted(seen)
}

// action is one step in any of its forms. Arguments may stand beside the word.
func action(l spec.Language) object {
	properties := object{}
	words := make([]string, len(l.Actions))
	for _, a := range l.Actions {
		for _, p := range a.Params {
			for _, name := range append([]string{p.Name}, p.Aliases...) {
				properties[name] = object{}
			}
		}
	}
	for i, a := range l.Actions {
		words[i] = a.Word
		properties[a.Word] = described(anyOf(values(a)...), actionDocs[a.Word])
	}
	properties["action"] = object{"enum": words}
	return anyOf(
		object{"enum": words},
		object{"type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1},
	)
}

// values are what may stand after an action's word.
func values(a spec.ActionForm) []object {
	arguments := mapping(a.Params, nil)
	delete(arguments, "required") // an argument may stand beside the word
	forms := []object{arguments, null()}
	for _, p := range a.Params {
		if p.Name == a.Main {
			forms = append(forms, param(p))
		}
	}
	return forms
}

// patternUse is one entry of patterns: of the library's, with their
// parameters, or of the user's, with any.
func patternUse(library *pattern.Library) object {
	names := library.Names()
	forms := []object{{"type": "string"}}
	for _, name := range names {
		p, _ := library.Pattern(name)
		properties := object{"use": object{"const": name}}
		required := []string{"use"}
		for _, one := range p.Parameters {
			properties[one.Name] = described(param(one.Param), one.Description)
			if one.Default == nil {
				required = append(required, one.Name)
			}
		}
		forms = append(forms, object{
			"type": "object", "description": p.Description, "properties": properties, "required": required, "additionalProperties": false,
		})
	}
	others := object{"type": "object", "properties": object{"use": object{"type": "string", "not": object{"enum": names}}}, "required": []string{"use"}}
	return anyOf(append(forms, others)...)
}
