package pionx_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/pionx"
)

func ExampleArrivals() {
	a := pionx.NewArrivals(1)
	a.Record(7, 65535, 100*time.Millisecond)
	a.Record(7, 1, 120*time.Millisecond) // 0 is lost
	fmt.Println(a.Held(), "held")
	for _, p := range a.Feedback() {
		cc := p.(*rtcp.TransportLayerCC)
		fmt.Printf("of %d to %d: %d packets from %d on, %d came\n",
			cc.SenderSSRC, cc.MediaSSRC, cc.PacketStatusCount, cc.BaseSequenceNumber, len(cc.RecvDeltas))
	}
	fmt.Println(a.Held(), "held,", len(a.Feedback()), "to tell")
	// Output:
	// 2 held
	// of 1 to 7: 3 packets from 65535 on, 2 came
	// 0 held, 0 to tell
}

func TestArrivalsDoNotAllocate(t *testing.T) {
	a := pionx.NewArrivals(1)
	var seq uint16
	record := func() {
		seq++
		a.Record(7, seq, time.Duration(seq)*time.Millisecond)
	}
	for range 2000 {
		record()
		if a.Held() == 100 {
			a.Feedback()
		}
	}
	if n := testing.AllocsPerRun(100, record); n != 0 {
		t.Errorf("Record allocates %v times, want 0", n)
	}
}
