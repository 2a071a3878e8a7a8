package layer

import (
	"math"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// The layers a Meter tells apart; higher ones count as the highest. Four of each
// are more than any scalability mode of WebRTC (W3C webrtc-svc) has.
const (
	MaxSpatial  = 4
	MaxTemporal = 4
)

// A Meter's window is long enough that one key frame, many times the size of
// another, does not look like a new rate, and short enough to follow a publisher
// that ramps up.
const (
	meterBuckets = 12
	meterBucket  = 250 * time.Millisecond
	meterLeast   = 200 * time.Millisecond // no rate from less than this
	meterRecent  = 3                      // buckets in which a rate may rise
	meterRise    = 1.2                    // times that it must, to be more than noise
)

// A Meter measures, over the last three seconds, what each layer of one encoding
// costs and how many frames it has. What it costs is that of the last second or so, if
// that is a fifth more throughout: a screen on which something begins to move fills a
// link within that. The picture that an encoding begins with, or begins again with
// after three seconds of silence, is left out: it is a key frame, many times the size
// of another, and nothing is yet there to set against it. The zero Meter is ready to
// use. It is not safe for concurrent use.
type Meter struct {
	latest  time.Time // packet
	begun   bool      // the first picture has
	started time.Time // the second one; zero until then
	newest  int64     // bucket number since started
	buckets [meterBuckets]meterCount
}

type meterCount struct {
	bytes  [MaxSpatial][MaxTemporal]int64
	frames [MaxTemporal]int64
}

// Packet counts size bytes of a layer, that of 0, 0 where the codec has none.
// Frame says that a picture begins with it.
func (m *Meter) Packet(now time.Time, spatial, temporal uint8, size int, frame bool) {
	if now.Sub(m.latest) >= meterBuckets*meterBucket {
		*m = Meter{}
	}
	m.latest = now
	if m.started.IsZero() {
		if !frame || !m.begun {
			m.begun = m.begun || frame
			return
		}
		m.started = now
	}
	m.advance(now)
	b := &m.buckets[m.newest%meterBuckets]
	t := min(temporal, MaxTemporal-1)
	b.bytes[min(spatial, MaxSpatial-1)][t] += int64(size)
	if frame {
		b.frames[t]++
	}
}

// advance clears the buckets that time has passed over.
func (m *Meter) advance(now time.Time) {
	n := int64(now.Sub(m.started) / meterBucket)
	for m.newest = max(m.newest, n-meterBuckets); m.newest < n; {
		m.newest++
		m.buckets[m.newest%meterBuckets] = meterCount{}
	}
}

// A LayerRate is what a layer, with all it depends on, costs.
type LayerRate struct {
	Spatial, Temporal uint8
	Bitrate           units.Bitrate
	FPS               float64
}

// Rates appends every layer that was seen within the window, in ascending order
// of spatial and then temporal layer, and returns dst. A layer's rate and frames
// include those of the layers below it, as a receiver of it gets them. While less
// than 200 ms are measured there is nothing to tell.
func (m *Meter) Rates(now time.Time, dst []LayerRate) []LayerRate {
	if m.started.IsZero() || now.Sub(m.latest) >= meterBuckets*meterBucket {
		return dst
	}
	m.advance(now)
	// The newest bucket has only just begun.
	span := now.Sub(m.started) - time.Duration(max(0, m.newest-meterBuckets+1))*meterBucket
	if span < meterLeast {
		return dst
	}
	all, seconds := m.sum(), span.Seconds()
	for s := range MaxSpatial {
		if all.bytes[s] == [MaxTemporal]int64{} {
			continue
		}
		var frames int64
		for t := range MaxTemporal {
			frames += all.frames[t]
			if all.bytes[s][t] == 0 {
				continue
			}
			rate := float64(all.upTo(s, t)) / seconds
			if r := m.recent(s, t); r > meterRise*rate {
				rate = r
			}
			dst = append(dst, LayerRate{
				Spatial: uint8(s), Temporal: uint8(t), Bitrate: units.Bitrate(8 * rate), FPS: float64(frames) / seconds,
			})
		}
	}
	return dst
}

// sum adds up the buckets.
func (m *Meter) sum() (sum meterCount) {
	for i := range m.buckets {
		b := &m.buckets[i]
		for t := range MaxTemporal {
			sum.frames[t] += b.frames[t]
			for s := range MaxSpatial {
				sum.bytes[s][t] += b.bytes[s][t]
			}
		}
	}
	return sum
}

// recent returns the rate, in bytes per second, that a layer has had throughout the
// last three quarters of a second: the least of its buckets, so that a single large
// picture, which may take two of them to arrive, makes none.
func (m *Meter) recent(spatial, temporal int) float64 {
	if m.newest < meterRecent {
		return 0
	}
	least := int64(math.MaxInt64)
	for i := m.newest - meterRecent; i < m.newest; i++ { // the newest has only just begun
		least = min(least, m.buckets[i%meterBuckets].upTo(spatial, temporal))
	}
	return float64(least) / meterBucket.Seconds()
}

// upTo returns the bytes of a layer with those below it.
func (c *meterCount) upTo(spatial, temporal int) (bytes int64) {
	for s := range spatial + 1 {
		for t := range temporal + 1 {
			bytes += c.bytes[s][t]
		}
	}
	return bytes
}
