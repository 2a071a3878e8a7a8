package history_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/history"
)

var t0 = time.Unix(1_700_000_000, 0)

func newStore(t testing.TB, c history.Config) *history.Store {
	t.Helper()
	s, err := history.New(c)
	if err != nil {
		t.Fatalf("New(%+v) = %v", c, err)
	}
	return s
}

// packet returns a packet of n bytes that can be told from any other.
func packet(seq int64, n int) []byte {
	p := bytes.Repeat([]byte{byte(seq)}, n)
	if n >= 8 {
		binary.BigEndian.PutUint64(p, uint64(seq))
	}
	return p
}

func has(s *history.Store, now time.Time, seq int64, size int) bool {
	var dst [history.MaxPacketSize]byte
	n, ok := s.Get(now, seq, dst[:])
	return ok && bytes.Equal(dst[:n], packet(seq, size))
}

func TestNew(t *testing.T) {
	tests := []struct {
		c  history.Config
		ok bool
	}{
		{history.Config{}, true},
		{history.Config{MaxPackets: 1, MaxAge: time.Millisecond}, true},
		{history.Config{MaxPackets: 1 << 15}, true},
		{history.Config{MaxPackets: -1}, false},
		{history.Config{MaxPackets: 1<<15 + 1}, false},
		{history.Config{MaxAge: -1}, false},
	}
	for _, tc := range tests {
		_, err := history.New(tc.c)
		if (err == nil) != tc.ok || err != nil && !errors.Is(err, history.ErrConfig) {
			t.Errorf("New(%+v) error = %v, want ok %v", tc.c, err, tc.ok)
		}
	}
}

func TestSizes(t *testing.T) {
	tests := []struct {
		size int
		want bool
	}{
		{0, false},
		{1, true},
		{127, true},
		{128, true},
		{129, true},
		{1024, true},
		{1025, true},
		{1499, true},
		{1500, true},
		{1501, false},
	}
	for _, tc := range tests {
		s := newStore(t, history.Config{})
		s.Put(t0, 7, packet(7, tc.size))
		if got := has(s, t0, 7, tc.size); got != tc.want {
			t.Errorf("packet of %d bytes kept = %v, want %v", tc.size, got, tc.want)
		}
		if tc.want && (s.Bytes() < tc.size || s.Bytes() > 1500) {
			t.Errorf("packet of %d bytes holds %d bytes", tc.size, s.Bytes())
		}
	}
}

func TestGet(t *testing.T) {
	s := newStore(t, history.Config{})
	var dst [1500]byte
	if _, ok := s.Get(t0, 1, dst[:]); ok {
		t.Error("Get from an empty store = true")
	}
	s.Put(t0, 1, packet(1, 100))
	if _, ok := s.Get(t0, 2, dst[:]); ok {
		t.Error("Get of an unknown number = true")
	}
	if n, ok := s.Get(t0, 1, dst[:99]); ok || n != 0 || dst[0] != 0 {
		t.Errorf("Get into 99 bytes = %d, %v and wrote %d; want nothing", n, ok, dst[0])
	}
	if n, ok := s.Get(t0, 1, dst[:100]); !ok || n != 100 {
		t.Errorf("Get into 100 bytes = %d, %v, want 100, true", n, ok)
	}
	s.Put(t0, 1, packet(9, 100))
	if !has(s, t0, 1, 100) {
		t.Error("a second packet under a number replaced the first")
	}
	if !has(s, t0.Add(time.Second), 1, 100) {
		t.Error("packet gone at MaxAge")
	}
	if has(s, t0.Add(time.Second+1), 1, 100) {
		t.Error("packet still there after MaxAge")
	}
	later := t0.Add(time.Hour)
	s.Put(later, 1, packet(1, 50))
	if !has(s, later, 1, 50) {
		t.Error("a number that had been forgotten is not kept again")
	}
}

// The number of buffers follows the packet rate: all packets of the last second
// are kept, and not many more buffers than that are held.
func TestAdapts(t *testing.T) {
	tests := []struct {
		pps, maxBuffers int
	}{
		{5, 16}, {15, 16}, {50, 64}, {240, 256}, {1000, 1024}, {5000, 1024},
	}
	for _, tc := range tests {
		s := newStore(t, history.Config{})
		interval := time.Second / time.Duration(tc.pps)
		now, last := t0, int64(1<<16)
		for range 3 * tc.pps {
			now = now.Add(interval)
			last++
			s.Put(now, last, packet(last, 1000))
		}
		want := min(tc.pps, 1024)
		for i := range want {
			if seq := last - int64(i); !has(s, now, seq, 1000) {
				t.Errorf("%d pps: packet %d back is missing", tc.pps, i)
				break
			}
		}
		if buffers := s.Bytes() / 1024; buffers > tc.maxBuffers {
			t.Errorf("%d pps: %d buffers held, want at most %d", tc.pps, buffers, tc.maxBuffers)
		}
	}
}

// A burst that competes for one place, however far apart, loses nothing while
// there is room and never grows the store without need.
func TestGrowSeparates(t *testing.T) {
	s := newStore(t, history.Config{})
	for _, seq := range []int64{1024, 1536, 1040, 1025, 3072 + 16*7} { // 16, 512 and over 2048 apart
		s.Put(t0, seq, packet(seq, 50))
	}
	for _, seq := range []int64{1024, 1536, 1040, 1025, 3072 + 16*7} {
		if !has(s, t0, seq, 50) {
			t.Errorf("packet %d is missing", seq)
		}
	}
}

