package signal

import "time"

// bucket is a token bucket. It starts full. Not safe for concurrent use.
type bucket struct {
	rate  float64 // tokens per second
	burst float64
	have  float64
	last  time.Time
}

func newBucket(now time.Time, rate float64, burst int) bucket {
	return bucket{rate: rate, burst: float64(burst), have: float64(burst), last: now}
}

// take spends one token at now and reports whether there was one.
func (b *bucket) take(now time.Time) bool {
	if passed := now.Sub(b.last); passed > 0 {
		b.have = min(b.burst, b.have+passed.Seconds()*b.rate)
		b.last = now
	}
	if b.have < 1 {
		return false
	}
	b.have--
	return true
}
