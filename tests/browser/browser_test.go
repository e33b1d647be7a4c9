package browser

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What a page says and asks for is noticed, and it is shown as it was asked.
func TestPage(t *testing.T) {
	if !Wanted() {
		t.Skip("chromium is not installed")
	}
	dir := t.TempDir()
	file, image := filepath.Join(dir, "x.html"), filepath.Join(dir, "x.png")
	text := `<!doctype html><style>@media (prefers-color-scheme: dark) { body { color: red } }</style><body>
		<script>console.error("nonsense")</script><img src="http://127.0.0.1:1/x.png">`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := Open(t)
	p.Load(file, 400, true)
	var saw struct {
		Width  int
		Colour string
	}
	p.Eval(`({Width: window.innerWidth, Colour: getComputedStyle(document.body).color})`, &saw)
	if saw.Width != 400 || saw.Colour != "rgb(255, 0, 0)" {
		t.Errorf("the page is shown as %+v", saw)
	}
	if said := strings.Join(p.Complaints(), " "); !strings.Contains(said, "nonsense") {
		t.Errorf("it said %s", said)
	}
	if asked := p.Requests(); !slices.Contains(asked, "http://127.0.0.1:1/x.png") {
		t.Errorf("it asked for %q", asked)
	}
	p.Screenshot(image)
	if png, err := os.ReadFile(image); err != nil || !strings.HasPrefix(string(png), "\x89PNG") {
		t.Errorf("the screenshot: %v", err)
	}
}
