package rewrite_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

func TestAllocations(t *testing.T) {
	q, f := lowHigh()
	l := newLine(t, rewrite.Config{Codec: codec.VP8})
	var feeds [2][]*rewrite.Packet
	for i := range time.Duration(400) {
		feeds[0] = append(feeds[0], q.frame(i*33*ms, 3, i%5 == 0)...)
		feeds[1] = append(feeds[1], f.frame(i*33*ms, 3, i%5 == 0)...)
	}
	l.Want(q.id)
	i := 0
	if n := testing.AllocsPerRun(len(feeds[0])-1, func() {
		if i%100 == 50 {
			l.Want(rewrite.Source(1 + i/100%2))
		}
		var out rewrite.Out
		for _, feed := range feeds {
			if p := feed[i]; i%7 == 6 {
				l.Skip(p)
			} else {
				l.Map(p, &out)
			}
		}
		l.Original(out.Seq)
		l.Missing(out.Seq - 3)
		l.Resent(t0, out.Seq, 50*ms)
		i++
	}); n != 0 {
		t.Errorf("%v allocations per packet, want 0", n)
	}
	if _, _, _, ok := l.Original(200); !ok {
		t.Error("packet 200 was not sent: the test does not test")
	}
}

// Layers that come and go do not allocate either, nor do descriptors.
func TestAllocationsLayers(t *testing.T) {
	for _, s := range schemes {
		l := newLine(t, rewrite.Config{Codec: s.codec})
		e := newEncoder(s.scheme, 1, 1, rand.New(rand.NewPCG(1, 1)), new(uint32))
		var packets []*wire
		for i := range time.Duration(200) {
			packets = append(packets, e.next(i*33*ms)...)
		}
		l.Want(1)
		i, n := 0, 0
		descriptor := make([]byte, 0, 256)
		allocs := testing.AllocsPerRun(len(packets)-1, func() {
			if i%50 == 0 {
				l.WantLayers(uint8(i/50%3), uint8(i/100%3))
			}
			var out rewrite.Out
			if l.Map(&packets[i].Packet, &out) == rewrite.Forwarded {
				rewrite.AppendDependency(descriptor, packets[i].Dependency, &out)
				n++
			}
			l.Original(out.Seq)
			l.NeedsKeyframe()
			i++
		})
		if allocs != 0 || n < 50 {
			t.Errorf("%s: %v allocations per packet over %d sent, want 0 over many", s.name, allocs, n)
		}
	}
}

// BenchmarkLayers maps packets of which more than half are left out.
func BenchmarkLayers(b *testing.B) {
	for _, s := range schemes {
		if s.temporal != 3 || s.short {
			continue
		}
		b.Run(s.name, func(b *testing.B) {
			r, err := rewrite.New(rewrite.Config{Codec: s.codec})
			if err != nil {
				b.Fatal(err)
			}
			e := newEncoder(s.scheme, 1, 1, rand.New(rand.NewPCG(1, 1)), new(uint32))
			var packets []*wire
			for i := range time.Duration(1000) {
				packets = append(packets, e.next(i*33*ms)...)
			}
			var out rewrite.Out
			i := len(packets)
			b.ReportAllocs()
			for b.Loop() {
				if i == len(packets) {
					r.Want(0)
					r.Want(1)
					r.WantLayers(1, 1)
					for i = range packets { // begin anew, under other numbers
						packets[i].Seq += 1 << 20
						packets[i].Source = 1
					}
					i = 0
				}
				r.Map(&packets[i].Packet, &out)
				i++
			}
		})
	}
}

func BenchmarkMap(b *testing.B) {
	r, err := rewrite.New(rewrite.Config{Codec: codec.VP8})
	if err != nil {
		b.Fatal(err)
	}
	q, _ := lowHigh()
	r.Want(q.id)
	p := q.frame(0, 1, true)[0]
	var out rewrite.Out
	b.ReportAllocs()
	for b.Loop() {
		r.Map(p, &out)
		p.Seq++
	}
}
