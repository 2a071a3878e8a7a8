package lint_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// checkComments wants one package comment per package, in the usual form.
func checkComments(tree fs.FS) ([]string, error) {
	files, err := parse(tree)
	var complaints []string
	docs := map[string]int{}
	for _, f := range files {
		if f.test {
			continue
		}
		docs[f.pkg] += 0
		if f.file.Doc == nil {
			continue
		}
		docs[f.pkg]++
		if want := "Package " + f.file.Name.Name + " "; !strings.HasPrefix(f.file.Doc.Text(), want) {
			complaints = append(complaints, fmt.Sprintf("%s: the package comment does not begin with %q", f.name, want))
		}
	}
	for pkg, n := range docs {
		if n != 1 {
			complaints = append(complaints, fmt.Sprintf("package %s has %d package comments, want 1", pkg, n))
		}
	}
	return complaints, err
}

func TestComments(t *testing.T) { complain(t, checkComments) }
