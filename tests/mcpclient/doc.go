// Package mcpclient is an MCP client on stdio for tests: it runs a supervisor,
// speaks JSON-RPC to it as a client of the real world does, and holds it to
// what the contract says of every answer.
//
// It is written against the protocol's text and shares no code with the
// server, so that a misreading on one side does not agree with itself.
package mcpclient
