package shaper

import "time"

// entry is one packet that waits.
type entry[T any] struct {
	pushed time.Time
	size   int // bytes
	item   T
}

// queue is a first-in first-out ring that grows to what was needed once.
type queue[T any] struct {
	ring  []entry[T] // length 0 or a power of two
	head  int        // index of the oldest
	len   int        // packets
	bytes int
}

func (q *queue[T]) push(e entry[T]) {
	if q.len == len(q.ring) {
		grown := make([]entry[T], max(16, 2*len(q.ring)))
		for i := range q.len {
			grown[i] = q.ring[(q.head+i)&(len(q.ring)-1)]
		}
		q.ring, q.head = grown, 0
	}
	q.ring[(q.head+q.len)&(len(q.ring)-1)] = e
	q.len++
	q.bytes += e.size
}

// front returns the oldest packet, which must exist.
func (q *queue[T]) front() *entry[T] { return &q.ring[q.head] }

// pop removes the oldest packet, which must exist.
func (q *queue[T]) pop() entry[T] {
	e := q.ring[q.head]
	q.ring[q.head] = entry[T]{} // what it refers to is the caller's now
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.len--
	q.bytes -= e.size
	return e
}
