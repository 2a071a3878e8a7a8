// Package allocate spreads the bandwidth of one subscriber over all the tracks it
// watches, and says for each why it gets what it gets. It also chooses which video
// tracks of a large room are forwarded at all (LastN); for audio see
// speaker.Detector.Loudest. What the bandwidth is, is estimated by package bwe; what
// publishers need not send is found by package demand; a change is made decodable by
// package rewrite.
//
// # Order
//
// Audio comes first and is never paused for bandwidth. Video follows in two rounds.
// In the first, every track gets its lowest rung; in the second, tracks are raised
// rung by rung. Both serve tracks by class: the client's priority, then screen
// shares, then the active speaker. A class is raised as far as it goes before the
// next one; within a class tracks are raised in turn, the larger wish and then the
// longer stay first, and none is lowered so that an equal can be raised. So nobody
// starves while the lowest rungs fit, and what is left goes to what matters most.
//
// # Steadiness
//
// Lowering is immediate: what is sent stays within 1.05 of the target, by rates
// that follow the measured ones with a time constant of one second up and five
// down. There are two graces. An estimator that finds the link full sets its target
// to 85 % of what the link passes, and often finds that too low a moment later: so
// for one second, all that is shown may exceed the target by a fifth. And as the loss
// of a lowest rung is that of the whole picture, it has two seconds. While the target
// does not fall, it may exceed it up to 1.5 of it: one may grow, as that of a screen
// share does that bursts. And while the target is low so that a queue empties, it may
// take what the target will then be.
//
// Raising takes room and proof. Room: the sum after it, and a tenth more, fits the
// target; where an encoding began less than four seconds ago, the sum is that of what
// it is expected to grow to. Proof: a probe reached that rate in the last five
// seconds, or the target has not been below it for three; the first target of all is
// proof enough. What a more important track takes from others, because it became the
// speaker say, takes neither. A new track begins with all layers of its lowest
// encoding if they fit the target.
//
// What failed is not tried again at once. When the link no longer carries a sum,
// nine tenths of it are the most that anything is raised to for 4 s. If what was
// raised since was in vain too, nothing is raised to a sum like it, within a factor of
// 1.6, for 16 s, and then for 60 s, until a raise has stood for 30 s or nothing has
// failed for two minutes. Sums that are not alike are waited for apart, and lowest
// rungs apart from all above: what a link did not carry says nothing of much less.
// What is waited for is still probed for ([Result].Wanted), so that when the wait is
// over the target is not what it was when it began. A rung that keeps falling silent
// is avoided in the same manner, but may come back at once the first time.
//
// So under a budget that undoes every raise, and proves the opposite at all other
// times, a track changes its encoding at most eight times in any minute but the first
// (measured: eight). Under targets within 20 % of any level, whatever the speed of the noise and probed or
// not, a track changes its encoding at most six times in any minute (measured: four)
// and, with three temporal layers to each of three encodings, its rung at most twelve
// times (measured: eleven, one on average). Lowering because the link
// sinks further and further is not limited: waiting would only add delay.
//
// # The two policies
//
// Measured, the default, compares the rates that publishers really send with the
// budget, over all tracks. The thresholds of package pacer then only decide when
// there is video at all: below AudioOnly there is none, from LowMin on there may
// be, and below SuspendVideo it is suspended.
//
// Tiers is the way of this kit's predecessor: the tier of a pacer.Pacer is the
// limit of every track and rates are not looked at. With a single simulcast track
// it does exactly what pacer and layer.Ladder do together; with several it
// overruns the link, since thresholds know nothing of their number.
//
// # Words for more
//
// Several rungs of a track matter beside the one it gets. Each is an index, -1 for
// none:
//
//	Decision.Wish   the highest that the client's limits allow, live or not
//	Decision.Want   the highest within that which would fit the target, live or not: what
//	                the publisher should send (package demand)
//	Decision.Next   the one it would get next: above Rung, live or idle
//	Decision.Rung   what it gets
//	Track.Showing   what flows: Rung, but for the wait for its keyframe
//
// [Decision].Missing is how much more target Next takes. [Result].Wanted is a rate, too:
// the target at which the next raises of all tracks would fit, for bwe.Prober.OnDemand.
// Inside the package top is the rung of Wish, ideal the highest live one up to it, else
// the lowest live, and kept what the track had before as far as it can still be had.
package allocate
