package negotiate_test

import (
	"fmt"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/negotiate"
)

// Two tracks share one offer, a third waits for the next. The client's answer to
// the second offer is lost, so that offer is sent again.
func Example() {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	m, err := negotiate.New(negotiate.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	m.Need() // a camera
	m.Need() // a microphone
	fmt.Println(m.Next(now))
	m.Need() // a screen
	fmt.Println(m.Next(now))
	if v := m.Answer(1); v == negotiate.Accept {
		m.Applied(true) // the session description was good
	}
	fmt.Println(m.Next(now))
	again, _ := m.Deadline()
	fmt.Println(m.Next(again))
	// Output:
	// offer 1
	// none 0
	// offer 2
	// resend 2
}
