// Command scenes turns the scene scripts of sfukit/speaker into the level traces
// its tests replay: voices by espeak-ng, noises of its own, and the audio levels
// a browser would have put on the packets (RFC 6464). Where espeak-ng speaks the
// same, the same script gives the same trace. The scripts are described in
// sfukit/speaker/testdata/scenes/README.md.
//
//	go run ./examples/internal/scenes sfukit/speaker/testdata/scenes/*.txt
package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	for _, name := range os.Args[1:] {
		if err := render(name); err != nil {
			fmt.Fprintf(os.Stderr, "scenes: %s: %v\n", name, err)
			os.Exit(1)
		}
	}
}

// render writes the trace of one script beside it.
func render(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	s, err := parse(text)
	if err != nil {
		return err
	}
	tr, err := perform(s)
	if err != nil {
		return err
	}
	packed, err := tr.pack()
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d peers, %d turns, %d KiB\n", name, len(s.peers), len(tr.turns), (len(packed)+1023)/1024)
	return os.WriteFile(strings.TrimSuffix(name, ".txt")+".trace.gz", packed, 0o644)
}
