// Package shelf looks after the files that calls left behind, below the
// folders where they are kept: it finds them, and closes those whose worker
// has died.
package shelf
