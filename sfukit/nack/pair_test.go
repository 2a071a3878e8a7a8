package nack_test

import (
	"slices"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/nack"
)

func TestPairs(t *testing.T) {
	tests := []struct {
		name string
		in   []uint16
		want []nack.Pair
	}{
		{"none", nil, nil},
		{"one", []uint16{7}, []nack.Pair{{7, 0}}},
		{"next", []uint16{7, 8}, []nack.Pair{{7, 1}}},
		{"sixteenth", []uint16{7, 23}, []nack.Pair{{7, 1 << 15}}},
		{"seventeenth", []uint16{7, 24}, []nack.Pair{{7, 0}, {24, 0}}},
		{"run of 18", []uint16{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18}, []nack.Pair{{1, 0xffff}, {18, 0}}},
		{"over the wrap", []uint16{65534, 65535, 0, 1}, []nack.Pair{{65534, 7}}},
		{"twice", []uint16{5, 5, 6, 6}, []nack.Pair{{5, 1}}},
		{"falling", []uint16{9, 8}, []nack.Pair{{9, 0}, {8, 0}}},
	}
	for _, tc := range tests {
		if got := nack.Pairs(tc.in, nil); !slices.Equal(got, tc.want) {
			t.Errorf("%s: Pairs(%v) = %v, want %v", tc.name, tc.in, got, tc.want)
		}
	}
}

// Pairs never touches what dst held before.
func TestPairsAppends(t *testing.T) {
	dst := []nack.Pair{{PacketID: 10}}
	got := nack.Pairs([]uint16{11}, dst)
	if want := []nack.Pair{{10, 0}, {11, 0}}; !slices.Equal(got, want) {
		t.Errorf("Pairs appended to {10} = %v, want %v", got, want)
	}
}

// expand lists what pairs say, by the rule of RFC 4585.
func expand(pairs []nack.Pair) map[uint16]bool {
	set := map[uint16]bool{}
	for _, p := range pairs {
		set[p.PacketID] = true
		for i := range uint16(16) {
			if p.LostPackets>>i&1 == 1 {
				set[p.PacketID+i+1] = true
			}
		}
	}
	return set
}

// FuzzPairs: whatever the input, the pairs name exactly its members.
func FuzzPairs(f *testing.F) {
	f.Add([]byte{255, 255, 0, 0, 0, 3, 0, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		var seqs []uint16
		want := map[uint16]bool{}
		for i := 0; i+1 < len(data) && i < 4096; i += 2 {
			seq := uint16(data[i])<<8 | uint16(data[i+1])
			seqs = append(seqs, seq)
			want[seq] = true
		}
		got := expand(nack.Pairs(seqs, nil))
		if len(got) != len(want) {
			t.Fatalf("Pairs(%v) name %d numbers, want %d", seqs, len(got), len(want))
		}
		for seq := range want {
			if !got[seq] {
				t.Fatalf("Pairs(%v) miss %d", seqs, seq)
			}
		}
	})
}
