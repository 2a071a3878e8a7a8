package lint_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"
)

// mod is the path of this module.
const mod = "github.com/anatolykoptev/oxpulse-sfu/sfukit"

// module is the tree the gates look at.
func module() fs.FS { return os.DirFS("../..") }

// source is one parsed Go file.
type source struct {
	name string // slash-separated, from the module's root
	pkg  string // its directory, "." for the root package
	test bool
	fset *token.FileSet
	file *ast.File
}

// imports returns the imported paths.
func (s source) imports() []string {
	paths := make([]string, len(s.file.Imports))
	for i, im := range s.file.Imports {
		paths[i], _ = strconv.Unquote(im.Path.Value) // a parsed file has no bad literals
	}
	return paths
}

// names returns the imported paths by the names they have in the file.
func (s source) names() map[string]string {
	paths := map[string]string{}
	for i, p := range s.imports() {
		name := path.Base(p)
		if im := s.file.Imports[i]; im.Name != nil {
			name = im.Name.Name
		}
		paths[name] = p
	}
	return paths
}

// parse returns every Go file of the tree, whatever its build constraints.
func parse(tree fs.FS) ([]source, error) {
	var all []source
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "testdata":
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // renamed away while we walked
		}
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, source{
			name: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), fset: fset, file: file,
		})
		return nil
	})
	return all, err
}

// complain fails the test with every complaint of a gate about this module.
func complain(t *testing.T, gate func(fs.FS) ([]string, error)) {
	t.Helper()
	complaints, err := gate(module())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range complaints {
		t.Error(c)
	}
}
