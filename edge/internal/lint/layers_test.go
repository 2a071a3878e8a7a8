package lint_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	root = "github.com/anatolykoptev/oxpulse-sfu"
	kit  = root + "/sfukit"
)

// layers says what each package may import besides the standard library. It is
// policy and not description: a wider row wants a reason, see docs/adr. An entry
// that ends in a slash allows a subtree. A package without a row fails.
var layers = map[string][]string{
	"edge/internal/lint": {},
	"edge/signal":        {kit, kit + "/units", "nhooyr.io/websocket"},

	"examples/basic-sfu":       {kit, kit + "/bwe", root + "/edge/signal"}, // bwe for the names of what binds an estimate
	"examples/internal/loop":   {"github.com/pion/"},
	"examples/internal/scenes": {},
	"examples/internal/mutate": {},
	"examples/bwe":             {kit + "/bwe", root + "/examples/internal/loop", "github.com/pion/"},
	"examples/fanout":          {kit + "/fanout", root + "/examples/internal/loop", "github.com/pion/"},
	"examples/layers":          {kit + "/codec", kit + "/layer", kit + "/rewrite", root + "/examples/internal/loop", "github.com/pion/"},
	"examples/speaker":         {kit + "/speaker", root + "/examples/internal/loop", "github.com/pion/"},
	"examples/sim":             {kit + "/bwe", kit + "/sim", kit + "/units", "github.com/pion/"},
}

// home is the one place of a dependency.
type home struct {
	path  string // of the import, with all below it
	under string // the only directory that may import it, with all below it; "" for none
	tests bool   // tests may import it anywhere
	why   string
}

// homes beat every row above. The first that fits an import counts.
var homes = []home{
	{"github.com/pion", "examples", false, "the edge reaches pion through the kit only"},
	{"nhooyr.io/websocket", "edge/signal", false, "frozen upstream, so one package is to be changed when it goes"},
	{"github.com/coder/websocket", "", false, "one websocket library is enough"},
	{"github.com/gorilla/websocket", "", false, "one websocket library is enough"},
	{"github.com/lestrrat-go/jwx", "edge/internal/auth", false, "frozen upstream, so one package is to be changed when it goes"},
	{"go.opentelemetry.io/otel/sdk", "edge/internal/telemetry", false, "one package decides where numbers and spans go"},
	{"go.opentelemetry.io/otel/exporters", "edge/internal/telemetry", false, "one package decides where numbers and spans go"},
	{"github.com/prometheus", "edge/internal/telemetry", false, "one package decides where numbers and spans go"},
	{"github.com/chromedp", "", true, "a browser is for tests"},
}

// check compares the imports of edge and examples with the tables, and counts
// package comments.
func check(tree fs.FS) ([]string, error) {
	var complaints []string
	comments := map[string]int{}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && !below(name, "edge") && !below(name, "examples") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		if !strings.HasSuffix(name, "_test.go") {
			comments[path.Dir(name)] += 0
			if file.Doc != nil {
				comments[path.Dir(name)]++
			}
		}
		complaints = append(complaints, checkFile(name, file)...)
		return nil
	})
	for pkg, n := range comments {
		if _, listed := layers[pkg]; !listed {
			complaints = append(complaints, fmt.Sprintf("package %s has no row in layers", pkg))
		}
		if n != 1 {
			complaints = append(complaints, fmt.Sprintf("package %s has %d package comments, want 1", pkg, n))
		}
	}
	return complaints, err
}

// checkFile looks at the imports of one file.
func checkFile(name string, file *ast.File) (complaints []string) {
	pkg, test := path.Dir(name), strings.HasSuffix(name, "_test.go")
	allowed, listed := layers[pkg]
	for _, im := range file.Imports {
		p, _ := strconv.Unquote(im.Path.Value) // a parsed file has no bad literals
		at := slices.IndexFunc(homes, func(h home) bool { return below(p, h.path) })
		first, _, _ := strings.Cut(p, "/")
		switch {
		case at >= 0 && !homes[at].admits(pkg, test):
			complaints = append(complaints, fmt.Sprintf("%s imports %s: %s", name, p, homes[at].why))
		case test || !listed || !strings.Contains(first, "."):
		case !permits(allowed, p):
			complaints = append(complaints, fmt.Sprintf("%s imports %s, which the row of package %s does not allow", name, p, pkg))
		}
	}
	return complaints
}

