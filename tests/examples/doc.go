// Package examples runs the scenarios of scenario/examples on real phones, as a
// user would, by the command line: again and again on the embedded PBX, and
// through Asterisk. And it hunts for false passes: scenarios that must fail
// have to, for the right reason.
package examples
