package dd_test

import (
	"fmt"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/ddtest"
)

// A subscriber gets the base temporal layer of a stream, as if no other frame
// belonged to what it is offered.
func Example() {
	encoder := ddtest.New(ddtest.Mode{Spatial: 1, Temporal: 3}, 1280, 720, 500, 0)
	var (
		parser   dd.Parser // one for each source
		selector dd.Selector
		line     dd.Line // these two for each subscriber line
	)
	selector.Want(dd.MaxSpatialID, 0)
	for picture := range uint32(9) {
		for _, frame := range encoder.Picture(picture == 0) {
			extension := dd.Append(nil, &frame, frame.Unchanged()) // from a packet

			var d dd.Descriptor
			if err := parser.Parse(extension, &d); err != nil {
				fmt.Println(err)
				continue
			}
			if !selector.Take(&d, 3000*picture) {
				continue
			}
			change, _ := line.Map(&d, selector.Active(&d))
			out := dd.Append(nil, &d, change)
			fmt.Printf("frame %d, T%d, key frame %v, %d bytes\n", uint16(d.Number), d.TemporalID, change.Attach, len(out))
		}
	}
	// Output:
	// frame 500, T0, key frame true, 21 bytes
	// frame 504, T0, key frame false, 4 bytes
	// frame 508, T0, key frame false, 4 bytes
}

func ExampleStructure_Target() {
	s := ddtest.New(ddtest.Mode{Spatial: 3, Temporal: 3}, 1280, 720, 0, 0).Structure()
	target, ok := s.Target(1, 2, s.All())
	spatial, temporal := s.Layers(target)
	fmt.Println(target, ok, spatial, temporal)
	// Output: 5 true 1 2
}
