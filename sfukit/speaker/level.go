package speaker

import (
	"math"
	"time"
)

// maxVolume is the loudest volume. Volumes are RFC 6464 levels turned round:
// 0 is silence, 127 the loudest.
const maxVolume = 127

// volume converts an RFC 6464 level, 0..127 -dBov. Bytes above are silence.
func volume(level uint8) int { return maxVolume - int(min(level, maxVolume)) }

// slot is the time one stored volume stands for, the usual length of a packet.
const slot = 20 * time.Millisecond

// history is the newest volumes of a peer, one per slot, in a ring.
type history struct {
	ring []uint8
	next int // where the next volume goes
}

// push stores v for n slots.
func (h *history) push(v, n int) {
	for range min(n, len(h.ring)) {
		h.ring[h.next] = uint8(v)
		if h.next++; h.next == len(h.ring) {
			h.next = 0
		}
	}
}

// ago returns the volume i slots back, 0 being the newest; i must be less than
// the length of the ring.
func (h *history) ago(i int) int {
	if i = h.next - 1 - i; i < 0 {
		i += len(h.ring)
	}
	return int(h.ring[i])
}

// noiseFloor follows the quietest volume of a peer that is not silence. It
// falls at once, and rises when a window of levels has passed: to the quietest
// of them, since nobody speaks for 3 s without a gap (minimum statistics, Martin
// 2001), or, for parity, to the geometric mean of that and itself after 15 s.
type noiseFloor struct {
	volume    int // 0 until a volume above silence was heard
	candidate int // quietest volume of this window, meaningful if count > 0
	count     int // volumes in this window
}

// Windows of the noise floor, in levels of 20 ms.
const (
	floorWindow       = 150
	parityFloorWindow = 750
)

func (f *noiseFloor) update(v int, parity bool) {
	switch {
	case v == 0: // digital silence says nothing about the noise
	case f.volume == 0 || v < f.volume:
		*f = noiseFloor{volume: v}
	default:
		if f.count == 0 || v < f.candidate {
			f.candidate = v
		}
		f.count++
		switch {
		case parity && f.count == parityFloorWindow:
			*f = noiseFloor{volume: int(math.Sqrt(float64(f.volume * f.candidate)))}
		case !parity && f.count == floorWindow:
			*f = noiseFloor{volume: f.candidate}
		}
	}
}
