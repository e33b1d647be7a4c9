package spec

import "slices"

// Language is the whole language as data: what reads scenarios is what
// describes them.
type Language struct {
	Scenario, Hook, Stop []Param
	// EventFact, SeriesFact and CallFact are the three kinds of fact. The
	// others are mappings within them.
	EventFact, SeriesFact, CallFact                []Param
	SeriesEvent, Event, Selector, Heard, Sent, RTP []Param
	Actions                                        []ActionForm // by their words
	// EventTypes are those with a fixed name, Families what stands for
	// several. OpenTypes is the regular expression of the others.
	EventTypes, Families []string
	OpenTypes            string
}

// ActionForm is one action: Main is the argument that {word: value} gives, or
// "".
type ActionForm struct {
	Word, Main string
	Params     []Param
}

// Describe gives the language.
func Describe() Language {
	l := Language{
		Scenario: slices.Clone(scenarioParams), Hook: slices.Clone(hookParams), Stop: slices.Clone(stopParams),
		EventFact: eventFactParams(), SeriesFact: slices.Clone(seriesFactParams), CallFact: callFactParams(),
		SeriesEvent: inOrderParams(), Event: slices.Clone(eventParams), Selector: slices.Clone(selectorParams),
		Heard: paramsOf(heardFields()), Sent: paramsOf(audioFields), RTP: paramsOf(rtpFields),
		EventTypes: slices.Clone(eventTypes), Families: slices.Clone(families), OpenTypes: openTypes.String(),
	}
	for _, word := range actionWords() {
		kind := actionKinds[word]
		l.Actions = append(l.Actions, ActionForm{Word: word, Main: kind.main, Params: kind.all(word)})
	}
	return l
}
