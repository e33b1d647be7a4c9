// Package floors holds the order of the house: which package stands on which
// floor, what it may import, and which third-party library stays behind which
// names. Its test compares that with what `go list` sees, and keeps the map in
// README.md current.
package floors
