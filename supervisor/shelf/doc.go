// Package shelf looks after the files that calls left behind, below the
// folders where they are kept: it finds them, lets clients read them by names
// that lead nowhere else, and closes those whose worker has died.
package shelf
