package lint_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// TestGates breaks each rule once: a gate that never fails guards nothing.
func TestGates(t *testing.T) {
	const bwe = "// Package bwe estimates.\npackage bwe\n"
	tests := []struct {
		name string
		gate func(fs.FS) ([]string, error)
		file string
		text string
		want string // in the one complaint; "" for none
	}{
		{"clean leaf", checkLayers, "bwe/a.go", bwe + `import "` + mod + `/units"`, ""},
		{"unlisted package", checkLayers, "misc/a.go", "package misc", "no row"},
		{"pion in a leaf", checkLayers, "bwe/a.go", bwe + `import "github.com/pion/rtp"`, "does not allow"},
		{"sibling in a leaf", checkLayers, "bwe/a.go", bwe + `import "` + mod + `/pacer"`, "does not allow"},
		{"sibling in a leaf's test", checkLayers, "bwe/a_test.go", bwe + `import "` + mod + `/pacer"`, ""},
		{"renamed import", checkLayers, "bwe/a.go", bwe + `import p "github.com/pion/rtp"`, "does not allow"},
		{"blank import", checkLayers, "bwe/a.go", bwe + `import _ "github.com/pion/rtp"`, "does not allow"},
		{"jwx in the shell", checkLayers, "a.go", `package sfukit; import "github.com/lestrrat-go/jwx/v2/jwt"`, "come in"},
		{"edge in a test", checkLayers, "a_test.go", `package sfukit; import "github.com/anatolykoptev/oxpulse-sfu/edge/signal"`, "built on the kit"},
		{"root's internal", checkLayers, "a.go", `package sfukit; import "github.com/anatolykoptev/oxpulse-sfu/internal/x"`, "workspace"},
		{"pion's estimator", checkLayers, "a.go", `package sfukit; import "github.com/pion/interceptor/pkg/gcc"`, "package bwe"},
		{"pion in the shell", checkLayers, "a.go", `package sfukit; import "github.com/pion/rtp"`, ""},

		{"plain go.mod", checkModule, "go.mod", "module m\n\nrequire (\n\tgithub.com/pion/rtp v1.0.0\n\ta.b/c v1.0.0 // indirect\n)\n", ""},
		{"replace", checkModule, "go.mod", "module m\n\nreplace a.b/c => ../c\n", "replace"},
		{"another dependency", checkModule, "go.mod", "module m\n\nrequire (\n\ta.b/c v1.0.0\n)\n", "requires a.b/c"},
		{"another dependency on one line", checkModule, "go.mod", "module m\n\nrequire a.b/c v1.0.0\n", "requires a.b/c"},

		{"clock in a leaf", checkLeaves, "bwe/a.go", bwe + "import \"time\"\nvar now = time.Now", "time.Now"},
		{"renamed clock in a leaf", checkLeaves, "bwe/a.go", bwe + "import clock \"time\"\nvar t = clock.NewTimer(1)", "clock.NewTimer"},
		{"duration in a leaf", checkLeaves, "bwe/a.go", bwe + "import \"time\"\nconst d = time.Second", ""},
		{"clock in a leaf's test", checkLeaves, "bwe/a_test.go", bwe + "import \"time\"\nvar now = time.Now", ""},
		{"clock in the shell", checkLeaves, "a.go", "package sfukit\nimport \"time\"\nvar now = time.Now", ""},
		{"goroutine in a leaf", checkLeaves, "bwe/a.go", bwe + "func f() { go f() }", "goroutine"},
		{"socket in a leaf", checkLeaves, "bwe/a.go", bwe + `import "net"`, "sockets"},
		{"address in a leaf", checkLeaves, "bwe/a.go", bwe + `import "net/netip"`, ""},
		{"logger in a leaf", checkLeaves, "bwe/a.go", bwe + `import "log/slog"`, "worth telling"},
		{"environment in the shell", checkLeaves, "a.go", "package sfukit\nimport \"os\"\nvar p = os.Getenv(\"P\")", "os.Getenv"},
		{"print in the shell", checkLeaves, "a.go", "package sfukit\nimport \"fmt\"\nfunc f() { fmt.Println() }", "fmt.Println"},
		{"default logger in the shell", checkLeaves, "a.go", "package sfukit\nimport \"log/slog\"\nfunc f() { slog.Info(\"\") }", "slog.Info"},

		{"one package comment", checkComments, "bwe/a.go", bwe, ""},
		{"no package comment", checkComments, "bwe/a.go", "package bwe", "0 package comments"},
		{"odd package comment", checkComments, "bwe/a.go", "// This package estimates.\npackage bwe", "begin with"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.gate(fstest.MapFS{tc.file: {Data: []byte(tc.text)}})
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
}

// TestExported shows what counts as public.
func TestExported(t *testing.T) {
	const text = `package p
// A is commented.
type A struct { B, c int }
type hidden struct{}
func (hidden) M() {}
func (a *A) M(n int) error { return nil }
func f() {}
var ErrX = 1
`
	got, err := exported(fstest.MapFS{
		"p/a.go":          {Data: []byte(text)},
		"p/a_test.go":     {Data: []byte("package p; func T() {}")},
		"internal/q/b.go": {Data: []byte("package q; func Q() {}")},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "p: func (a *A) M(n int) error|p: type A struct {\n\tB int\n\t// contains filtered or unexported fields\n}|p: var ErrX = 1"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("exported = %q, want %q", s, want)
	}
}
