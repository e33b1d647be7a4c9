// Package docs holds what the server shows of its own documentation.
package docs

import _ "embed" // for the files

// WritingScenarios is the guide for who writes scenarios, as Markdown.
//
//go:embed WRITING-SCENARIOS.md
var WritingScenarios string

// ScenarioLanguage is the reference of the scenario language, as Markdown.
//
//go:embed SCENARIOS.md
var ScenarioLanguage string
