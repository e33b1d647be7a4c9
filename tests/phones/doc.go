// Package phones lets a test tell over MCP what a person would: a calls b, b
// answers, each plays a tone, and both recordings hold what was to be heard.
// Every wait looks for what it waits for and has a deadline.
package phones
