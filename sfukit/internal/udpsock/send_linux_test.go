package udpsock_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/udpsock"
)

// A fan-out writes packet 1 to everybody, then packet 2: on the wire each
// destination has its packets as one train, in order.
func TestTrains(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	if !c.Stats().Trains {
		t.Fatal("this kernel has no UDP_SEGMENT")
	}
	a, b := peer(t), peer(t)
	sizes := []int{1100, 1100, 1100, 700, 1100, 1100, 1200}
	want := make([]string, len(sizes))
	c.Cork()
	for i, n := range sizes {
		want[i] = strings.Repeat(string(rune('a'+i)), n)
		write(t, c, want[i], addrOf(a))
		write(t, c, strings.ToUpper(want[i]), addrOf(b))
	}
	c.Uncork()
	for i := range want {
		if got := read(t, a); got != want[i] {
			t.Errorf("a: datagram %d is %d × %q, want %d × %q", i, len(got), got[:1], len(want[i]), want[i][:1])
		}
		if got := read(t, b); got != strings.ToUpper(want[i]) {
			t.Errorf("b: datagram %d is %d × %q, want %d", i, len(got), got[:1], len(want[i]))
		}
	}
	s := c.Stats()
	// To each: a train of four, ended by the shorter one, a train of two and
	// a single that is longer.
	if s.Messages != 6 || s.Segments != 12 || s.DatagramsOut != 14 || s.TrainsRefused != 0 {
		t.Errorf("Stats = %+v, want 6 messages, 12 segments, 14 datagrams", s)
	}
}

// kernel is a model of sendmmsg: it checks the rules of UDP_SEGMENT, notes
// what it takes and answers as answer says, which may be nil.
type kernel struct {
	t      *testing.T
	calls  int
	got    map[netip.AddrPort][]string
	answer func(m udpsock.Message) syscall.Errno
}

func (k *kernel) send(msgs []udpsock.Message) (int, syscall.Errno) {
	k.calls++
	if k.got == nil {
		k.got = map[netip.AddrPort][]string{}
	}
	for i, m := range msgs {
		if k.answer != nil {
			if errno := k.answer(m); errno != 0 && i == 0 {
				return 0, errno
			} else if errno != 0 {
				return i, 0
			}
		}
		if m.Segment == 0 {
			k.got[m.To] = append(k.got[m.To], string(m.Data))
			continue
		}
		if n := (len(m.Data) + m.Segment - 1) / m.Segment; n > udpsock.TrainDatagrams || n < 2 || len(m.Data) > udpsock.TrainBytes {
			k.t.Errorf("train of %d bytes in %d segments of %d", len(m.Data), n, m.Segment)
		}
		for p := range slices.Chunk(m.Data, m.Segment) {
			k.got[m.To] = append(k.got[m.To], string(p))
		}
	}
	return len(msgs), 0
}

func destination(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(1000+i))
}

// fanOut sends n datagrams of equal length to each of the destinations, in
// turn, as one batch.
func fanOut(t *testing.T, c *udpsock.Conn, destinations, n int) {
	t.Helper()
	c.Cork()
	for i := range n {
		for d := range destinations {
			write(t, c, fmt.Sprintf("%03d", i), destination(d))
		}
	}
	c.Uncork()
}

// The largest room a batch can hold: one datagram to each of as many
// destinations. Then its bytes are used up to the last but one, after which
// not even an empty datagram fits.
func TestBatchLimits(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	k := &kernel{t: t}
	udpsock.SetSend(c, k.send)
	fanOut(t, c, udpsock.BatchDatagrams, 1)
	for d := range udpsock.BatchDatagrams {
		if got := k.got[destination(d)]; len(got) != 1 {
			t.Errorf("destination %d got %d datagrams, want 1", d, len(got))
		}
	}
	if k.calls != 1 {
		t.Errorf("%d system calls, want 1", k.calls)
	}

	c.Cork()
	for left := udpsock.BatchBytes; left > 0; left -= min(left, 60_000) {
		write(t, c, strings.Repeat("x", min(left, 60_000)), destination(0))
	}
	write(t, c, "", destination(0))
	c.Uncork()
	var total int
	got := k.got[destination(0)][1:]
	for _, p := range got {
		total += len(p)
	}
	if len(got) != 12 || total != udpsock.BatchBytes || k.calls != 3 {
		t.Errorf("%d datagrams of %d bytes in %d calls, want 12, %d, 2", len(got), total, k.calls-1, udpsock.BatchBytes)
	}
}

