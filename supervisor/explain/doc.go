// Package explain says why a call went as it did: facts on record in, findings
// out. It asks nobody and remembers nothing.
//
//	fact.go       what is known of a call
//	exchange.go   its requests with their answers
//	agreement.go  what the two sides agreed on about sound
//	rule.go       what a rule is, and how all are asked
//	rules_….go    the rules, as tables
//	ending.go     who ended the call, and how
//	meaning.go    what SIP statuses and Q.850 causes usually mean
//
// Every rule looks at the facts alone and can be read, tested and trusted by
// itself. Where one explains what another would report too, the other asks for
// it and is silent: each matter is found once. docs/DIAGNOSIS.md is their
// table, made from the rules by a test.
package explain
