// Package spec reads scenarios: YAML text, or the JSON object of a tool call,
// becomes typed steps that know where they were written.
//
// Reading is strict and finds every fault at once. A fault names the place
// (file:line:column of a text, the path inside an object), what is wrong and
// the nearest known word:
//
//	ivr.yaml:12:9: unknown action "send_dmtf"; did you mean "send_dtmf"?
//	hooks[2].then[0].digits: "12x" is not a string of digits 0-9 * # A-D
//
// What is read describes itself: Describe gives every key, action and argument.
// Where variables are still to be captured, an action or a fact keeps its nodes
// and is read again when it is bound.
//
// Text and objects go through one tree of nodes, so both are held to the same
// rules. The tree is also what a pattern is: a scenario's fragment with
// ${parameters} in it.
package spec