func TestRefusedTrains(t *testing.T) {
	train := func(m udpsock.Message) bool { return m.Segment > 0 }
	for _, tc := range []struct {
		name    string
		errno   syscall.Errno
		refuse  func(m udpsock.Message) bool
		first   bool // a train has been taken before
		trains  bool // the socket goes on sending trains
		refused uint64
	}{
		{"device cannot", syscall.EIO, train, false, false, 3},
		{"device cannot any more", syscall.EIO, train, true, false, 3},
		{"kernel does not know", syscall.EINVAL, train, false, false, 3},
		{"one path refuses later", syscall.EINVAL, func(m udpsock.Message) bool { return train(m) && m.To == destination(1) }, true, true, 1},
		{"path too narrow", syscall.EMSGSIZE, train, false, true, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := listen(t, "127.0.0.1:0")
			k := &kernel{t: t}
			udpsock.SetSend(c, k.send)
			if tc.first {
				fanOut(t, c, 3, 2)
			}
			k.got = nil
			k.answer = func(m udpsock.Message) syscall.Errno {
				if tc.refuse(m) {
					return tc.errno
				}
				return 0
			}
			fanOut(t, c, 3, 4)
			for d := range 3 {
				if got, want := k.got[destination(d)], []string{"000", "001", "002", "003"}; !slices.Equal(got, want) {
					t.Errorf("destination %d got %q, want %q", d, got, want)
				}
			}
			if s := c.Stats(); s.Trains != tc.trains || s.TrainsRefused != tc.refused || s.Dropped != [udpsock.NumDrops]uint64{} {
				t.Errorf("trains %v, refused %d, dropped %v, want %v, %d, none", s.Trains, s.TrainsRefused, s.Dropped, tc.trains, tc.refused)
			}
			k.calls = 0
			fanOut(t, c, 3, 4)
			if !tc.trains && k.calls != 1 {
				t.Errorf("%d system calls for the next batch, want 1", k.calls)
			}
		})
	}
}

// A destination to which nothing can be sent says nothing about trains; a
// peer that names such an address must not slow down the others.
func TestBadPeerKeepsTrains(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	k := &kernel{t: t, answer: func(m udpsock.Message) syscall.Errno {
		if m.To == destination(0) {
			return syscall.EINVAL
		}
		return 0
	}}
	udpsock.SetSend(c, k.send)
	fanOut(t, c, 2, 4)
	s := c.Stats()
	if !s.Trains || s.Segments != 4 || s.Dropped[udpsock.DropAddress] != 4 {
		t.Errorf("trains %v, %d segments, dropped %v, want true, 4, 4 for the address", s.Trains, s.Segments, s.Dropped)
	}
}

// An error drops the message it is about and nothing else.
func TestErrorsPerMessage(t *testing.T) {
	for errno, want := range map[syscall.Errno]udpsock.Drop{
		syscall.EPERM:        udpsock.DropDenied,
		syscall.EHOSTUNREACH: udpsock.DropUnreachable,
		syscall.ENETUNREACH:  udpsock.DropUnreachable,
		syscall.ECONNREFUSED: udpsock.DropUnreachable,
		syscall.EMSGSIZE:     udpsock.DropTooLarge,
		syscall.EINVAL:       udpsock.DropAddress,
		syscall.EINTR:        udpsock.DropOther,
	} {
		c := listen(t, "127.0.0.1:0")
		k := &kernel{t: t, answer: func(m udpsock.Message) syscall.Errno {
			if m.To == destination(1) {
				return errno
			}
			return 0
		}}
		udpsock.SetSend(c, k.send)
		fanOut(t, c, 3, 1)
		s := c.Stats()
		if len(k.got[destination(0)]) != 1 || len(k.got[destination(2)]) != 1 || s.Dropped[want] != 1 || s.DatagramsOut != 2 {
			t.Errorf("%v: got %v, dropped %v, want one each for the others and 1 dropped as %q", errno, k.got, s.Dropped, want)
		}
	}
}

