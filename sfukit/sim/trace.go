package sim

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// ErrConfig is returned, wrapped with the field and its value, when a
// configuration of this package is impossible.
var ErrConfig = errors.New("sim: invalid config")

// A Step is the point from which on a link has a rate.
type Step struct {
	At   time.Duration // since the start of the simulation
	Rate units.Bitrate // 0: nothing gets through, and what is queued waits
}

// A Trace is a rate over time, constant between its steps. Steps ascend strictly;
// before the first, its rate holds already, and the last holds for ever. The nil
// Trace is a link without a limit. A Trace is not changed by its users and may be
// shared.
type Trace []Step

// Constant returns the trace of a link that never changes.
func Constant(rate units.Bitrate) Trace { return Trace{{Rate: rate}} }

// Rate returns the rate at a time, 0 of a nil Trace.
func (t Trace) Rate(at time.Duration) units.Bitrate {
	if len(t) == 0 {
		return 0
	}
	return t[t.index(at)].Rate
}

// Bits returns how many bits pass between two times, 0 of a nil Trace.
func (t Trace) Bits(from, to time.Duration) float64 {
	if len(t) == 0 {
		return 0
	}
	var bits float64
	for i := t.index(from); from < to; i++ {
		end := to
		if i+1 < len(t) && t[i+1].At < to {
			end = t[i+1].At
		}
		bits += float64(t[i].Rate) * (end - from).Seconds()
		from = end
	}
	return bits
}

// Changes returns when the rate changes to at least twice or at most half of
// what it was.
func (t Trace) Changes() []time.Duration {
	var at []time.Duration
	for i := 1; i < len(t); i++ {
		if a, b := t[i-1].Rate, t[i].Rate; a >= 2*b || b >= 2*a {
			at = append(at, t[i].At)
		}
	}
	return at
}

// index returns which step holds at a time.
func (t Trace) index(at time.Duration) int {
	low, high := 0, len(t)
	for high-low > 1 {
		if mid := (low + high) / 2; t[mid].At <= at {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// finish returns when the last of so many bits has passed that begin to do so at
// from, and false if that never comes.
func (t Trace) finish(from time.Duration, bits float64) (time.Duration, bool) {
	if len(t) == 0 {
		return from, true
	}
	for i := t.index(from); ; i++ {
		last := i+1 == len(t)
		if t[i].Rate > 0 {
			end := from + time.Duration(math.Ceil(bits/float64(t[i].Rate)*float64(time.Second)))
			if last || end <= t[i+1].At {
				return end, true
			}
		}
		if last {
			return 0, false
		}
		bits = max(0, bits-float64(t[i].Rate)*(t[i+1].At-from).Seconds())
		from = t[i+1].At
	}
}

func (t Trace) validate() error {
	for i, s := range t {
		if s.Rate < 0 {
			return fmt.Errorf("%w: step %d of a trace has rate %v, want 0 or more", ErrConfig, i, s.Rate)
		}
		if i > 0 && s.At <= t[i-1].At {
			return fmt.Errorf("%w: step %d of a trace is at %v, want after %v", ErrConfig, i, s.At, t[i-1].At)
		}
	}
	return nil
}

// LTE returns a rate as a phone in motion sees it, for d, different for each seed:
// the model of Winstein, Sivaraman and Balakrishnan ("Stochastic Forecasts Achieve
// High Throughput and Low Delay over Cellular Networks", NSDI 2013, section 3.1),
// in which the rate is a random walk and gets stuck at zero for a while when it
// hits it. Here it steps each 20 ms, walks between zero and twice the mean with a
// deviation of half the mean in a second, and leaves zero with a probability that
// makes an outage last 200 ms on average; and, which the paper does not have, it is
// drawn back to the mean within some three seconds, since a phone that stays in a
// hole carries no call at all.
func LTE(seed uint64, d time.Duration, mean units.Bitrate) Trace {
	const tick = 20 * time.Millisecond
	random := rand.New(rand.NewPCG(seed, 0x17e))
	sigma := 0.5 * float64(mean) * math.Sqrt(tick.Seconds())
	rate := float64(mean)
	var t Trace
	for at := time.Duration(0); at < d; at += tick {
		if rate > 0 || random.Float64() < tick.Seconds()/0.2 {
			rate += (float64(mean) - rate) * tick.Seconds() / 3
			rate = min(max(0, rate+sigma*random.NormFloat64()), 2*float64(mean))
		}
		t = append(t, Step{At: at, Rate: units.Bitrate(rate)})
	}
	return t
}

// WiFi returns a rate as a station on a busy Wi-Fi channel sees it, for d,
// different for each seed. It is our own caricature of what RFC 8869 section 4
// asks to be tested: the sender adapts its modulation, a walk over the relative
// rates of one 802.11n stream (6.5 to 65 Mbit/s) scaled so that the best is best,
// about every 300 ms; and about four times a second others hold the channel for
// 5 to 50 ms, in which nothing passes.
func WiFi(seed uint64, d time.Duration, best units.Bitrate) Trace {
	rates := [...]float64{6.5, 13, 19.5, 26, 39, 52, 58.5, 65} // MCS 0 to 7, Mbit/s
	random := rand.New(rand.NewPCG(seed, 0x80211))
	wait := func(mean time.Duration) time.Duration {
		return max(time.Millisecond, time.Duration(random.ExpFloat64()*float64(mean)))
	}
	mcs := len(rates) - 2
	rate := func() units.Bitrate { return units.Bitrate(float64(best) * rates[mcs] / rates[len(rates)-1]) }
	t := Trace{{Rate: rate()}}
	adapt, busy := wait(300*time.Millisecond), wait(250*time.Millisecond)
	for {
		at := min(adapt, busy)
		if at >= d {
			return t
		}
		if at == adapt {
			mcs = min(max(2, mcs+random.IntN(3)-1), len(rates)-1)
			adapt = at + wait(300*time.Millisecond)
			t = append(t, Step{At: at, Rate: rate()})
			continue
		}
		free := at + time.Duration(5+random.IntN(46))*time.Millisecond
		t = append(t, Step{At: at}, Step{At: free, Rate: rate()})
		busy = free + wait(250*time.Millisecond)
		adapt = max(adapt, free+time.Millisecond)
	}
}
