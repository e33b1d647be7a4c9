package floors

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"testing"
)

// Whatever starts a goroutine is watched for leaving one behind: the package's
// TestMain is goleak's. Packages without tests of their own, which only tests
// use, are watched by those.
func TestEveryGoroutineIsWatched(t *testing.T) {
	starting := 0
	for _, l := range list(t) {
		files := slices.Concat(l.GoFiles, l.TestGoFiles, l.XTestGoFiles)
		tested := len(l.TestGoFiles)+len(l.XTestGoFiles) > 0
		if !tested && under(l.pkg(), "tests") {
			continue
		}
		starts, watched := "", false
		for _, name := range files {
			path := filepath.Join(l.Dir, name)
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			if startsGoroutine(f) {
				starts = name
			}
			watched = watched || verifiesTestMain(f)
		}
		if starts != "" {
			starting++
		}
		if starts != "" && !watched {
			t.Errorf("%s starts a goroutine in %s, and has no TestMain with goleak.VerifyTestMain", l.pkg(), starts)
		}
	}
	if starting < 20 {
		t.Errorf("only %d packages were found to start goroutines: the search is broken", starting)
	}
}

// startsGoroutine finds a go statement, or one of the functions that stand for
// it.
func startsGoroutine(f *ast.File) (found bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = true
		case *ast.CallExpr:
			if of, ok := n.Fun.(*ast.SelectorExpr); ok {
				// of sync.WaitGroup and the like, of time and context
				found = found || of.Sel.Name == "Go" || of.Sel.Name == "AfterFunc"
			}
		}
		return !found
	})
	return found
}

// verifiesTestMain finds a TestMain that calls goleak.VerifyTestMain.
func verifiesTestMain(f *ast.File) (found bool) {
	for _, d := range f.Decls {
		main, ok := d.(*ast.FuncDecl)
		if !ok || main.Recv != nil || main.Name.Name != "TestMain" {
			continue
		}
		ast.Inspect(main, func(n ast.Node) bool {
			if of, ok := n.(*ast.SelectorExpr); ok {
				lib, _ := of.X.(*ast.Ident)
				found = found || lib != nil && lib.Name == "goleak" && of.Sel.Name == "VerifyTestMain"
			}
			return true
		})
	}
	return found
}

// The search finds what it is for.
func TestGoroutinesAreFound(t *testing.T) {
	for source, want := range map[string][2]bool{
		"func f() { go g() }":                                       {true, false},
		"func f() { var w sync.WaitGroup; w.Go(g) }":                {true, false},
		"func f() { defer context.AfterFunc(c, g)() }":              {true, false},
		"func f() { g() } // go g()":                                {false, false},
		"func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }":  {false, true},
		"func TestMain(m *testing.M) { m.Run() }":                   {false, false},
		"func TestOther(t *testing.T) { goleak.VerifyTestMain(m) }": {false, false},
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n"+source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]bool{startsGoroutine(f), verifiesTestMain(f)}; got != want {
			t.Errorf("%s: found %v, want %v", source, got, want)
		}
	}
}
