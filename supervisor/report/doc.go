// Package report makes one HTML page of a call or a run, for a person to read
// and to pass on: what it came to, the ladder, quality over time, recordings
// with players, the timeline.
//
// A page is one file. It refers to nothing outside of itself, runs no script,
// and its Content-Security-Policy forbids both, whatever text of the network
// it shows.
package report
