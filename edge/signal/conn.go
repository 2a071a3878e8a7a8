package signal

//lint:file-ignore SA1019 the library is a decision, see docs/adr/0005-frozen-libraries.md

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"

	"nhooyr.io/websocket"
)

// Conn is the server's end of a connection. Send, Close and Status may be
// called from any goroutine, Read from one at a time. Two goroutines of its own
// (one writes, one pings) end with it; reading is the caller's part, and pings
// are answered only while somebody reads.
type Conn struct{ s *socket }

// Accept upgrades a request. It selects Subprotocol if the client offered it
// and does not insist. On an error the response has been written. The caller
// must Close the Conn.
func Accept(w http.ResponseWriter, r *http.Request, opts Options) (*Conn, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return nil, err
	}
	tap := &hijackTap{ResponseWriter: w}
	ws, err := websocket.Accept(tap, r, &websocket.AcceptOptions{
		Subprotocols:    []string{Subprotocol},
		OriginPatterns:  opts.Origins,
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		opts.Stats.rejected.Add(1)
		return nil, fmt.Errorf("accept websocket: %w", err)
	}
	return &Conn{newSocket(ws, tap.conn, opts)}, nil
}

// hijackTap keeps the connection that Hijack hands out.
type hijackTap struct {
	http.ResponseWriter
	conn net.Conn
}

// Hijack implements http.Hijacker for any writer that can be unwrapped to one.
func (t *hijackTap) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(t.ResponseWriter).Hijack()
	t.conn = conn
	return conn, rw, err
}

// Read returns the next frame. A *FrameError is about one frame only and the
// next Read works; ErrClosed means that the connection is closing, and Status
// says why. Binary messages are skipped. When ctx ends during Read the
// connection breaks, so ctx is for giving up, not for polling.
func (c *Conn) Read(ctx context.Context) (ClientFrame, error) {
	b, err := c.s.read(ctx)
	if err != nil {
		return nil, err
	}
	return DecodeClient(b)
}

// Send queues a frame and never waits. It fails with ErrClosed, or with
// ErrTooSlow if the client does not read; then the Conn is closing.
func (c *Conn) Send(f ServerFrame) error {
	b, err := Encode(f)
	if err != nil {
		return err
	}
	return c.s.send(b)
}

// Close sends what is queued, closes with the given code and reason (at most
// 123 bytes) and waits until the Conn's goroutines have ended, at most about
// Options.CloseTimeout. If the Conn is closing already, it only waits.
func (c *Conn) Close(code CloseCode, reason string) {
	c.s.begin(CloseStatus{Code: code, Reason: reason}, true)
	<-c.s.done
}

// Status says how the Conn ended or is ending; its Code is 0 while it is open.
func (c *Conn) Status() CloseStatus { return c.s.end() }
