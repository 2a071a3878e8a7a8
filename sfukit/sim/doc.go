// Package sim is a world in virtual time in which estimators, policies and whole
// rooms are measured: links with rate, delay, loss and queue, cross traffic, and
// publishers and receivers that behave as browsers do. For the estimators that
// it judges, see package bwe.
//
// An [Engine] holds the clock and the events. A [Link] carries packets between
// them. A [Scenario] puts links and senders together and says how long; running it
// with a [Policy] gives a [Result]. The catalogue of [Scenarios] is what
// docs/bench/sim.md is made from.
//
// Nothing here sleeps, starts a goroutine or reads a clock: a minute takes a tenth of
// a second with a sender alone, half a second with a call of one publisher and one
// subscriber, and the same seed gives the same packets, decisions and results. Nothing is safe for concurrent use; runs that share nothing may go
// side by side.
package sim
