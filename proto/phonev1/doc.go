// Package phonev1 is the generated code of phone.proto, the protocol between
// the supervisor and a worker.
package phonev1

//go:generate go run ringmaster/tools/protogen phone.proto
