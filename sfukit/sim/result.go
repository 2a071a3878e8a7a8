package sim

import (
	"math"
	"slices"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// A Sample is one point of a plot: the state at a time, and rates over the 50 ms
// before it. Rates and estimates are of one flow.
type Sample struct {
	At       time.Duration
	Capacity units.Bitrate // of the link, 0 if it has no limit
	Estimate units.Bitrate
	Term     string        // what binds it, see bwe.Term
	Sent     units.Bitrate // media and padding, as sent
	Received units.Bitrate // as received
	Wait     time.Duration // that a packet sent now has in the link's queue
}

// Reach is how an estimate followed one change of the link's rate.
type Reach struct {
	// At is when the rate changed, From what to To what.
	At       time.Duration
	From, To units.Bitrate
	// Took is how long it was until the estimate was at least 90 % of a higher rate,
	// or at most a lower one; negative if that did not happen before the next
	// change or the end.
	Took time.Duration
}

// FlowResult is what became of one flow, measured from Settle on.
type FlowResult struct {
	Name string
	// Received is the mean rate that arrived, while the flow lasted.
	Received units.Bitrate
	// Ratio is the mean of estimate over capacity, Low and High its 5th and 95th
	// percentile; 0 if the link has no limit.
	Ratio, Low, High float64
	// Padding is the share of padding in what was sent, 0 to 1.
	Padding float64
	// Loss is the share of its packets that did not arrive, for whatever reason.
	Loss float64
	// Wait50 and Wait95 are percentiles of the time its packets stood in the queue,
	// their own transmission not counted.
	Wait50, Wait95 time.Duration
	// Reach has an entry for each change of the rate to twice or half, that came
	// after the flow began.
	Reach []Reach
	// View is what a subscriber saw and heard; nil if there is no room.
	View *View
	// Samples are the points of its plot, from the start of the scenario.
	Samples []Sample
}

// A Result is what a scenario gave under a policy.
type Result struct {
	Scenario, Policy string
	Flows            []FlowResult
	// Utilisation is how much of the capacity the flows under test received, from
	// Settle on, 0 to 1. Cross is how much the others did.
	Utilisation, Cross float64
	// Jain is the fairness of the mean rates that the flows received over the last
	// quarter of the scenario (Jain, Chiu and Hawe, DEC-TR-301, 1984): 1 is equal, 1/n
	// is one who has all. 1 for a single flow.
	Jain float64
	// Decisions is a hash of all estimates, in order. Equal runs have equal hashes.
	Decisions uint64
}

// subject is what a scenario measures: a flow, or a client behind the bottleneck.
type subject interface {
	name() string
	span() (start, stop time.Duration) // a stop of 0 is the end
	state() (estimate units.Bitrate, term string)
	counts() *flowStats
}

// recorder watches a running scenario.
type recorder struct {
	scenario *Scenario
	policy   string
	down     *Link
	subjects []subject
	cross    []*cross

	out     []FlowResult
	totals  []totals
	crossed float64 // bits
	hash    uint64
}

// totals of one flow, from Settle on.
type totals struct {
	media, padding, received float64 // bits
	late                     float64 // bits received in the last quarter
	packets, lost            int64
	waited                   []time.Duration
	ratios                   []float64
}

func (r *recorder) sample(at time.Duration) {
	if r.out == nil {
		r.out, r.totals = make([]FlowResult, len(r.subjects)), make([]totals, len(r.subjects))
		r.hash = fnvOffset
	}
	measured := at > r.scenario.Settle
	for i, f := range r.subjects {
		s, t := f.counts(), &r.totals[i]
		sample := Sample{
			At: at, Capacity: r.down.Rate().Rate(at),
			Sent: rate(s.media + s.padding), Received: rate(s.received), Wait: r.down.Wait(),
		}
		sample.Estimate, sample.Term = f.state()
		start, stop := f.span()
		r.out[i].Samples = append(r.out[i].Samples, sample)
		r.hash = (r.hash ^ uint64(sample.Estimate)) * fnvPrime
		alive := at > start && (stop == 0 || at <= stop)
		if measured && alive {
			t.media += float64(8 * s.media)
			t.padding += float64(8 * s.padding)
			t.received += float64(8 * s.received)
			t.packets += s.packets
			t.lost += s.lost
			t.waited = append(t.waited, s.waited...)
			if at > r.scenario.Duration*3/4 {
				t.late += float64(8 * s.received)
			}
			if sample.Capacity > 0 {
				t.ratios = append(t.ratios, float64(sample.Estimate)/float64(sample.Capacity))
			}
		}
		*s = flowStats{waited: s.waited[:0]}
	}
	for _, x := range r.cross {
		if measured {
			r.crossed += float64(8 * x.received)
		}
		x.received = 0
	}
}

// FNV-1a, which needs no more than that equal runs give equal hashes.
const (
	fnvOffset uint64 = 14695981039346656037
	fnvPrime  uint64 = 1099511628211
)

func rate(bytes int) units.Bitrate {
	return units.Bitrate(int64(8*bytes) * int64(time.Second) / int64(sampleInterval))
}

func (r *recorder) result() Result {
	s := r.scenario
	result := Result{Scenario: s.Name, Policy: r.policy, Flows: r.out, Decisions: r.hash}
	capacity := r.down.Rate().Bits(s.Settle, s.Duration)
	var late []float64
	for i, f := range r.subjects {
		t, out := &r.totals[i], &r.out[i]
		out.Name = f.name()
		start, end := f.span()
		if end == 0 || end > s.Duration {
			end = s.Duration
		}
		if lasted := end - max(s.Settle, start); lasted > 0 {
			out.Received = units.Bitrate(t.received / lasted.Seconds())
		}
		out.Ratio, out.Low, out.High = mean(t.ratios), percentile(t.ratios, 5), percentile(t.ratios, 95)
		out.Padding = share(t.padding, t.media+t.padding)
		out.Loss = share(float64(t.lost), float64(t.packets))
		out.Wait50, out.Wait95 = percentile(t.waited, 50), percentile(t.waited, 95)
		out.Reach = reaches(start, s.Duration, r.down.Rate(), out.Samples)
		result.Utilisation += share(t.received, capacity)
		if end > s.Duration*3/4 {
			late = append(late, t.late)
		}
	}
	result.Cross = share(r.crossed, capacity)
	result.Jain = Jain(late)
	return result
}

// reaches looks how an estimate followed the link.
func reaches(start, end time.Duration, trace Trace, samples []Sample) []Reach {
	var out []Reach
	changes := trace.Changes()
	if len(changes) > 16 {
		return nil // a link that never stands still
	}
	for i, at := range changes {
		if at < start {
			continue
		}
		until := end
		if i+1 < len(changes) {
			until = changes[i+1]
		}
		c := Reach{At: at, From: trace.Rate(at - 1), To: trace.Rate(at), Took: -1}
		for _, s := range samples {
			if s.At <= at || s.At > until {
				continue
			}
			if c.To > c.From && 10*s.Estimate >= 9*c.To || c.To < c.From && s.Estimate <= c.To {
				c.Took = s.At - at
				break
			}
		}
		out = append(out, c)
	}
	return out
}

// Jain returns the fairness index of Jain, Chiu and Hawe for the shares: 1 if they
// are equal, 1/n if one has all. It is 1 if there is nothing to share.
func Jain(shares []float64) float64 {
	var sum, squares float64
	for _, x := range shares {
		sum += x
		squares += x * x
	}
	if squares == 0 {
		return 1
	}
	return sum * sum / (float64(len(shares)) * squares)
}

func share(part, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	return part / whole
}

func mean(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// percentile returns the p-th percentile by nearest rank, the zero value of no
// values. It sorts them.
func percentile[T float64 | time.Duration](x []T, p float64) T {
	if len(x) == 0 {
		return 0
	}
	slices.Sort(x)
	rank := int(math.Ceil(p / 100 * float64(len(x))))
	return x[min(max(rank, 1), len(x))-1]
}
