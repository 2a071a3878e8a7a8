// Command mutate tests the tests: it breaks the kit in the ways that a list
// describes, one at a time and in a copy, and wants the test that is named beside
// each to fail. What survives makes it fail itself.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

func main() {
	kit := flag.String("kit", "sfukit", "`directory` of the module to break")
	list := flag.String("list", "sfukit/sim/testdata/mutations.txt", "`file` that says how")
	pkg := flag.String("package", "./sim", "`package` whose tests must notice, as seen from the module")
	only := flag.String("only", "", "run only the mutations whose name contains `text`")
	flag.Parse()
	if err := run(os.Stdout, *kit, *list, *pkg, *only); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

const preface = `# Mutations

Made by ` + "`make mutate`" + ` with %s. Each row breaks one thing in a copy of the kit, and the test named must fail for it; all of
them pass without. The list is ` + "`sfukit/sim/testdata/mutations.txt`" + `.

| mutation | what it breaks | where | must be noticed by | noticed | by |
|---|---|---|---|---|---|
`

func run(w io.Writer, kit, list, pkg, only string) error {
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	mutations, err := parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	if err := os.CopyFS(dir, os.DirFS(kit)); err != nil {
		return err
	}
	if out, err := test(dir, pkg, "."); err != nil {
		return fmt.Errorf("the tests fail without any mutation:\n%s", out)
	}
	fmt.Fprintf(w, preface, runtime.Version())
	survived := 0
	for _, m := range mutations {
		if !strings.Contains(m.name, only) {
			continue
		}
		began := time.Now()
		by, err := m.noticed(dir, pkg)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		verdict := "yes"
		if by == "" {
			verdict, by = "**no**", "–"
			survived++
		}
		fmt.Fprintf(w, "| %s | %s | `%s` | `%s` | %s | %s |\n", m.name, m.breaks, m.file, m.test, verdict, by)
		fmt.Fprintf(os.Stderr, "%-28s %-6s %v\n", m.name, verdict, time.Since(began).Round(time.Second))
	}
	if survived > 0 {
		return fmt.Errorf("%d mutations went unnoticed", survived)
	}
	return nil
}

// mutation is one entry of the list.
type mutation struct {
	name, breaks, file, test string
	before, after            string
}

// parse reads the list.
func parse(text string) (all []mutation, err error) {
	entries := strings.Split(text, "\n== ")
	for _, entry := range entries[1:] {
		head, patch, ok := strings.Cut(entry, "\n<<\n")
		before, after, both := strings.Cut(patch, "\n>>\n")
		name, fields, _ := strings.Cut(head, "\n")
		m := mutation{name: name, before: before, after: strings.TrimRight(after, "\n")}
		for line := range strings.Lines(fields) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch key {
			case "breaks":
				m.breaks = value
			case "file":
				m.file = value
			case "test":
				m.test = value
			default:
				return nil, fmt.Errorf("%s: %q is no field", name, key)
			}
		}
		if !ok || !both || m.breaks == "" || m.file == "" || m.test == "" {
			return nil, fmt.Errorf("%s: incomplete", name)
		}
		all = append(all, m)
	}
	return all, nil
}

// noticed applies the mutation, runs the test, and undoes it. It returns the tests
// that failed, "" if none did.
func (m mutation) noticed(dir, pkg string) (by string, err error) {
	path := filepath.Join(dir, m.file)
	original, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(original), m.before); n != 1 {
		return "", fmt.Errorf("%s has the text %d times, want once", m.file, n)
	}
	broken := strings.Replace(string(original), m.before, m.after, 1)
	if err := os.WriteFile(path, []byte(broken), 0o644); err != nil {
		return "", err
	}
	defer func() {
		if undo := os.WriteFile(path, original, 0o644); err == nil {
			err = undo
		}
	}()
	if out, err := command(dir, "go", "build", "./...").CombinedOutput(); err != nil {
		return "", fmt.Errorf("does not compile:\n%s", out)
	}
	out, _ := test(dir, pkg, "^"+strings.Replace(m.test, "/", "$/", 1))
	return failures(out), nil
}

// test runs the tests whose names match.
func test(dir, pkg, match string) (out []byte, err error) {
	return command(dir, "go", "test", "-count=1", "-run", match, pkg).CombinedOutput()
}

func command(dir, name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOWORK=off")
	return c
}

// failures names the innermost tests that failed, the first of them.
func failures(out []byte) string {
	var names []string
	for line := range bytes.Lines(out) {
		name, failed := strings.CutPrefix(strings.TrimSpace(string(line)), "--- FAIL: ")
		if !failed {
			continue
		}
		name, _, _ = strings.Cut(name, " (")
		if n := len(names); n > 0 && strings.HasPrefix(name, names[n-1]+"/") {
			names[n-1] = name
			continue
		}
		names = append(names, name)
	}
	for i, n := range names {
		names[i] = "`" + n + "`"
	}
	const most = 2
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
