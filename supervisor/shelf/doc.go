// Package shelf finds the files that calls left behind, below the folders
// where they are kept.
package shelf
