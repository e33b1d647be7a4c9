package tool

import (
	"strings"
	"time"

	"ringmaster/docs"
	"ringmaster/scenario/examples"
	scenarioschema "ringmaster/scenario/schema"
	"ringmaster/supervisor/shelf"
)

// guideScheme is how the URIs of the guides begin.
const guideScheme = shelf.Scheme + "guide/"

// guide is something to read that comes with the program.
type guide struct {
	Resource
	text func(s *Set) ([]byte, error)
}

// guides are what helps to write scenarios. They never change, so they stand
// last in the list of resources.
func guides() []guide {
	never := time.Unix(0, 0)
	return []guide{
		{
			Resource{
				URI: guideScheme + "scenarios", Name: "Guide: writing scenarios", MIME: "text/markdown", Changed: never,
				Description: "How to write scenarios that do not pass by mistake and do not fail by chance. Read it before the first one.",
			},
			func(*Set) ([]byte, error) { return []byte(docs.WritingScenarios), nil },
		},
		{
			Resource{
				URI: guideScheme + "scenario-language", Name: "Reference: the scenario language", MIME: "text/markdown", Changed: never,
				Description: "Every key, action, fact and event type of scenarios.",
			},
			func(*Set) ([]byte, error) { return []byte(docs.ScenarioLanguage), nil },
		},
		{
			Resource{
				URI: guideScheme + "scenario-schema", Name: "JSON Schema of scenarios", MIME: "application/schema+json", Changed: never,
				Description: "The whole scenario language as JSON Schema, with the patterns that this server has.",
			},
			func(s *Set) ([]byte, error) { return scenarioschema.JSON(s.o.Patterns) },
		},
	}
}

// readGuide gives the guide of a URI, or the example; false when it is none.
// Examples are not listed: the guide says which is for what.
func (s *Set) readGuide(uri string) (shelf.Content, bool, error) {
	for _, g := range guides() {
		if g.URI == uri {
			text, err := g.text(s)
			return shelf.Content{MIME: g.MIME, Text: true, Data: text}, true, err
		}
	}
	name, ok := strings.CutPrefix(uri, guideScheme)
	if !ok {
		return shelf.Content{}, false, nil
	}
	if text, err := examples.Files.ReadFile(name); err == nil {
		return shelf.Content{MIME: "application/yaml", Text: true, Data: text}, true, nil
	}
	return shelf.Content{}, false, nil
}
