// Package history keeps the packets of one inbound encoding for a moment, so that
// any subscriber can be sent again what it lost. For deciding what to ask the
// publisher for, see package nack; for renumbering a repair, see package rewrite.
package history

import (
	"errors"
	"fmt"
	"math/bits"
	"sync"
	"time"
)

// MaxPacketSize is the largest packet in bytes that a [Store] keeps, and the
// length of dst that [Store.Get] never finds too short. It is the payload of an
// Ethernet frame; RTP through the internet stays below it.
const MaxPacketSize = 1500

// Defaults and limits of [Config].
const (
	defaultMaxPackets = 1024
	maxMaxPackets     = 1 << 15 // half the RTP sequence space
	// A receiver retries over a few round trips, so at 300 ms of round trip a
	// second holds three tries; a decoder that has waited longer is helped
	// sooner by a keyframe. WebRTC senders keep about as much.
	defaultMaxAge = time.Second

	minSlots = 16 // a second of a 15 fps layer, most of its frames one packet
)

// ErrConfig is returned by [New], wrapped with the field and its value, when a
// [Config] is impossible.
var ErrConfig = errors.New("history: invalid config")

// Config limits what a [Store] keeps. The zero value is a good configuration.
type Config struct {
	// MaxPackets is how many packets are kept at most, rounded up to a power of
	// two. Default 1024: one second of 10 Mbit/s. At most 32768.
	MaxPackets int
	// MaxAge is how long after its arrival a packet can be had. Default 1 s.
	MaxAge time.Duration
}

func (c Config) withDefaults() (Config, error) {
	if c.MaxPackets < 0 || c.MaxPackets > maxMaxPackets {
		return c, fmt.Errorf("%w: MaxPackets %d, want 0 to %d", ErrConfig, c.MaxPackets, maxMaxPackets)
	}
	if c.MaxAge < 0 {
		return c, fmt.Errorf("%w: MaxAge %v, want 0 or more", ErrConfig, c.MaxAge)
	}
	if c.MaxPackets == 0 {
		c.MaxPackets = defaultMaxPackets
	}
	if c.MaxAge == 0 {
		c.MaxAge = defaultMaxAge
	}
	c.MaxPackets = 1 << bits.Len(uint(c.MaxPackets-1))
	return c, nil
}

// A Store is the retransmission memory of one inbound encoding, shared by all
// its subscribers. It starts small and doubles only while packets younger than
// MaxAge would be lost, so a slow layer holds few buffers; buffers are reused in
// place. Make one with [New].
//
// A Store is safe for concurrent use: the goroutine that receives the encoding
// puts, those that answer feedback get.
type Store struct {
	maxPackets int
	maxAge     time.Duration

	mu    sync.Mutex
	slots []slot // guarded by mu; length is a power of two
	bytes int    // guarded by mu; sum of the capacities of all slot buffers
}

// slot holds one packet at index seq modulo the number of slots; len(buf) == 0
// means none.
type slot struct {
	seq     int64
	arrived time.Time
	buf     []byte
}

// New returns an empty Store, or an error wrapping [ErrConfig].
func New(c Config) (*Store, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Store{maxPackets: c.MaxPackets, maxAge: c.MaxAge}, nil
}

// Put copies packet into the store under seq, the unwrapped sequence number of
// its encoding. An empty packet and one above [MaxPacketSize] are not kept. The
// first packet of a number stays until it is too old: what was sent once under a
// number must not change. When two numbers compete for the last place, the packet
// that arrived later wins, whichever number is higher, so a publisher that starts
// over is kept at once. Put does not allocate once the store has its size.
func (s *Store) Put(now time.Time, seq int64, packet []byte) {
	if len(packet) == 0 || len(packet) > MaxPacketSize {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := s.placeLocked(now, seq)
	if sl == nil {
		return
	}
	if cap(sl.buf) < len(packet) {
		s.bytes -= cap(sl.buf)
		sl.buf = make([]byte, 0, bufferSize(len(packet)))
		s.bytes += cap(sl.buf)
	}
	sl.seq, sl.arrived = seq, now
	sl.buf = append(sl.buf[:0], packet...)
}

// Get copies the packet kept under seq into dst and returns its length. It
// reports false, and leaves dst alone, when the packet was never kept, is older
// than MaxAge, has been overwritten or does not fit into dst.
func (s *Store) Get(now time.Time, seq int64, dst []byte) (n int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.slots) == 0 {
		return 0, false
	}
	sl := s.at(seq)
	if sl.seq != seq || !s.fresh(sl, now) || len(sl.buf) > len(dst) {
		return 0, false
	}
	return copy(dst, sl.buf), true
}

// Clear forgets every packet and gives the memory back. The store can be used again.
func (s *Store) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slots, s.bytes = nil, 0
}

// Bytes returns the memory held for packets, in bytes, used or waiting for reuse.
func (s *Store) Bytes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// placeLocked returns the slot to write seq into, nil if it holds seq already.
func (s *Store) placeLocked(now time.Time, seq int64) *slot {
	if len(s.slots) == 0 {
		s.slots = make([]slot, min(minSlots, s.maxPackets))
	}
	sl := s.at(seq)
	if !s.fresh(sl, now) {
		return sl
	}
	if sl.seq == seq {
		return nil
	}
	// Both are wanted. Grow until they part, unless they would not even then.
	if (seq^sl.seq)&int64(s.maxPackets-1) == 0 {
		return sl
	}
	for s.fresh(sl, now) && len(s.slots) < s.maxPackets {
		s.growLocked()
		sl = s.at(seq)
	}
	return sl
}

// growLocked doubles the number of slots; packets that were apart stay apart.
func (s *Store) growLocked() {
	old := s.slots
	s.slots = make([]slot, 2*len(old))
	for i := range old {
		if len(old[i].buf) > 0 {
			*s.at(old[i].seq) = old[i]
		}
	}
}

func (s *Store) at(seq int64) *slot {
	return &s.slots[uint64(seq)&uint64(len(s.slots)-1)]
}

func (s *Store) fresh(sl *slot, now time.Time) bool {
	return len(sl.buf) > 0 && now.Sub(sl.arrived) <= s.maxAge
}

// bufferSize rounds up in steps of two, so that a slot settles after a few
// packets and an audio encoding does not pay for video-sized buffers.
func bufferSize(n int) int {
	return min(max(128, 1<<bits.Len(uint(n-1))), MaxPacketSize)
}
