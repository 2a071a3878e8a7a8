package pionx_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/pionx"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// answer lets the client answer an offer of ours.
func answer(t *testing.T, conn *pionx.Conn, pc *webrtc.PeerConnection, text string) {
	t.Helper()
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: text}); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	made, err := pc.CreateAnswer(nil)
	if err == nil {
		err = pc.SetLocalDescription(made)
	}
	if err == nil {
		err = conn.AcceptAnswer(made.SDP)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func addLine(t *testing.T, conn *pionx.Conn, f transport.Format) transport.Line {
	t.Helper()
	l, err := conn.AddLine(f, "stream", "track")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestFirstNew follows what Offer calls the first new mid: the first that the
// client has not answered for, however often it was offered.
func TestFirstNew(t *testing.T) {
	h := newListener()
	conn, pc := newConn(t, h), newClient(t, false)
	connect(t, conn, pc, same)
	h.await(t, transport.Connected)
	first := addLine(t, conn, vp8)
	var text string
	next := func(when, want string) {
		t.Helper()
		var mid string
		var err error
		if text, mid, err = conn.Offer(); err != nil || mid != want {
			t.Fatalf("%s: first new mid %q (%v), want %q", when, mid, err, want)
		}
		if again, mid := conn.PendingOffer(); again != text || mid != want {
			t.Fatalf("%s: the pending offer says %q, want %q and the same text", when, mid, want)
		}
	}
	next("first offer", first.MID())
	if err := conn.Abandon(); err != nil {
		t.Fatal(err)
	}
	next("after an abandoned one", first.MID())
	late := addLine(t, conn, vp8) // not in the offer that is answered now
	if first.Params() != nil {
		t.Error("a line without an answer has params")
	}
	answer(t, conn, pc, text)
	if first.Params() == nil || late.Params() != nil {
		t.Errorf("params %v and %v, want those of the first line only", first.Params(), late.Params())
	}
	next("with a second line", late.MID())
	answer(t, conn, pc, text)
	next("with nothing new", "")
}

// TestTakenMID joins a client that calls its sections what we call ours.
func TestTakenMID(t *testing.T) {
	h := newListener()
	conn, pc := newConn(t, h), newClient(t, true)
	for i, tr := range pc.GetTransceivers() {
		if err := tr.SetMid([]string{"s0", "s1"}[i]); err != nil {
			t.Fatal(err)
		}
	}
	connect(t, conn, pc, same)
	h.await(t, transport.Connected)
	for range 3 {
		mid := addLine(t, conn, vp8).MID()
		text, first, err := conn.Offer()
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(text, "a=mid:"+mid+"\r\n"); n != 1 || first != mid || strings.Count(text, "a=mid:s0\r\n") != 1 {
			t.Fatalf("%d sections are called %q, the first new one %q, want one of a name that was free, in\n%s", n, mid, first, text)
		}
		answer(t, conn, pc, text)
	}
}

// TestRefusedLine asks for what the client cannot decode; nothing of it may stay.
func TestRefusedLine(t *testing.T) {
	conn, pc := newConn(t, newListener()), newClient(t, false)
	connect(t, conn, pc, same)
	for range 3 {
		for _, f := range []transport.Format{
			{Codec: codec.VP9, FMTP: "profile-id=1"}, // of a kind it never offered, and unknown to us
			{Codec: codec.H264, FMTP: "packetization-mode=0;profile-level-id=42e01f"},
			{Codec: codec.Unknown},
		} {
			if l, err := conn.AddLine(f, "stream", "track"); !errors.Is(err, transport.ErrNoCodec) {
				t.Errorf("AddLine of %s %s: %v, %v, want ErrNoCodec", f.Codec, f.FMTP, l, err)
			}
		}
	}
	text, first, err := conn.Offer()
	if n := strings.Count(text, "\nm="); err != nil || n != 1 || first != "" {
		t.Errorf("an offer of %d sections, the first new %q (%v), want the client's one only", n, first, err)
	}
}

// TestWedged makes pion fail after it has taken the client's offer: it finds a
// label too long to send.
func TestWedged(t *testing.T) {
	conn := newConn(t, newListener(), transport.DataChannel{Label: strings.Repeat("x", 1<<16), ID: 1})
	if _, _, err := conn.AcceptOffer("v=0\r\n"); err == nil || errors.Is(err, transport.ErrWedged) {
		t.Errorf("AcceptOffer of nonsense: %v, want an error after which the next is taken", err)
	}
	plain := offer(t, newClient(t, true))
	if _, _, err := conn.AcceptOffer(plain); !errors.Is(err, transport.ErrWedged) {
		t.Errorf("AcceptOffer: %v, want ErrWedged", err)
	}
	if _, _, err := conn.AcceptOffer(plain); !errors.Is(err, transport.ErrWedged) {
		t.Errorf("AcceptOffer, afterwards: %v, want ErrWedged still", err)
	}
	conn.Close()
	if _, _, err := conn.Offer(); err == nil || errors.Is(err, transport.ErrWedged) {
		t.Errorf("Offer of a closed connection: %v, want an error that is not ErrWedged", err)
	}
}
