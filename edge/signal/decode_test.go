package signal_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/edge/signal"
)

func TestDecodeClient(t *testing.T) {
	line := uint16(0)
	for _, tc := range []struct {
		in   string
		want signal.ClientFrame
	}{
		{`{"kind":"offer","sdp":"v=0"}`, signal.Offer{SDP: "v=0"}},
		{`{"sdp":"v=0","kind":"offer","features":["slots","x"],"new":1}`, signal.Offer{SDP: "v=0", Features: []string{"slots", "x"}}},
		{`{"type":"answer-renegotiate","sdp":"v=0"}`, signal.AnswerRenegotiate{SDP: "v=0"}},
		{`{"type":"answer-renegotiate","sdp":"v=0","mid":"3","id":7}`, signal.AnswerRenegotiate{SDP: "v=0", MID: "3", ID: 7}},
		{`{"kind":"ice","candidate":null}`, signal.ICE{}},
		{
			`{"kind":"ice","candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host"}`,
			signal.ICE{Candidate: &signal.Candidate{Candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ host"}},
		},
		{
			`{"kind":"ice","candidate":{"candidate":"c","sdpMid":null,"sdpMLineIndex":0,"usernameFragment":"u"}}`,
			signal.ICE{Candidate: &signal.Candidate{Candidate: "c", SDPMLineIndex: &line, UsernameFragment: "u"}},
		},
		{`{"kind":"bwe-hint","from":"a","ts":-1,"bps":18446744073709551615}`, signal.BWEHint{From: "a", Timestamp: -1, BPS: 1<<64 - 1}},
		{
			`{"type":"set_layer","mid":"1","max_rid":"q","max_width":320,"priority":-2,"paused":true}`,
			signal.SetLayer{MID: "1", MaxRID: "q", MaxWidth: 320, Priority: -2, Paused: true},
		},
		{`{"type":"set_layer","mid":"1","priority":8}`, signal.SetLayer{MID: "1", Priority: signal.MaxPriority}},
		{`{"type":"leave"}`, signal.Leave{}},
		{`{"type":"resume","token":"t"}`, signal.Resume{Token: "t"}},
		{`{"type":"stats","report":{"rtt":1}}`, signal.ClientStats{Report: []byte(`{"rtt":1}`)}},
		// What this version does not know is not wrong.
		{`{}`, signal.Unknown{}},
		{`{"type":null}`, signal.Unknown{}},
		{`{"kind":"dance"}`, signal.Unknown{Name: "dance"}},
		{`{"type":"offer","sdp":5}`, signal.Unknown{Name: "offer"}}, // version 1 offers are a kind, not a type
		{`{"kind":"answer","sdp":"v=0"}`, signal.Unknown{Name: "answer"}},
		{`{"type":"` + strings.Repeat("x", 100) + `"}`, signal.Unknown{Name: strings.Repeat("x", 64)}},
	} {
		got, err := signal.DecodeClient([]byte(tc.in))
		if err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("DecodeClient(%s) = %#v, %v, want %#v", tc.in, got, err, tc.want)
		}
	}
}

func TestDecodeClientWrongShape(t *testing.T) {
	for _, tc := range []struct{ in, frame, field string }{
		{``, "", ""},
		{`null`, "", ""},
		{`[]`, "", ""},
		{`{"kind":"offer","sdp":"v=0"} {}`, "", ""},
		{`{"kind":5}`, "", "kind"},
		{`{"type":[]}`, "", "type"},
		{`{"kind":"offer"}`, "offer", "sdp"},
		{`{"kind":"offer","SDP":"v=0"}`, "offer", "sdp"},
		{`{"kind":"offer","sdp":null}`, "offer", "sdp"},
		{`{"kind":"offer","sdp":""}`, "offer", "sdp"},
		{`{"kind":"offer","sdp":5}`, "offer", "sdp"},
		{`{"kind":"offer","sdp":"v=0","features":"slots"}`, "offer", "features"},
		{`{"kind":"ice"}`, "ice", "candidate"},
		{`{"kind":"ice","candidate":5}`, "ice", "candidate"},
		{`{"kind":"ice","candidate":{"candidate":5}}`, "ice", "candidate.candidate"},
		{`{"kind":"ice","candidate":{"candidate":"c","sdpMLineIndex":-1}}`, "ice", "candidate.sdpMLineIndex"},
		{`{"kind":"bwe-hint","from":"a","ts":1}`, "bwe-hint", "bps"},
		{`{"kind":"bwe-hint","from":"a","ts":1,"bps":-1}`, "bwe-hint", "bps"},
		{`{"kind":"bwe-hint","from":"a","ts":1.5,"bps":1}`, "bwe-hint", "ts"},
		{`{"type":"answer-renegotiate","sdp":"v=0","id":-1}`, "answer-renegotiate", "id"},
		{`{"type":"answer-renegotiate","mid":"1"}`, "answer-renegotiate", "sdp"},
		{`{"type":"set_layer"}`, "set_layer", "mid"},
		{`{"type":"set_layer","mid":"1","max_width":-1}`, "set_layer", "max_width"},
		{`{"type":"set_layer","mid":"1","priority":9}`, "set_layer", "priority"},
		{`{"type":"set_layer","mid":"1","priority":-9}`, "set_layer", "priority"},
		{`{"type":"set_layer","mid":"1","priority":0.5}`, "set_layer", "priority"},
		{`{"type":"set_layer","mid":"1","paused":"yes"}`, "set_layer", "paused"},
		{`{"type":"resume","token":""}`, "resume", "token"},
		{`{"type":"stats","report":"` + strings.Repeat("x", signal.MaxStatsReport) + `"}`, "stats", "report"},
	} {
		f, err := signal.DecodeClient([]byte(tc.in))
		var fe *signal.FrameError
		if !errors.As(err, &fe) {
			t.Errorf("DecodeClient(%.60s) = %#v, %v, want a *FrameError", tc.in, f, err)
			continue
		}
		if fe.Frame != tc.frame || fe.Field != tc.field {
			t.Errorf("DecodeClient(%.60s): error is about %q %q, want %q %q (%v)", tc.in, fe.Frame, fe.Field, tc.frame, tc.field, err)
		}
	}
}

func TestEncode(t *testing.T) {
	id := uint64(4)
	for _, tc := range []struct {
		in   signal.Frame
		want string
	}{
		{signal.Answer{SDP: "a<b>&\r\n"}, `{"kind":"answer","sdp":"a<b>&\r\n"}`},
		{signal.ICE{}, `{"kind":"ice","candidate":null}`},
		{signal.Leave{}, `{"type":"leave"}`},
		{signal.TracksMap{Tracks: []signal.PeerStream{}}, `{"type":"tracks_map","tracks":[]}`},
		{signal.Speaker{Top: []uint64{}}, `{"type":"speaker","peer_id":null,"confidence":0,"top":[]}`},
		{signal.Speaker{PeerID: &id, Confidence: 2.5, Top: []uint64{4, 9}}, `{"type":"speaker","peer_id":4,"confidence":2.5,"top":[4,9]}`},
		{signal.OfferRenegotiate{SDP: "v=0", MID: "3", ID: 2}, `{"type":"offer-renegotiate","sdp":"v=0","mid":"3","id":2}`},
	} {
		got, err := signal.Encode(tc.in)
		if err != nil || string(got) != tc.want {
			t.Errorf("Encode(%#v) = %s, %v, want %s", tc.in, got, err, tc.want)
		}
	}
	if b, err := signal.Encode(signal.ClientStats{Report: []byte("{")}); err == nil {
		t.Errorf("Encode of a broken report = %s, want an error", b)
	}
}

func FuzzDecodeClient(f *testing.F) {
	for _, s := range []string{
		`{"kind":"offer","sdp":"v=0","features":["slots"]}`, `{"kind":"ice","candidate":{"candidate":"c","sdpMLineIndex":1}}`,
		`{"kind":"ice","candidate":"c"}`, `{"kind":"ice","candidate":null}`, `{"kind":"bwe-hint","from":"a","ts":1,"bps":2}`,
		`{"type":"answer-renegotiate","sdp":"v=0","mid":"1","id":3}`, `{"type":"set_layer","mid":"1"}`, `{"type":"stats","report":[1]}`,
		`{"type":"resume","token":"t"}`, `{"type":"leave"}`, `{"kind":"offer","sdp":5}`, `{`, `[]`, `{"kind":null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 4096 {
			return
		}
		frame, err := signal.DecodeClient(in)
		if err != nil {
			var fe *signal.FrameError
			if !errors.As(err, &fe) || len(err.Error()) > 200 {
				t.Fatalf("DecodeClient(%q): error %v, want a short *FrameError", in, err)
			}
			return
		}
		if _, ok := frame.(signal.Unknown); ok {
			return
		}
		out, err := signal.Encode(frame)
		if err != nil {
			t.Fatalf("Encode(%#v): %v", frame, err)
		}
		again, err := signal.DecodeClient(out)
		if err != nil {
			t.Fatalf("DecodeClient(%s): %v, but %q was accepted", out, err, in)
		}
		if twice, err := signal.Encode(again); err != nil || string(twice) != string(out) {
			t.Fatalf("encodes to %s, then to %s (%v)", out, twice, err)
		}
	})
}
