package demand_test

import (
	"fmt"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/demand"
)

// Two watch a track of three encodings; the one who needs the highest leaves.
func Example() {
	now := time.Unix(0, 0)
	t, err := demand.New(now, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	t.Want(now, 1, 2)
	t.Want(now, 2, 0)
	for _, after := range []time.Duration{time.Second, 4 * time.Second, time.Second} {
		t.Leave(now.Add(-time.Second), 1)
		now = now.Add(after)
		n, changed := t.Update(now)
		fmt.Println(n, changed)
	}
	t.Want(now, 3, 1)
	fmt.Println(t.Update(now))
	// Output:
	// 3 false
	// 1 true
	// 1 false
	// 2 true
}
