package sdpx_test

import (
	"strings"
	"testing"

	"github.com/pion/sdp/v3"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/sdpx"
)

// fuzzLimits keeps one run short.
var fuzzLimits = sdpx.Limits{MaxBytes: 16 << 10, MaxSections: 32, Keep: keep}

// fuzzRole gives some lines to us.
func fuzzRole(mid string) sdpx.Role { return sdpx.Role(len(mid) % 5) }

// mids parses a description as pion does and returns its mids. What we write must
// be a description, with one mid and one direction at most in every section.
func mids(t *testing.T, text string) []string {
	t.Helper()
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	var all []string
	for _, m := range d.MediaDescriptions {
		mid, ok := m.Attribute("mid")
		if !ok {
			t.Fatalf("no mid in\n%s", text)
		}
		directions := 0
		for _, a := range m.Attributes {
			switch a.Key {
			case "sendrecv", "sendonly", "recvonly", "inactive":
				directions++
			}
		}
		if directions > 1 {
			t.Fatalf("%d directions in\n%s", directions, text)
		}
		all = append(all, mid)
	}
	return all
}

func FuzzCheckOffer(f *testing.F) {
	f.Add(chrome)
	f.Add(firefox)
	f.Add(strings.ReplaceAll(chrome, "\r\n", "\n"))
	f.Add(strings.Replace(chrome, "m=video 9", "m=video 0", 1))
	f.Fuzz(func(t *testing.T, text string) {
		o, err := sdpx.CheckOffer(text, fuzzLimits)
		if err != nil {
			if reasonOf(err) == "" {
				t.Fatalf("an error without a reason: %v", err)
			}
			return
		}
		forPion := o.ForPion(fuzzRole)
		if strings.Contains(forPion, "a=inactive") || strings.Contains(forPion, "a=sendrecv") {
			t.Fatalf("inactive or sendrecv in\n%s", forPion)
		}
		got := mids(t, forPion)
		if len(got) != len(o.Sections) {
			t.Fatalf("%d sections, offered %d", len(got), len(o.Sections))
		}
		for i, mid := range got {
			if mid != o.Sections[i].MID {
				t.Fatalf("section %d is %q, want %q", i, mid, o.Sections[i].MID)
			}
		}
		// What pion would be given must be an offer by the same measure, and stay as it
		// is when written again.
		again, err := sdpx.CheckOffer(forPion, fuzzLimits)
		if err == nil && again.ForPion(fuzzRole) != forPion {
			t.Fatalf("not stable:\n%s\n%s", forPion, again.ForPion(fuzzRole))
		}
		// pion's answer has the sections of what it was given.
		answer, lines := sdpx.Answer(forPion, o, fuzzRole)
		if n := len(mids(t, answer)); n != len(lines) || n != len(got) {
			t.Fatalf("%d sections and %d lines in the answer to %d", n, len(lines), len(got))
		}
		if err := sdpx.CheckReoffer(o, lines, nil, o); err != nil {
			t.Fatalf("the same again: %v", err)
		}
		pending := sdpx.ServerOffer(forPion, lines, fuzzRole)
		if n := len(mids(t, pending)); n != len(got) {
			t.Fatalf("%d sections in our offer, want %d", n, len(got))
		}
		synthetic, err := sdpx.SyntheticAnswer(forPion, pending)
		if err != nil {
			t.Fatal(err)
		}
		mids(t, synthetic)
	})
}

func FuzzAnswer(f *testing.F) {
	pending := strings.ReplaceAll(chrome, "a=sendrecv", "a=sendonly")
	good := answering(chrome)
	f.Add(good)
	f.Add(strings.ReplaceAll(good, "a=sendrecv", "a=recvonly"))
	f.Add(strings.Replace(good, "m=video 9", "m=video 0", 1))
	f.Add(reject(good, "1"))
	f.Fuzz(func(t *testing.T, text string) {
		r, err := sdpx.ForPionAnswer(text, pending, sdpx.Credentials{}, fuzzRole, fuzzLimits)
		if err != nil {
			if reasonOf(err) == "" {
				t.Fatalf("an error without a reason: %v", err)
			}
			return
		}
		got := strings.Join(mids(t, r.SDP), " ")
		if got != "0 1 2" || len(r.Lines()) != 3 {
			t.Fatalf("sections %s, want 0 1 2", got)
		}
		// The same functions over text they were not made for must not panic.
		o := mustCheck(t, chrome)
		sdpx.Answer(text, o, fuzzRole)
		sdpx.ServerOffer(text, r.Lines(), fuzzRole)
		if _, err := sdpx.SyntheticAnswer(text, r.SDP); err != nil && reasonOf(err) == "" {
			t.Fatal(err)
		}
	})
}