// An interruption and a message about an earlier datagram cost nothing.
func TestErrorsToldOnce(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EINTR, syscall.ECONNREFUSED} {
		c := listen(t, "127.0.0.1:0")
		told := false
		k := &kernel{t: t, answer: func(udpsock.Message) syscall.Errno {
			if told {
				return 0
			}
			told = true
			return errno
		}}
		udpsock.SetSend(c, k.send)
		fanOut(t, c, 2, 2)
		if s := c.Stats(); s.DatagramsOut != 4 || s.Dropped != [udpsock.NumDrops]uint64{} {
			t.Errorf("%v: sent %d, dropped %v, want 4 and none", errno, s.DatagramsOut, s.Dropped)
		}
	}
}

// A full queue drops what remains, at once, and counts it: also in the middle
// of a train that is sent in pieces.
func TestFullQueue(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EAGAIN, syscall.ENOBUFS} {
		for _, trains := range []bool{true, false} {
			for room := range 9 {
				c := listen(t, "127.0.0.1:0")
				left := room
				k := &kernel{t: t, answer: func(m udpsock.Message) syscall.Errno {
					switch {
					case m.Segment > 0 && !trains:
						return syscall.EMSGSIZE
					case left == 0:
						return errno
					}
					left--
					return 0
				}}
				udpsock.SetSend(c, k.send)
				fanOut(t, c, 2, 4)
				want := uint64(room)
				if trains {
					want = uint64(min(room, 2)) * 4
				}
				s := c.Stats()
				if s.DatagramsOut != want || s.Dropped[udpsock.DropFull] != 8-want {
					t.Errorf("%v, trains %v, room %d: sent %d, dropped %v, want %d and %d as full",
						errno, trains, room, s.DatagramsOut, s.Dropped, want, 8-want)
				}
			}
		}
	}
}

// FuzzBatch writes datagrams of any lengths to any destinations, under a
// kernel that refuses some: each destination gets its datagrams in the order
// of writing, and each is either sent or counted.
func FuzzBatch(f *testing.F) {
	f.Add([]byte{0, 9, 1, 9, 0, 9, 1, 9, 0, 4, 1, 9}, byte(0))
	f.Add([]byte{3, 0, 3, 0, 3, 1, 2, 255}, byte(1))
	f.Add(slices.Repeat([]byte{1, 200, 2, 200}, 300), byte(0))
	f.Add(slices.Repeat([]byte{4, 40}, 700), byte(7))
	c := listen(f, "127.0.0.1:0")
	f.Fuzz(func(t *testing.T, script []byte, refuse byte) {
		before := c.Stats()
		udpsock.SetTrains(c, true)
		calls := byte(0)
		k := &kernel{t: t, answer: func(m udpsock.Message) syscall.Errno {
			calls++
			switch {
			case refuse == 0 || calls%(refuse%7+2) != 0:
				return 0
			case m.Segment > 0 && refuse&8 != 0:
				return syscall.EINVAL
			}
			return syscall.EHOSTUNREACH
		}}
		udpsock.SetSend(c, k.send)
		want := map[netip.AddrPort][]string{}
		var written, sent uint64
		script = script[:min(len(script), 4096)]
		c.Cork()
		for i := 0; i+1 < len(script); i += 2 {
			to := destination(int(script[i] % 32))
			p := fmt.Sprintf("%04d", i) + strings.Repeat("x", int(script[i+1])*8)
			if script[i+1] == 0 {
				p = ""
			}
			write(t, c, p, to)
			want[to] = append(want[to], p)
			written++
		}
		c.Uncork()
		for to, got := range k.got {
			sent += uint64(len(got))
			rest := want[to]
			for _, p := range got {
				i := slices.Index(rest, p)
				if i < 0 || refuse == 0 && i > 0 {
					t.Fatalf("destination %v got %.8q out of turn", to, p)
				}
				rest = rest[i+1:]
			}
		}
		after := c.Stats()
		counted, dropped := after.DatagramsOut-before.DatagramsOut, uint64(0)
		for d, n := range after.Dropped {
			dropped += n - before.Dropped[d]
		}
		if sent+dropped != written || counted != sent || refuse == 0 && dropped > 0 {
			t.Errorf("%d written, %d sent (counted %d), %d dropped", written, sent, counted, dropped)
		}
	})
}
