package sdpx_test

import (
	"errors"
	"fmt"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/sdpx"
)

// An offer is checked before pion sees it. What is refused has a reason to count.
func Example() {
	limits := sdpx.Limits{Keep: func(_ sdpx.Kind, mime, _ string) bool { return mime == "audio/opus" || mime == "video/vp8" }}
	offer, err := sdpx.CheckOffer(chrome, limits)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range offer.Sections {
		fmt.Println(s.MID, s.Kind, s.Direction, len(s.Codecs), s.RIDs)
	}
	_, err = sdpx.CheckOffer("v=0\r\n", limits)
	var refused *sdpx.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Reason)
	}
	// Output:
	// 0 audio sendrecv 1 []
	// 1 video sendonly 2 [h m l]
	// 2 application sendrecv 0 []
	// sections
}
