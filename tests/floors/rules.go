package floors

import (
	"fmt"
	"strings"
)

// listed is what `go list -json` says of one package.
type listed struct {
	ImportPath   string
	Dir          string
	Doc          string // first sentence of the package's comment
	GoFiles      []string
	TestGoFiles  []string // in the package
	XTestGoFiles []string // beside it
	Imports      []string
	TestImports  []string // of _test.go files in the package
	XTestImports []string // of _test.go files beside it
}

func (l listed) pkg() string { return strings.TrimPrefix(l.ImportPath, module) }

func under(pkg, dir string) bool { return strings.HasPrefix(pkg, dir+"/") }

// outside tells whether a package stands outside the house.
func outside(pkg string) bool { return under(pkg, "tests") || under(pkg, "tools") }

// standard tells whether an import path is of the standard library: those have
// no dot in their first element.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// faults lists everything that is against the table, a sentence each.
func faults(all []listed) []string {
	var found []string
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	for _, l := range all {
		pkg := l.pkg()
		if outside(pkg) {
			continue
		}
		own, known := floor[pkg]
		if !known {
			say("%s has no floor: give it one in tests/floors/table.go and docs/ARCHITECTURE.md", pkg)
			continue
		}
		if l.Doc == "" {
			say("%s has no package comment", pkg)
		}
		for _, path := range l.Imports {
			if other, ours := strings.CutPrefix(path, module); ours {
				checkOwn(say, pkg, own, other)
			} else if !standard(path) {
				checkLibrary(say, pkg, path)
			}
		}
		for _, path := range append(l.TestImports, l.XTestImports...) {
			if other, ours := strings.CutPrefix(path, module); ours {
				checkSides(say, pkg+" (test)", side(pkg), other)
			}
		}
	}
	return found
}

func checkOwn(say func(string, ...any), pkg string, own int, other string) {
	if outside(other) {
		say("%s imports %s: only tests may", pkg, other)
		return
	}
	if theirs, known := floor[other]; known && theirs >= own {
		say("%s (floor %d) imports %s (floor %d): only lower floors may be imported", pkg, own, other, theirs)
	}
	checkSides(say, pkg, side(pkg), other)
}

func checkSides(say func(string, ...any), pkg, own, other string) {
	theirs := side(other)
	switch {
	case theirs == "" || theirs == own:
	case own == "supervisor" && theirs == "scenario": // the server runs scenarios
	case own == "":
		say("%s is shared and imports %s of the %s", pkg, other, theirs)
	default:
		say("%s of the %s imports %s of the %s", pkg, own, other, theirs)
	}
}

func checkLibrary(say func(string, ...any), pkg, path string) {
	var best library
	for _, l := range libraries {
		if (path == l.prefix || under(path, l.prefix)) && len(l.prefix) > len(best.prefix) {
			best = l
		}
	}
	if best.prefix == "" {
		say("%s imports %s, which no package may import", pkg, path)
		return
	}
	for _, user := range best.users {
		if user == pkg {
			return
		}
	}
	say("%s imports %s, which stays behind %s", pkg, path, strings.Join(best.users, ", "))
}
