package guide

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"ringmaster/docs"
	"ringmaster/scenario"
)

var update = flag.Bool("update", false, "copy the guide and the examples into the skill")

const (
	root     = "../../"
	skill    = root + "skill/ringmaster-scenarios/"
	examples = root + "scenario/examples/"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var block = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// A part of a scenario is valid by itself when it has the keys that a scenario
// has, so the whole of the text can be tried.
func TestEveryBlockIsValid(t *testing.T) {
	patterns, _, err := scenario.Patterns()
	if err != nil {
		t.Fatal(err)
	}
	for file, least := range map[string]int{root + "docs/WRITING-SCENARIOS.md": 8, skill + "SKILL.md": 1} {
		blocks := block.FindAllStringSubmatch(read(t, file), -1)
		if len(blocks) < least {
			t.Errorf("%s has %d blocks of YAML", file, len(blocks))
		}
		for i, b := range blocks {
			if _, issues := scenario.Load(fmt.Sprintf("%s, block %d", file, i+1), []byte(b[1]), patterns); len(issues) > 0 {
				t.Errorf("%s", issues.Error())
			}
		}
	}
}

func TestTheGuideNamesEveryExample(t *testing.T) {
	named := regexp.MustCompile("`([a-z-]+\\.yaml)`").FindAllStringSubmatch(docs.WritingScenarios, -1)
	var names []string
	for _, n := range named {
		names = append(names, n[1])
		if _, err := os.Stat(examples + n[1]); err != nil {
			t.Errorf("the guide names %s: %v", n[1], err)
		}
	}
	files, err := filepath.Glob(examples + "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := filepath.Base(file); name != "phones.yaml" && !slices.Contains(names, name) {
			t.Errorf("the guide does not name %s", name)
		}
	}
}

// A client installs the skill by copying its folder, so it holds copies of what
// it speaks of.
func TestTheSkillIsWhole(t *testing.T) {
	text := read(t, skill+"SKILL.md")
	parts := strings.SplitN(text, "---\n", 3)
	var front struct{ Name, Description string }
	if len(parts) != 3 || yaml.Unmarshal([]byte(parts[1]), &front) != nil {
		t.Fatal("SKILL.md has no front matter")
	}
	if front.Name != filepath.Base(skill) || len(front.Description) < 50 || len(front.Description) > 1024 {
		t.Errorf("name %q, a description of %d characters", front.Name, len(front.Description))
	}
	if words := len(strings.Fields(text)); words > 1500 {
		t.Errorf("SKILL.md has %d words: a model reads it whole", words)
	}
	copies := map[string]string{root + "docs/WRITING-SCENARIOS.md": skill + "guide.md", root + "docs/SCENARIOS.md": skill + "reference.md"}
	for _, file := range filesBelow(t, examples) {
		if filepath.Ext(file) != ".go" {
			copies[examples+file] = skill + "examples/" + file
		}
	}
	for from, to := range copies {
		want := []byte(read(t, from))
		if *update {
			if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, want, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not %s (%v): make generate", to, from, err)
		}
	}
	if there := filesBelow(t, skill); len(there) != len(copies)+1 {
		t.Errorf("the skill has %d files, want SKILL.md and %d copies: %q", len(there), len(copies), there)
	}
}

// filesBelow are the files of a folder and of those in it, as paths from there.
func filesBelow(t *testing.T, folder string) []string {
	t.Helper()
	var files []string
	err := fs.WalkDir(os.DirFS(folder), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
