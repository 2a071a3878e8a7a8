package lint_test

import (
	"flag"
	"go/ast"
	"go/format"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/api.txt")

// blankLines is what the printer leaves where a comment was.
var blankLines = regexp.MustCompile(`\n(\s*\n)+`)

// exported returns the declarations that users of the kit can see, one string
// each, with the package's directory in front.
func exported(tree fs.FS) ([]string, error) {
	files, err := parse(tree)
	var decls []string
	for _, f := range files {
		if f.test || strings.HasPrefix(f.pkg, "internal/") || strings.Contains(f.pkg, "/internal/") {
			continue
		}
		ast.FileExports(f.file)
		for _, decl := range f.file.Decls {
			switch d := decl.(type) {
			case *ast.GenDecl:
				if d.Tok == token.IMPORT {
					continue
				}
			case *ast.FuncDecl:
				if d.Recv != nil && !ast.IsExported(receiver(d.Recv.List[0].Type)) {
					continue
				}
				d.Body = nil
			}
			var text strings.Builder
			if err := format.Node(&text, f.fset, bare(decl)); err != nil {
				return nil, err
			}
			decls = append(decls, f.pkg+": "+blankLines.ReplaceAllString(text.String(), "\n"))
		}
	}
	slices.Sort(decls)
	return decls, err
}

// bare removes the comments, which are no part of a promise.
func bare(decl ast.Decl) ast.Decl {
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			n.Doc = nil
		case *ast.FuncDecl:
			n.Doc = nil
		case *ast.TypeSpec:
			n.Doc, n.Comment = nil, nil
		case *ast.ValueSpec:
			n.Doc, n.Comment = nil, nil
		case *ast.Field:
			n.Doc, n.Comment = nil, nil
		}
		return true
	})
	return decl
}

// receiver returns the name of a receiver's type.
func receiver(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.StarExpr:
		return receiver(x.X)
	case *ast.IndexExpr:
		return receiver(x.X)
	case *ast.IndexListExpr:
		return receiver(x.X)
	case *ast.Ident:
		return x.Name
	}
	return ""
}

// TestAPI pins every exported declaration, so that a public change is a line in
// a diff and not an accident.
func TestAPI(t *testing.T) {
	const golden = "testdata/api.txt"
	got, err := exported(module())
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(got, "\n\n") + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	was, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if text == string(was) {
		return
	}
	want := strings.Split(strings.TrimSuffix(string(was), "\n"), "\n\n")
	for _, d := range got {
		if !slices.Contains(want, d) {
			t.Errorf("new or changed: %s", d)
		}
	}
	for _, d := range want {
		if !slices.Contains(got, d) {
			t.Errorf("gone or changed: %s", d)
		}
	}
	t.Errorf("%s is not what the code says: if that is meant, run \"make api\" and add a line to CHANGELOG.md", golden)
}
