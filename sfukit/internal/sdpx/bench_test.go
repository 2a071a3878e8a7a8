package sdpx_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/sdpx"
)

// wide is an offer with n video sections.
func wide(n int) string {
	i, j := strings.Index(chrome, "m=video"), strings.Index(chrome, "m=application")
	head, video := chrome[:strings.Index(chrome, "m=audio")], chrome[i:j]
	var b strings.Builder
	group := "BUNDLE"
	for k := range n {
		group += fmt.Sprint(" ", k)
		b.WriteString(strings.Replace(video, "a=mid:1\r\n", fmt.Sprintf("a=mid:%d\r\n", k), 1))
	}
	return strings.Replace(head, "BUNDLE 0 1 2", group, 1) + b.String()
}

// Time must grow with the size of the text and no faster.
func BenchmarkCheckOffer(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		text := wide(n)
		b.Run(fmt.Sprintf("sections=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				o, err := sdpx.CheckOffer(text, limits)
				if err != nil {
					b.Fatal(err)
				}
				o.ForPion(nil)
			}
		})
	}
}

func BenchmarkServerOffer(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		text := wide(n)
		active := func(string) sdpx.Role { return sdpx.OursActive }
		b.Run(fmt.Sprintf("sections=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				sdpx.ServerOffer(text, nil, active)
			}
		})
	}
}
