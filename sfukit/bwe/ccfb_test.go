package bwe_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
)

// sendBoth sends packets of two streams in turn, one each 10 ms: stream 1 from RTP
// number 65534 on, stream 2 from 100 on.
func sendBoth(n int) (*bwe.History, *bwe.CCFB) {
	var h bwe.History
	var c bwe.CCFB
	for i := range n {
		h.Sent(ms(10*i), 1200, 0)
		if i%2 == 0 {
			c.Sent(&h, 1, uint16(65534+i/2))
		} else {
			c.Sent(&h, 2, uint16(100+i/2))
		}
	}
	return &h, &c
}

// ago writes an arrival 1/1024 s before the report.
func ago(n uint16) bwe.Arrival { return bwe.Arrival{Received: true, Offset: n} }

func TestCCFB(t *testing.T) {
	lost := bwe.Arrival{}
	tests := []struct {
		name    string
		sent    int
		reports []bwe.StreamReport
		want    string
	}{
		{"nothing sent", 0, []bwe.StreamReport{{SSRC: 1, Arrivals: []bwe.Arrival{lost}}}, ""},
		{
			"two streams, over the wrap", 6,
			[]bwe.StreamReport{
				{SSRC: 2, Begin: 100, Arrivals: []bwe.Arrival{ago(512), lost, ago(0)}},
				{SSRC: 1, Begin: 65534, Arrivals: []bwe.Arrival{ago(1024), ago(768), ago(256)}},
			},
			"0+0 1+500 2+250 3- 4+750 5+1000",
		},
		{"never sent", 2, []bwe.StreamReport{{SSRC: 1, Begin: 65530, Arrivals: make([]bwe.Arrival, 4)}, {SSRC: 7, Arrivals: []bwe.Arrival{lost}}}, ""},
		{"told twice", 2, []bwe.StreamReport{
			{SSRC: 1, Begin: 65534, Arrivals: []bwe.Arrival{lost}},
			{SSRC: 1, Begin: 65534, Arrivals: []bwe.Arrival{lost}},
			{SSRC: 2, Begin: 100, Arrivals: []bwe.Arrival{ago(1024)}},
			{SSRC: 2, Begin: 100, Arrivals: []bwe.Arrival{lost}},
		}, "0- 1+0"},
		{"arrived at an unknown time", 2, []bwe.StreamReport{
			{SSRC: 1, Begin: 65534, Arrivals: []bwe.Arrival{ago(0x1FFF)}},
			{SSRC: 1, Begin: 65534, Arrivals: []bwe.Arrival{lost}},
			{SSRC: 2, Begin: 100, Arrivals: []bwe.Arrival{ago(0x1FFE)}},
		}, ""},
	}
	for _, tc := range tests {
		h, c := sendBoth(tc.sent)
		results, _ := c.Feedback(ms(2000), h, 1<<16, tc.reports, nil) // sent 1 s after zero
		if got := show(results, 0); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// The report's timestamp wraps after 2^32 units of 1/65536 s.
func TestCCFBTimestampWrap(t *testing.T) {
	h, c := sendBoth(8)
	const second = 1 << 16
	var last time.Time
	for i, timestamp := range []uint32{0xFFFFFFFF - second + 1, 0, second / 2, 0xFFFFFFFF - second + 1} {
		reports := []bwe.StreamReport{{SSRC: 2, Begin: uint16(100 + i), Arrivals: []bwe.Arrival{ago(0)}}}
		results, _ := c.Feedback(ms(2000), h, timestamp, reports, nil)
		if len(results) != 1 {
			t.Fatalf("report %d: %d results, want 1", i, len(results))
		}
		want := []time.Duration{0, time.Second, 500 * time.Millisecond, -1500 * time.Millisecond}[i]
		if got := results[0].RecvTime.Sub(last); i > 0 && got != want {
			t.Errorf("report %d: %v after the one before, want %v", i, got, want)
		}
		last = results[0].RecvTime
	}
}

// The round trip does not count how long the packet waited at the receiver.
func TestCCFBRTT(t *testing.T) {
	h, c := sendBoth(4)
	_, rtt := c.Feedback(ms(200), h, 0, []bwe.StreamReport{{SSRC: 2, Begin: 101, Arrivals: []bwe.Arrival{ago(128)}}}, nil)
	if want := 45 * time.Millisecond; rtt != want { // sent at 30 ms, waited 125 ms
		t.Errorf("rtt %v, want %v", rtt, want)
	}
	if _, rtt = c.Feedback(ms(200), h, 0, []bwe.StreamReport{{SSRC: 1, Begin: 65534, Arrivals: make([]bwe.Arrival, 1)}}, nil); rtt != 0 {
		t.Errorf("rtt of what was lost: %v, want 0", rtt)
	}
}

// Two seconds of a stream stay known at any rate up to the bound, and no more than
// 256 streams do.
func TestCCFBBounds(t *testing.T) {
	for _, tc := range []struct{ pps, seconds, known int }{{10, 10, 20}, {500, 4, 1000}, {4000, 2, 4096}} {
		var h bwe.History
		var c bwe.CCFB
		n := tc.pps * tc.seconds
		for i := range n {
			h.Sent(t0.Add(time.Duration(i)*time.Second/time.Duration(tc.pps)), 1, 0)
			c.Sent(&h, 1, uint16(i))
		}
		arrivals := make([]bwe.Arrival, tc.known)
		results, _ := c.Feedback(t0, &h, 0, []bwe.StreamReport{{SSRC: 1, Begin: uint16(n - tc.known), Arrivals: arrivals}}, nil)
		if len(results) != tc.known {
			t.Errorf("%d packets/s: %d of the last %d known", tc.pps, len(results), tc.known)
		}
	}
	var h bwe.History
	var c bwe.CCFB
	for ssrc := range uint32(257) {
		h.Sent(t0, 1, 0)
		c.Sent(&h, ssrc, 5)
	}
	for ssrc, want := range map[uint32]int{0: 0, 1: 1, 256: 1} {
		results, _ := c.Feedback(t0, &h, 0, []bwe.StreamReport{{SSRC: ssrc, Begin: 5, Arrivals: make([]bwe.Arrival, 1)}}, nil)
		if len(results) != want {
			t.Errorf("stream %d of 257: %d results, want %d", ssrc, len(results), want)
		}
	}
}

func TestCCFBAllocs(t *testing.T) {
	h, c := sendBoth(200)
	arrivals := make([]bwe.Arrival, 50)
	reports := []bwe.StreamReport{{SSRC: 2, Arrivals: arrivals}, {SSRC: 1, Arrivals: arrivals}}
	dst := make([]bwe.Packet, 0, 100)
	rtp := uint16(1000)
	step := func() {
		for range 50 {
			h.Sent(t0, 1, 0)
			c.Sent(h, 1, rtp)
			h.Sent(t0, 1, 0)
			c.Sent(h, 2, rtp)
			rtp++
		}
		reports[0].Begin, reports[1].Begin = rtp-50, rtp-50
		c.Feedback(t0, h, 0, reports, dst)
	}
	for range 100 {
		step()
	}
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocs, want 0", n)
	}
}

// FuzzCCFB plays arbitrary reports against two streams: results are ascending, of
// packets that were sent, and each is told lost and received once at most.
func FuzzCCFB(f *testing.F) {
	f.Add([]byte{1, 0xFF, 0xFE, 8, 0x81, 0, 2, 0, 100, 4, 0x80, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		h, c := sendBoth(100)
		told := map[int64]bwe.State{}
		for len(data) >= 5 {
			n := min(int(data[3])%32, len(data)-5)
			r := bwe.StreamReport{SSRC: uint32(data[0]) % 4, Begin: uint16(data[1])<<8 | uint16(data[2])}
			for _, b := range data[5 : 5+n] {
				r.Arrivals = append(r.Arrivals, bwe.Arrival{Received: b&0x80 != 0, Offset: uint16(b) << 6})
			}
			results, rtt := c.Feedback(ms(1500), h, uint32(data[4])<<24, []bwe.StreamReport{r, r}, nil)
			data = data[5+n:]
			if rtt < 0 {
				t.Fatalf("rtt %v", rtt)
			}
			for i, p := range results {
				if p.Seq < 0 || p.Seq >= 100 || i > 0 && p.Seq < results[i-1].Seq {
					t.Fatalf("results %+v", results)
				}
				if was := told[p.Seq]; was == bwe.Received || was == p.State {
					t.Fatalf("packet %d told %v after %v", p.Seq, p.State, was)
				}
				told[p.Seq] = p.State
			}
		}
	})
}

func ExampleCCFB() {
	var h bwe.History
	var c bwe.CCFB
	now := time.Unix(0, 0)
	for rtp := range uint16(3) {
		h.Sent(now, 1200, 0)
		c.Sent(&h, 0xCAFE, 7+rtp)
	}
	report := bwe.StreamReport{SSRC: 0xCAFE, Begin: 7, Arrivals: []bwe.Arrival{
		{Received: true, Offset: 1024}, {}, {Received: true, Offset: 512},
	}}
	results, _ := c.Feedback(now.Add(2*time.Second), &h, 0, []bwe.StreamReport{report}, nil)
	for _, p := range results {
		fmt.Println(p.Seq, p.State)
	}
	fmt.Println(results[2].RecvTime.Sub(results[0].RecvTime))
	// Output:
	// 0 received
	// 1 lost
	// 2 received
	// 500ms
}
