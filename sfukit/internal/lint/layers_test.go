package lint_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers says what each package may import besides the standard library. It is
// policy and not description: a wider row wants a reason, see docs/adr. An entry
// that ends in a slash allows a subtree. A package without a row fails.
var layers = map[string][]string{
	"units":           {},
	"internal/seqno":  {},
	"internal/lint":   {},
	"internal/tasks":  {},
	"internal/ddtest": {mod + "/codec/dd"},

	"layer":     {mod + "/internal/seqno", mod + "/units"},
	"bwe":       {mod + "/internal/seqno", mod + "/units"},
	"nack":      {mod + "/internal/seqno", mod + "/units"},
	"report":    {mod + "/internal/seqno", mod + "/units"},
	"keyframe":  {mod + "/internal/seqno", mod + "/units"},
	"history":   {mod + "/internal/seqno", mod + "/units"},
	"speaker":   {mod + "/internal/seqno", mod + "/units"},
	"shaper":    {mod + "/internal/seqno", mod + "/units"},
	"demand":    {mod + "/internal/seqno", mod + "/units"},
	"fanout":    {mod + "/internal/seqno", mod + "/units"},
	"negotiate": {mod + "/internal/seqno", mod + "/units"},
	"pacer":     {mod + "/internal/seqno", mod + "/units", mod + "/layer"},
	// The allocator has video on and off by the thresholds of pacer.
	"allocate": {mod + "/internal/seqno", mod + "/units", mod + "/layer", mod + "/pacer"},

	"codec":              {mod + "/internal/seqno", mod + "/units", mod + "/codec/framemarking"},
	"codec/dd":           {mod + "/internal/seqno"},
	"codec/framemarking": {},
	"rewrite":            {mod + "/internal/seqno", mod + "/units", mod + "/codec", mod + "/codec/dd"},

	"internal/sdpx":      {"github.com/pion/sdp/v3"},
	"internal/udpsock":   {"golang.org/x/sys/", "golang.org/x/net/"},
	"internal/transport": {mod + "/codec", "github.com/pion/rtp", "github.com/pion/rtcp"},
	"internal/seam":      {mod + "/internal/transport"},
	"internal/pionx":     {mod + "/codec", mod + "/internal/", "github.com/pion/"},
	"sim":                {mod, mod + "/", "github.com/pion/rtp", "github.com/pion/rtcp"},
	".":                  {mod + "/", "github.com/pion/rtp", "github.com/pion/rtcp"},
}

// forbidden beats every row: these are out of bounds for tests as well, and for
// what our dependencies bring along.
var forbidden = map[string]string{
	"github.com/anatolykoptev/oxpulse-sfu/edge":     "the edge is built on the kit, not the kit on the edge",
	"github.com/anatolykoptev/oxpulse-sfu/examples": "examples use the kit, not the reverse",
	"github.com/anatolykoptev/oxpulse-sfu/internal": "in a workspace the compiler would let it pass, alone it does not build",
	"github.com/lestrrat-go/jwx":                    "who may come in is for the program around the kit to decide",
	"nhooyr.io/websocket":                           "how offers travel is for the program around the kit to decide",
	"github.com/coder/websocket":                    "how offers travel is for the program around the kit to decide",
	"github.com/gorilla/websocket":                  "how offers travel is for the program around the kit to decide",
	"github.com/prometheus":                         "numbers leave the kit as plain structs",
	"go.opentelemetry.io":                           "numbers leave the kit as plain structs",
}

// ours is what the kit does by itself, so that its own files do not import it;
// pion's own may.
var ours = map[string]string{
	"github.com/pion/interceptor/pkg/gcc":    "see package bwe",
	"github.com/pion/interceptor/pkg/nack":   "see packages nack and history, and docs/adr/0002",
	"github.com/pion/interceptor/pkg/report": "see package report, and docs/adr/0002",
}

// checkLayers compares imports with the tables above.
func checkLayers(tree fs.FS) ([]string, error) {
	files, err := parse(tree)
	var complaints []string
	seen := map[string]bool{}
	for _, f := range files {
		allowed, listed := layers[f.pkg]
		if !listed && !seen[f.pkg] {
			complaints = append(complaints, fmt.Sprintf("package %s has no row in layers", f.pkg))
		}
		seen[f.pkg] = true
		for _, p := range f.imports() {
			why, bad := ban(p, forbidden, ours)
			switch {
			case bad:
				complaints = append(complaints, fmt.Sprintf("%s imports %s: %s", f.name, p, why))
			case listed && !f.test && !standard(p) && !permits(allowed, p):
				complaints = append(complaints, fmt.Sprintf("%s imports %s, which the row of package %s does not allow", f.name, p, f.pkg))
			}
		}
	}
	return complaints, err
}

// ban looks a path up in tables of what is out of bounds.
func ban(p string, tables ...map[string]string) (why string, bad bool) {
	for _, table := range tables {
		for prefix, why := range table {
			if p == prefix || strings.HasPrefix(p, prefix+"/") {
				return why, true
			}
		}
	}
	return "", false
}

// standard reports whether p is of the standard library: no dot in its first element.
func standard(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return !strings.Contains(first, ".")
}

func permits(allowed []string, p string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		return p == a || strings.HasSuffix(a, "/") && strings.HasPrefix(p, a)
	})
}

// checkModule looks at go.mod: a user of the kit gets pion and golang.org/x, and
// a replace would bind our build but not theirs.
func checkModule(tree fs.FS) ([]string, error) {
	text, err := fs.ReadFile(tree, "go.mod")
	var complaints []string
	block := ""
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || strings.HasPrefix(words[0], "//"):
			continue
		case words[0] == ")":
			block = ""
			continue
		case len(words) == 2 && words[1] == "(":
			block = words[0]
			continue
		case block != "":
			words = append([]string{block}, words...)
		}
		direct := words[0] == "require" && !strings.HasSuffix(strings.TrimSpace(line), "// indirect")
		switch {
		case words[0] == "replace" || words[0] == "exclude" || words[0] == "tool":
			complaints = append(complaints, "go.mod has a directive that users of the kit must not depend on: "+strings.Join(words, " "))
		case direct && !permits([]string{"github.com/pion/", "golang.org/x/net", "golang.org/x/sys"}, words[1]):
			complaints = append(complaints, fmt.Sprintf("go.mod requires %s: the kit depends on pion, golang.org/x/net and golang.org/x/sys only", words[1]))
		}
	}
	return complaints, err
}

func TestLayers(t *testing.T) {
	complain(t, checkLayers)
	for pkg := range layers {
		if files, err := fs.Glob(module(), pkg+"/*.go"); err != nil || len(files) == 0 {
			t.Errorf("layers has a row for %s, which is no package", pkg)
		}
	}
}

func TestModule(t *testing.T) { complain(t, checkModule) }

// TestDependencies is the transitive form of TestLayers: what a program that
// imports any package of the kit is made of.
func TestDependencies(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "./...")
	list.Dir = "../.."
	list.Env = append(os.Environ(), "GOWORK=off")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list -deps: %v", err)
	}
	paths := strings.Fields(string(out))
	if !slices.Contains(paths, mod) {
		t.Fatalf("go list -deps does not name %s among %d packages", mod, len(paths))
	}
	for _, p := range paths {
		if why, bad := ban(p, forbidden); bad {
			t.Errorf("the kit depends on %s: %s", p, why)
		}
	}
}
