//go:build linux && bottleneck

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// crowd writes a film for a camera and returns its path: a picture as busy as a
// crowd, in blocks of changing grey. What the browser shows of its own takes a
// quarter of the rates that the page allows, and all of it would fit the narrow link.
func crowd(t *testing.T) string {
	t.Helper()
	const width, height, frames, rate, block = 1280, 720, 30, 10, 8
	path := filepath.Join(t.TempDir(), "crowd.y4m")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	out := bufio.NewWriterSize(file, 1<<20)
	fmt.Fprintf(out, "YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420jpeg\n", width, height, rate)
	random := rand.New(rand.NewPCG(1, 2))
	luma, chroma := make([]byte, width*height), bytes.Repeat([]byte{128}, width*height/2)
	for range frames {
		for y := 0; y < height; y += block {
			line := luma[y*width : (y+1)*width]
			for x := 0; x < width; x += block {
				grey := byte(64 + random.IntN(128))
				for i := range block {
					line[x+i] = grey
				}
			}
			for i := 1; i < block; i++ {
				copy(luma[(y+i)*width:], line)
			}
		}
		fmt.Fprintln(out, "FRAME")
		_, _ = out.Write(luma)
		_, _ = out.Write(chroma)
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	return path
}
