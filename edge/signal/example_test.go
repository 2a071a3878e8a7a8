package signal_test

import (
	"fmt"
	"net/http"

	"github.com/anatolykoptev/oxpulse-sfu/edge/signal"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

func ExampleDecodeClient() {
	for _, text := range []string{
		`{"type":"set_layer","mid":"3","max_rid":"h"}`,
		`{"type":"set_layer","max_rid":"h"}`,
		`{"type":"from_the_future"}`,
	} {
		switch f, err := signal.DecodeClient([]byte(text)); f := f.(type) {
		case signal.SetLayer:
			fmt.Println("mid", f.MID, "at most", f.MaxRID)
		case signal.Unknown:
			fmt.Println("ignored:", f.Name)
		default:
			fmt.Println(err)
		}
	}
	// Output:
	// mid 3 at most h
	// signal: frame set_layer: mid: missing
	// ignored: from_the_future
}

func ExampleEncode() {
	b, err := signal.Encode(signal.PeerLeft{PeerID: 4, Reason: "closed"})
	fmt.Println(string(b), err)
	// Output: {"type":"peer_left","peer_id":4,"reason":"closed"} <nil>
}

// A whole signalling server is one handler.
func ExampleSession() {
	reg, err := sfukit.NewRegistry(sfukit.Config{SfuConfig: sfukit.SfuConfig{UDPPort: -1, BindAddress: "127.0.0.1"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer reg.Close()
	http.HandleFunc("GET /sfu/ws/{room}", func(w http.ResponseWriter, r *http.Request) {
		conn, err := signal.Accept(w, r, signal.Options{})
		if err != nil {
			return // the response has been written
		}
		session := signal.Session{
			Rooms: signal.RoomsOf(reg),
			Room:  sfukit.RoomID(r.PathValue("room")),
			Peer:  7, // who this is, as authentication says
		}
		session.Serve(r.Context(), conn)
	})
	// Output:
}
