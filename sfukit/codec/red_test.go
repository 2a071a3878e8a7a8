package codec_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
)

func TestPrimaryRED(t *testing.T) {
	var many []byte
	for range 1000 {
		many = append(many, 0x80, 0, 0, 0)
	}
	for _, tc := range []struct {
		name    string
		payload []byte
		want    []byte
		pt      uint8
		ok      bool
	}{
		{"primary only", []byte{111, 1, 2}, []byte{1, 2}, 111, true},
		{"one redundant", []byte{0xef, 0x0f, 0x00, 0x02, 111, 8, 9, 1}, []byte{1}, 111, true},
		{"two redundant", []byte{0xef, 0, 0, 1, 0xef, 0, 0, 2, 63, 7, 8, 9, 1, 2}, []byte{1, 2}, 63, true},
		{"ten-bit length", append([]byte{0xef, 0, 0x01, 0x04, 111}, make([]byte, 261)...), []byte{0}, 111, true},
		{"empty primary", []byte{0xef, 0, 0, 1, 111, 7}, nil, 111, true},
		{"empty", nil, nil, 0, false},
		{"block longer than the payload", []byte{0xef, 0, 0, 9, 111, 7}, nil, 0, false},
		{"header cut short", []byte{0xef, 0, 0}, nil, 0, false},
		{"no primary", []byte{0xef, 0, 0, 0}, nil, 0, false},
		{"far too many blocks", append(many, 111, 1), nil, 0, false},
	} {
		got, pt, ok := codec.PrimaryRED(tc.payload)
		if !bytes.Equal(got, tc.want) || pt != tc.pt || ok != tc.ok {
			t.Errorf("%s: PrimaryRED = %v, %d, %v; want %v, %d, %v", tc.name, got, pt, ok, tc.want, tc.pt, tc.ok)
		}
	}
}

func FuzzPrimaryRED(f *testing.F) {
	f.Add([]byte{0xef, 0, 0, 1, 111, 7, 1})
	f.Add([]byte{111, 1})
	f.Fuzz(func(t *testing.T, payload []byte) {
		primary, pt, ok := codec.PrimaryRED(payload)
		if !ok {
			return
		}
		if pt > 127 {
			t.Errorf("payload type %d", pt)
		}
		if !bytes.HasSuffix(payload, primary) || len(primary) >= len(payload) {
			t.Errorf("primary % x is not the end of % x", primary, payload)
		}
	})
}

func ExamplePrimaryRED() {
	payload := []byte{
		0x80 | 111, 0x0f, 0x00, 0x02, // redundant Opus, 960 ticks ago, 2 bytes
		111,        // primary Opus
		0xaa, 0xab, // redundant
		0xba, 0xbb, 0xbc, // primary
	}
	primary, pt, ok := codec.PrimaryRED(payload)
	fmt.Printf("% x %d %v\n", primary, pt, ok)
	// Output: ba bb bc 111 true
}
