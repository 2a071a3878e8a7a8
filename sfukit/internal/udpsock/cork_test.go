package udpsock_test

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/udpsock"
)

func TestCorkHoldsBack(t *testing.T) {
	c, u := listen(t, "127.0.0.1:0"), peer(t)
	c.Cork()
	p := []byte("first")
	if _, err := c.WriteToAddrPort(p, addrOf(u)); err != nil {
		t.Fatal(err)
	}
	copy(p, "wrong") // the writer may use its buffer again
	write(t, c, "second", addrOf(u))
	nothing(t, u)
	c.Uncork()
	for _, want := range []string{"first", "second"} {
		if got := read(t, u); got != want {
			t.Errorf("peer got %q, want %q", got, want)
		}
	}
	if s := c.Stats(); s.Flushes != 1 || s.DatagramsOut != 2 || s.BytesOut != 11 {
		t.Errorf("Stats = %+v, want 1 flush, 2 datagrams, 11 bytes", s)
	}
}

// Every Uncork sends all that is collected, and what is written under a cork
// that is still held waits for the next.
func TestOverlappingCorks(t *testing.T) {
	c, u := listen(t, "127.0.0.1:0"), peer(t)
	c.Cork()
	c.Cork()
	write(t, c, "1", addrOf(u))
	c.Uncork()
	if got := read(t, u); got != "1" {
		t.Errorf("after the first Uncork: %q, want \"1\"", got)
	}
	write(t, c, "2", addrOf(u))
	nothing(t, u)
	c.Uncork()
	if got := read(t, u); got != "2" {
		t.Errorf("after the second Uncork: %q, want \"2\"", got)
	}
	c.Uncork() // one too many must not make later corks ineffective
	c.Cork()
	write(t, c, "3", addrOf(u))
	nothing(t, u)
	c.Uncork()
	if got := read(t, u); got != "3" {
		t.Errorf("after the last Uncork: %q, want \"3\"", got)
	}
}

// A batch is bounded: when it is full it leaves, and nothing is lost.
func TestFullBatchLeaves(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	u, err := udpsock.Listen(netip.MustParseAddrPort("127.0.0.1:0"), udpsock.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	for _, tc := range []struct{ datagrams, size int }{{udpsock.BatchDatagrams + 1, 4}, {13, 60_000}} {
		before := c.Stats()
		c.Cork()
		for i := range tc.datagrams {
			p := make([]byte, tc.size)
			binary.BigEndian.PutUint32(p, uint32(i))
			write(t, c, string(p), addrOf(u))
		}
		held := c.Stats()
		c.Uncork()
		after := c.Stats()
		if got := held.Flushes - before.Flushes; got != 1 {
			t.Errorf("%d × %d bytes: %d flushes under the cork, want 1", tc.datagrams, tc.size, got)
		}
		if got := after.DatagramsOut - before.DatagramsOut; got != uint64(tc.datagrams) {
			t.Errorf("%d × %d bytes: %d sent, want all", tc.datagrams, tc.size, got)
		}
	}
}

// A write that finds no cork must not overtake an earlier one that a cork held
// and that its Uncork is about to send.
func TestOrderAtUncork(t *testing.T) {
	c, u := listen(t, "127.0.0.1:0"), peer(t)
	c.Cork()
	write(t, c, "collected", addrOf(u))
	udpsock.EndCork(c)
	write(t, c, "direct", addrOf(u))
	for _, want := range []string{"collected", "direct"} {
		if got := read(t, u); got != want {
			t.Errorf("peer got %q, want %q", got, want)
		}
	}
}

// Many writers, corked and not, to the same destinations: each destination
// sees each writer's datagrams in order, and every datagram once.
func TestOrderConcurrentSafe(t *testing.T) {
	const writers, rounds, burst, peers = 8, 20, 3, 3
	for _, tc := range []struct {
		name string
		open func(t *testing.T) *udpsock.Conn
	}{
		{"batched", func(t *testing.T) *udpsock.Conn { return listen(t, "127.0.0.1:0") }},
		{"wrapped", func(t *testing.T) *udpsock.Conn { return udpsock.Wrap(peer(t)) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := tc.open(t)
			sinks := make([]*udpsock.Conn, peers)
			var readers, senders sync.WaitGroup
			for i := range sinks {
				sinks[i] = listen(t, "127.0.0.1:0")
				readers.Go(func() { checkOrder(t, sinks[i], writers, rounds*burst) })
			}
			for w := range writers {
				senders.Go(func() {
					for r := range rounds {
						if w%4 != 3 {
							c.Cork()
						}
						for k := range burst {
							for _, sink := range sinks {
								p := make([]byte, 32+(r+k)%3)
								p[0], p[1] = byte(w), byte(r*burst+k)
								if _, err := c.WriteToAddrPort(p, addrOf(sink)); err != nil {
									t.Error(err)
								}
							}
						}
						if w%4 != 3 {
							c.Uncork()
						}
					}
				})
			}
			senders.Wait()
			for i := range sinks { // an empty datagram ends the reading
				write(t, c, "", addrOf(sinks[i]))
			}
			readers.Wait()
			if s := c.Stats(); s.DatagramsOut != writers*rounds*burst*peers+peers {
				t.Errorf("Stats = %+v, want %d sent", s, writers*rounds*burst*peers+peers)
			}
		})
	}
}

func checkOrder(t *testing.T, sink *udpsock.Conn, writers, each int) {
	next := make([]int, writers)
	b := make([]byte, 1500)
	for {
		n, _, err := sink.ReadFromAddrPort(b)
		if err != nil {
			t.Error(err)
			return
		}
		if n == 0 {
			break
		}
		if w, seq := b[0], int(b[1]); seq != next[w] {
			t.Errorf("writer %d: got number %d, want %d", w, seq, next[w])
		}
		next[b[0]]++
	}
	for w, n := range next {
		if n != each {
			t.Errorf("writer %d: %d datagrams arrived, want %d", w, n, each)
		}
	}
}
