package floors

import (
	"fmt"
	"sort"
	"strings"
)

// The marks in README.md between which the map stands.
const (
	mapBegin = "<!-- The map is made from tests/floors/table.go and the packages' comments by `make generate`. -->\n"
	mapEnd   = "<!-- End of the map. -->\n"
)

// houseMap draws the map of the packages that there are, top floor first.
func houseMap(all []listed) string {
	byFloor := map[int][]listed{}
	for _, l := range all {
		if f, known := floor[l.pkg()]; known {
			byFloor[f] = append(byFloor[f], l)
		}
	}
	var b strings.Builder
	b.WriteString("| floor | package | what it is |\n|---|---|---|\n")
	for f := len(floorTitle) - 1; f >= 0; f-- {
		packages := byFloor[f]
		if len(packages) == 0 {
			continue
		}
		sort.Slice(packages, func(i, j int) bool { return packages[i].ImportPath < packages[j].ImportPath })
		fmt.Fprintf(&b, "| **%d** | | **%s** |\n", f, floorTitle[f])
		for _, l := range packages {
			fmt.Fprintf(&b, "| | `%s` | %s |\n", l.pkg(), purpose(l.Doc))
		}
	}
	return b.String()
}

// purpose is the first sentence of a package's comment without its subject.
func purpose(doc string) string {
	words := strings.SplitN(doc, " ", 3)
	if len(words) == 3 && words[0] == "Package" {
		doc = words[2]
	} else if len(words) == 3 && words[0] == "Command" {
		doc = words[2]
	}
	return strings.ReplaceAll(strings.TrimSuffix(doc, "."), "|", "\\|")
}

// withMap returns the README with the map put between its marks.
func withMap(readme, drawn string) (string, error) {
	before, rest, found := strings.Cut(readme, mapBegin)
	if !found {
		return "", fmt.Errorf("README.md lacks the line %q", mapBegin)
	}
	_, after, found := strings.Cut(rest, mapEnd)
	if !found {
		return "", fmt.Errorf("README.md lacks the line %q", mapEnd)
	}
	return before + mapBegin + drawn + mapEnd + after, nil
}
