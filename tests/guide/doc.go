// Package guide holds that what people and models are told about scenarios is
// true: every block of YAML in the guide and in the skill is valid, every file
// that they name is there, and the skill's copies are current.
package guide
