package lint_test

import (
	"fmt"
	"go/ast"
	"io/fs"
	"slices"
	"testing"
)

// shell names the packages that own sockets, goroutines and the clock. All
// others are leaves: they are told the time and do nothing by themselves.
var shell = []string{".", "internal/pionx", "internal/udpsock", "internal/tasks", "internal/lint"}

// leafImports are packages of the standard library that a leaf has no use for.
var leafImports = map[string]string{
	"context":  "nothing in a leaf waits",
	"log":      "a leaf returns what is worth telling",
	"log/slog": "a leaf returns what is worth telling",
	"net":      "a leaf has no sockets",
	"os":       "a leaf does not look at the system",
	"syscall":  "a leaf does not look at the system",
	"unsafe":   "a leaf has nothing to gain from it",
}

// leafExcused are leaves that need one of leafImports all the same.
var leafExcused = map[string]string{
	"sim": "context", // Join and Answer ask for one; it is never waited on
}

// leafNames are what a leaf does not use, by import path.
var leafNames = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
}

// kitNames are what no package of the kit uses outside its tests: settings come
// in a Config, and text goes to the logger that is in it.
var kitNames = map[string][]string{
	"os":       {"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Stdout", "Stderr", "Exit"},
	"fmt":      {"Print", "Printf", "Println"},
	"log":      {"Print", "Printf", "Println", "Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln", "Default", "New"},
	"log/slog": {"Debug", "Info", "Warn", "Error", "Log", "Default", "SetDefault"},
}

// checkLeaves looks for what leaves, and the kit as a whole, do without.
func checkLeaves(tree fs.FS) ([]string, error) {
	files, err := parse(tree)
	var complaints []string
	for _, f := range files {
		if f.test {
			continue
		}
		leaf := !slices.Contains(shell, f.pkg)
		for _, p := range f.imports() {
			if why, bad := leafImports[p]; leaf && bad && leafExcused[f.pkg] != p {
				complaints = append(complaints, fmt.Sprintf("%s imports %s: %s", f.name, p, why))
			}
		}
		names := f.names()
		ast.Inspect(f.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				if leaf {
					complaints = append(complaints, fmt.Sprintf("%s: a leaf starts a goroutine", f.fset.Position(n.Pos())))
				}
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok {
					p := names[x.Name]
					if slices.Contains(kitNames[p], n.Sel.Name) || leaf && slices.Contains(leafNames[p], n.Sel.Name) {
						complaints = append(complaints, fmt.Sprintf("%s: %s.%s is not for this package", f.fset.Position(n.Pos()), x.Name, n.Sel.Name))
					}
				}
			}
			return true
		})
	}
	return complaints, err
}

func TestLeaves(t *testing.T) { complain(t, checkLeaves) }
