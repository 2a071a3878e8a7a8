package dd_test

import (
	"bytes"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/ddtest"
)

// Every mode's descriptors are the same after being written and read.
func TestModes(t *testing.T) {
	for _, m := range ddtest.Modes() {
		t.Run(m.String(), func(t *testing.T) {
			e := ddtest.New(m, 1280, 720, 65530, 60)
			if err := e.Structure().Validate(); err != nil {
				t.Fatal(err)
			}
			var p dd.Parser
			largest := 0
			for i := range 40 {
				for _, f := range e.Picture(i%17 == 0) {
					for _, want := range ddtest.Split(f, 2) {
						b := dd.Append(nil, &want, want.Unchanged())
						if !want.Attached {
							largest = max(largest, len(b))
						}
						var got dd.Descriptor
						if err := p.Parse(b, &got); err != nil {
							t.Fatalf("picture %d: Parse(%x): %v", i, b, err)
						}
						if !got.Structure.Equal(want.Structure) || got.Structure.TemplateIDOffset != 60 {
							t.Fatalf("picture %d: structure %+v, want %+v", i, got.Structure, want.Structure)
						}
						if got.Attached != want.Attached {
							t.Fatalf("picture %d: Attached = %v", i, got.Attached)
						}
						if again := dd.Append(nil, &got, got.Unchanged()); !bytes.Equal(again, b) {
							t.Fatalf("picture %d: %x after %x", i, again, b)
						}
						got.Structure = want.Structure
						got.Number, want.Number = int64(uint16(got.Number)), int64(uint16(want.Number))
						if got != want {
							t.Fatalf("picture %d: %+v\nwant %+v", i, got, want)
						}
					}
				}
			}
			if largest != 3 {
				t.Errorf("a packet without a structure takes up to %d bytes, want 3", largest)
			}
		})
	}
}
