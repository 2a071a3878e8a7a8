package loop_test

import (
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/examples/internal/loop"
)

// What goes wrong in an Add method comes from Connect, and the Add methods after
// it do nothing.
func TestConnectReportsAdd(t *testing.T) {
	pair, err := loop.NewPair()
	if err != nil {
		t.Fatal(err)
	}
	defer pair.Close()
	if err := pair.Server.Close(); err != nil {
		t.Fatal(err)
	}
	pair.AddServerTrack(webrtc.MimeTypeOpus, "music")
	pair.AddVoices(2)
	pair.AddCamera()
	pair.AddServerTrack(webrtc.MimeTypeVP8, "film")
	if err := pair.Connect(); err == nil || !strings.HasPrefix(err.Error(), "add: ") {
		t.Errorf("Connect = %v, want the error of the first track", err)
	}
	if got := len(pair.Client.GetTransceivers()); got != 0 {
		t.Errorf("the client has %d transceivers, want 0", got)
	}
}
