package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
)

// pack writes the trace as text, compressed. A line is one of
//
//	script SHA-256            of the script's text
//	split NAME                tune or judge
//	peer NUMBER NAME          from 1
//	says NUMBER FROM TO       a turn, in packets of 20 ms from the beginning
//	VERB NUMBER FROM TO       anything else that happens
//	levels NUMBER HEX         a byte per packet: -dBov, ff where none is sent
func (t *trace) pack() ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(z, "script %x\nsplit %s\n", t.scene.sum, t.scene.split)
	for i, p := range t.scene.peers {
		fmt.Fprintf(z, "peer %d %s\n", i+1, p.name)
	}
	for _, spans := range [][]span{t.turns, t.others} {
		for _, s := range spans {
			fmt.Fprintf(z, "%s %d %d %d\n", s.what, s.peer+1, s.from, s.to)
		}
	}
	for i, levels := range t.levels {
		fmt.Fprintf(z, "levels %d %x\n", i+1, levels)
	}
	err = z.Close()
	return out.Bytes(), err
}