// A publisher that starts over far below or above its last number is kept from
// its first packet on, although the packets from before are not yet old.
func TestRestart(t *testing.T) {
	for _, jump := range []int64{-20000, -1024, 1024, 30000, 32768} {
		s := newStore(t, history.Config{})
		seq := int64(1 << 17)
		for range 2000 {
			seq++
			s.Put(t0, seq, packet(seq, 50))
		}
		seq += jump
		for range 10 {
			seq++
			s.Put(t0, seq, packet(seq, 50))
			if !has(s, t0, seq, 50) {
				t.Errorf("jump of %d: packet %d is missing", jump, seq)
			}
		}
	}
}

func TestMaxPackets(t *testing.T) {
	s := newStore(t, history.Config{MaxPackets: 5}) // rounded up to 8
	for seq := int64(0); seq < 20; seq++ {
		s.Put(t0, seq, packet(seq, 50))
	}
	for seq := int64(0); seq < 20; seq++ {
		if got, want := has(s, t0, seq, 50), seq >= 12; got != want {
			t.Errorf("packet %d kept = %v, want %v", seq, got, want)
		}
	}
	if got, want := s.Bytes(), 8*128; got != want {
		t.Errorf("Bytes() = %d, want %d", got, want)
	}
}

func TestConcurrent(t *testing.T) {
	s := newStore(t, history.Config{MaxPackets: 64})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var dst [1500]byte
			for seq := range int64(5000) {
				n, ok := s.Get(t0, seq, dst[:])
				if ok && !bytes.Equal(dst[:n], packet(seq, n)) {
					t.Errorf("Get(%d) returned another packet", seq)
					return
				}
			}
		})
	}
	for seq := range int64(5000) {
		s.Put(t0, seq, packet(seq, 100+int(seq%1000)))
	}
	wg.Wait()
}

func TestAllocs(t *testing.T) {
	s := newStore(t, history.Config{})
	p := packet(1, 1200)
	var dst [1500]byte
	seq := int64(0)
	step := func() {
		seq++
		s.Put(t0, seq, p)
		if _, ok := s.Get(t0, seq, dst[:]); !ok {
			t.Errorf("packet %d is missing", seq)
		}
	}
	for range 2048 {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("Put and Get: %v allocs, want 0", n)
	}
}

// FuzzStore checks against a plain map: what Get returns is what was put last
// as new under that number, and the newest packet can always be had.
func FuzzStore(f *testing.F) {
	f.Add([]byte{1, 0, 10, 2, 0, 200, 1, 128, 255, 3, 1, 1})
	f.Add(bytes.Repeat([]byte{255, 7, 16}, 300))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newStore(t, history.Config{MaxPackets: 64})
		now, seq := t0, int64(1<<20)
		for len(data) >= 3 && len(data) < 1<<14 {
			now = now.Add(time.Duration(data[0]) * time.Millisecond)
			seq += int64(int8(data[1])) * 8
			size := 8 + int(data[2])*6
			data = data[3:]
			known := false
			var dst [1500]byte
			if n, ok := s.Get(now, seq, dst[:]); ok {
				known = true
				if binary.BigEndian.Uint64(dst[:n]) != uint64(seq) {
					t.Fatalf("Get(%d) returned packet %d", seq, binary.BigEndian.Uint64(dst[:n]))
				}
			}
			s.Put(now, seq, packet(seq, size))
			if !known && size <= 1500 && !has(s, now, seq, size) {
				t.Fatalf("packet %d of %d bytes is missing right after Put", seq, size)
			}
			if s.Bytes() > 64*1500 {
				t.Fatalf("Bytes() = %d, above the limit", s.Bytes())
			}
		}
	})
}

func BenchmarkPut(b *testing.B) {
	s := newStore(b, history.Config{})
	p := packet(1, 1100)
	b.ReportAllocs()
	b.SetBytes(int64(len(p)))
	now, seq := t0, int64(0)
	for b.Loop() {
		seq++
		now = now.Add(time.Millisecond)
		s.Put(now, seq, p)
	}
}

func BenchmarkGet(b *testing.B) {
	s := newStore(b, history.Config{})
	for seq := range int64(1000) {
		s.Put(t0, seq, packet(seq, 1100))
	}
	var dst [1500]byte
	b.ReportAllocs()
	b.SetBytes(1100)
	seq := int64(0)
	for b.Loop() {
		seq = (seq + 1) % 1000
		s.Get(t0, seq, dst[:])
	}
}

func ExampleStore() {
	s, err := history.New(history.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Unix(0, 0)
	s.Put(now, 65536+17, []byte("a packet"))

	var buf [history.MaxPacketSize]byte
	n, ok := s.Get(now.Add(80*time.Millisecond), 65536+17, buf[:])
	fmt.Printf("%q %v\n", buf[:n], ok)
	n, ok = s.Get(now.Add(2*time.Second), 65536+17, buf[:])
	fmt.Printf("%q %v\n", buf[:n], ok)
	// Output:
	// "a packet" true
	// "" false
}
