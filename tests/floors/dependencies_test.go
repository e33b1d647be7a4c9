package floors

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// docs/DEPENDENCIES.md names every module that go.mod requires for our own
// imports, with the version that go.mod has, and no module that is not there.
func TestDependenciesAreDocumented(t *testing.T) {
	raw, err := os.ReadFile(root + "/docs/DEPENDENCIES.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, line := range strings.Split(string(raw), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) > 3 && strings.HasPrefix(cells[1], " `") {
			documented[strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[2])
		}
	}
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path, Version string
			Indirect      bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Require {
		version, is := documented[r.Path]
		switch {
		case !is && r.Indirect:
		case !is:
			t.Errorf("docs/DEPENDENCIES.md says nothing of %s", r.Path)
		case version != r.Version:
			t.Errorf("docs/DEPENDENCIES.md has %s %s, and go.mod %s", r.Path, version, r.Version)
		}
		delete(documented, r.Path)
	}
	for path := range documented {
		t.Errorf("docs/DEPENDENCIES.md has %s, which go.mod does not require", path)
	}
}
