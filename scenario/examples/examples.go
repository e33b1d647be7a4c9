// Package examples is the scenarios that come with the program, with a profile
// for their phones.
package examples

import "embed"

// Files are all of them and the profile, by their names.
//
//go:embed *.yaml
var Files embed.FS

// BasicCallDTMF is the text of basic-call-dtmf.yaml: a calls b and sends
// digits.
//
//go:embed basic-call-dtmf.yaml
var BasicCallDTMF string

// Phones is the text of phones.yaml, the profile with the phones a and b.
//
//go:embed phones.yaml
var Phones string

// Registrar is where the phones of the profile look for their registrar, and
// the scenarios for their phones.
const Registrar = "127.0.0.1:5070"
