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

// floorWindow is how many volumes pass before the noise floor may rise: 15 s
// at one per 20 ms.
const floorWindow = 750

// noiseFloor follows the quietest volume of a peer that is not silence. It
// falls at once and rises slowly, to the geometric mean of itself and the
// quietest of the last window, so a fan that starts is forgotten as noise
// within a minute or so while pauses in speech keep the floor low.
type noiseFloor struct {
	volume    int // 0 until a volume above silence was heard
	candidate int // quietest volume of this window, meaningful if count > 0
	count     int // volumes in this window
}

func (f *noiseFloor) update(v int) {
	switch {
	case v == 0: // digital silence says nothing about the noise
	case f.volume == 0 || v < f.volume:
		*f = noiseFloor{volume: v}
	default:
		if f.count == 0 || v < f.candidate {
			f.candidate = v
		}
		if f.count++; f.count == floorWindow {
			*f = noiseFloor{volume: int(math.Sqrt(float64(f.volume * f.candidate)))}
		}
	}
}
