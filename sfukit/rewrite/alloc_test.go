package rewrite_test

import (
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
