// Package debugger stops a phone of a running fleet at a breakpoint, in the
// steps of docs/DEBUGGING.md.
package debugger