// admits reports whether a file of pkg may import what lives in h.
func (h home) admits(pkg string, test bool) bool {
	return test && h.tests || h.under != "" && below(pkg, h.under)
}

// below reports whether p is dir or in it.
func below(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

func permits(allowed []string, p string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		return p == a || strings.HasSuffix(a, "/") && strings.HasPrefix(p, a)
	})
}

func TestLayers(t *testing.T) {
	tree := os.DirFS("../../..")
	complaints, err := check(tree)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range complaints {
		t.Error(c)
	}
	for pkg := range layers {
		if files, err := fs.Glob(tree, pkg+"/*.go"); err != nil || len(files) == 0 {
			t.Errorf("layers has a row for %s, which is no package", pkg)
		}
	}
}

// TestGates breaks each rule once: a gate that never fails guards nothing.
func TestGates(t *testing.T) {
	tests := []struct {
		name string
		file string
		path string // imported
		want string // in the one complaint; "" for none
	}{
		{"websocket at home", "edge/signal/a.go", "nhooyr.io/websocket", ""},
		{"websocket elsewhere", "examples/basic-sfu/a.go", "nhooyr.io/websocket", "frozen"},
		{"another websocket", "edge/signal/a.go", "github.com/coder/websocket", "enough"},
		{"jwx elsewhere", "edge/signal/a.go", "github.com/lestrrat-go/jwx/v2/jwt", "frozen"},
		{"exporter elsewhere", "edge/signal/a.go", "go.opentelemetry.io/otel/exporters/prometheus", "where numbers"},
		{"prometheus in a test", "edge/signal/a_test.go", "github.com/prometheus/client_golang/prometheus", "where numbers"},
		{"pion in the edge", "edge/signal/a.go", "github.com/pion/webrtc/v4", "through the kit"},
		{"pion in a test of the edge", "edge/signal/a_test.go", "github.com/pion/rtp", "through the kit"},
		{"pion in an example", "examples/bwe/a.go", "github.com/pion/rtp", ""},
		{"pion in the demo", "examples/basic-sfu/a.go", "github.com/pion/rtp", "does not allow"},
		{"pion in a test of the demo", "examples/basic-sfu/a_test.go", "github.com/pion/rtp", ""},
		{"browser in a test", "examples/basic-sfu/a_test.go", "github.com/chromedp/chromedp", ""},
		{"browser in the demo", "examples/basic-sfu/a.go", "github.com/chromedp/chromedp", "for tests"},
		{"part of the kit not in the row", "edge/signal/a.go", kit + "/bwe", "does not allow"},
		{"unlisted package", "edge/misc/a.go", "fmt", "no row"},
		{"outside edge and examples", "docs/a.go", "github.com/pion/rtp", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			text := fmt.Sprintf("// Package p is commented.\npackage p\nimport %q\n", tc.path)
			got, err := check(fstest.MapFS{tc.file: {Data: []byte(text)}})
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case tc.want == "" && len(got) > 0:
				t.Errorf("complaints %q, want none", got)
			case tc.want != "" && (len(got) != 1 || !strings.Contains(got[0], tc.want)):
				t.Errorf("complaints %q, want one with %q in it", got, tc.want)
			}
		})
	}
	got, err := check(fstest.MapFS{"edge/signal/a.go": {Data: []byte("package signal")}})
	if want := "package edge/signal has 0 package comments, want 1"; err != nil || !slices.Equal(got, []string{want}) {
		t.Errorf("without a package comment: %q, %v, want %q", got, err, want)
	}
}
