package signal_test

//lint:file-ignore SA1019 the library is a decision, see docs/adr/0005-frozen-libraries.md

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"nhooyr.io/websocket"

	"github.com/anatolykoptev/oxpulse-sfu/edge/signal"
)

// serve starts a server that hands every accepted connection to handle, and
// returns its ws: address. It ends when the test and all handlers have.
func serve(t *testing.T, opts signal.Options, handle func(*signal.Conn)) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := signal.Accept(w, r, opts)
		if err != nil {
			return
		}
		defer c.Close(signal.CloseNormal, signal.ReasonSessionEnded)
		handle(c)
	}))
	t.Cleanup(srv.Close)
	return "ws" + strings.TrimPrefix(srv.URL, "http")
}

// raw dials without this package, to be able to misbehave.
func raw(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.Dial(testContext(t), url, &websocket.DialOptions{Subprotocols: []string{"other", signal.Subprotocol}})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	ws.SetReadLimit(-1)
	t.Cleanup(func() { _ = ws.CloseNow() })
	return ws
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// closedWith reads until the connection ends and checks how.
func closedWith(t *testing.T, ws *websocket.Conn, code signal.CloseCode, reason string) {
	t.Helper()
	for {
		_, _, err := ws.Read(testContext(t))
		if err == nil {
			continue
		}
		var ce websocket.CloseError
		if !errors.As(err, &ce) || signal.CloseCode(ce.Code) != code || ce.Reason != reason {
			t.Fatalf("connection ended with %v, want close %d %q", err, code, reason)
		}
		return
	}
}

// readAll reads until the connection ends and sends how.
func readAll(ended chan<- signal.CloseStatus) func(*signal.Conn) {
	return func(c *signal.Conn) {
		for {
			_, err := c.Read(context.Background())
			if errors.Is(err, signal.ErrClosed) {
				ended <- c.Status()
				return
			}
		}
	}
}

func TestConnTalks(t *testing.T) {
	got := make(chan signal.ClientFrame, 1)
	url := serve(t, signal.Options{}, func(c *signal.Conn) {
		f, err := c.Read(context.Background())
		if err != nil {
			t.Errorf("Read: %v", err)
		}
		got <- f
		if err := c.Send(signal.Answer{SDP: "hello"}); err != nil {
			t.Errorf("Send: %v", err)
		}
	})
	c, err := signal.Dial(testContext(t), url, signal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(signal.CloseNormal, "")
	if err := c.Send(signal.Offer{SDP: "v=0"}); err != nil {
		t.Fatal(err)
	}
	if f, ok := (<-got).(signal.Offer); !ok || f.SDP != "v=0" {
		t.Errorf("server got %#v, want the offer", f)
	}
	if f, err := c.Read(testContext(t)); err != nil || f != (signal.Answer{SDP: "hello"}) {
		t.Errorf("client got %#v, %v, want the answer", f, err)
	}
	if _, err := c.Read(testContext(t)); !errors.Is(err, signal.ErrClosed) {
		t.Errorf("Read after the end: %v, want ErrClosed", err)
	}
	want := signal.CloseStatus{Code: signal.CloseNormal, Reason: signal.ReasonSessionEnded, Remote: true}
	if got := c.Status(); got != want {
		t.Errorf("Status = %+v, want %+v", got, want)
	}
	if err := c.Send(signal.Leave{}); !errors.Is(err, signal.ErrClosed) {
		t.Errorf("Send after the end: %v, want ErrClosed", err)
	}
}

func TestConnSelectsSubprotocol(t *testing.T) {
	ended := make(chan signal.CloseStatus, 1)
	ws := raw(t, serve(t, signal.Options{}, readAll(ended)))
	if got := ws.Subprotocol(); got != signal.Subprotocol {
		t.Errorf("subprotocol %q, want %q", got, signal.Subprotocol)
	}
}

func TestConnRefusesForeignPages(t *testing.T) {
	stats := new(signal.Stats)
	url := serve(t, signal.Options{Origins: []string{"ok.example"}, Stats: stats}, readAll(make(chan signal.CloseStatus, 1)))
	for origin, want := range map[string]int{"https://ok.example": 101, "https://evil.example": 403} {
		ws, resp, err := websocket.Dial(testContext(t), url, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		if err == nil {
			_ = ws.CloseNow()
		}
		if resp == nil || resp.StatusCode != want {
			t.Errorf("origin %s: %v %v, want status %d", origin, resp, err, want)
		}
	}
	if got := stats.Snapshot().Rejected; got != 1 {
		t.Errorf("rejected %d, want 1", got)
	}
}

func TestConnTooLarge(t *testing.T) {
	ended := make(chan signal.CloseStatus, 1)
	ws := raw(t, serve(t, signal.Options{}, readAll(ended)))
	// The server may stop reading in the middle, so writing may fail.
	go func() { _ = ws.Write(testContext(t), websocket.MessageText, make([]byte, 1<<20)) }()
	closedWith(t, ws, signal.CloseTooLarge, signal.ReasonTooLarge)
	if got := <-ended; got.Code != signal.CloseTooLarge {
		t.Errorf("server side ended with %v", got)
	}
}

func TestConnTakesLargest(t *testing.T) {
	url := serve(t, signal.Options{}, func(c *signal.Conn) {
		f, err := c.Read(context.Background())
		if _, ok := f.(signal.Offer); !ok || err != nil {
			t.Errorf("Read: %T, %v, want an Offer", f, err)
		}
	})
	ws := raw(t, url)
	frame := `{"kind":"offer","sdp":"` + strings.Repeat("x", signal.MaxFrame-25) + `"}`
	if err := ws.Write(testContext(t), websocket.MessageText, []byte(frame)); err != nil || len(frame) != signal.MaxFrame {
		t.Fatalf("write of %d bytes: %v", len(frame), err)
	}
	closedWith(t, ws, signal.CloseNormal, signal.ReasonSessionEnded)
}

func TestConnIgnoresBinary(t *testing.T) {
	stats := new(signal.Stats)
	url := serve(t, signal.Options{Stats: stats}, func(c *signal.Conn) {
		if f, err := c.Read(context.Background()); err != nil || f != (signal.Leave{}) {
			t.Errorf("Read: %#v, %v, want Leave", f, err)
		}
	})
	ws := raw(t, url)
	_ = ws.Write(testContext(t), websocket.MessageBinary, []byte(`{"type":"stats"}`))
	_ = ws.Write(testContext(t), websocket.MessageText, []byte(`{"type":"leave"}`))
	closedWith(t, ws, signal.CloseNormal, signal.ReasonSessionEnded)
	if got := stats.Snapshot(); got.Binary != 1 || got.FramesIn != 1 {
		t.Errorf("binary %d, frames %d, want 1 and 1", got.Binary, got.FramesIn)
	}
}

func TestConnSurvivesWrongShape(t *testing.T) {
	url := serve(t, signal.Options{}, func(c *signal.Conn) {
		var fe *signal.FrameError
		if _, err := c.Read(context.Background()); !errors.As(err, &fe) {
			t.Errorf("Read: %v, want a *FrameError", err)
		}
		if f, err := c.Read(context.Background()); err != nil || f != (signal.Leave{}) {
			t.Errorf("next Read: %#v, %v, want Leave", f, err)
		}
	})
	ws := raw(t, url)
	_ = ws.Write(testContext(t), websocket.MessageText, []byte(`{"kind":"offer"}`))
	_ = ws.Write(testContext(t), websocket.MessageText, []byte(`{"type":"leave"}`))
	closedWith(t, ws, signal.CloseNormal, signal.ReasonSessionEnded)
}

func TestConnMessageRate(t *testing.T) {
	ended := make(chan signal.CloseStatus, 1)
	ws := raw(t, serve(t, signal.Options{MessageRate: 0.001, MessageBurst: 5}, readAll(ended)))
	for range 6 {
		if err := ws.Write(testContext(t), websocket.MessageText, []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
	}
	closedWith(t, ws, signal.CloseTooSlow, signal.ReasonTooManyMessages)
	if got := <-ended; got.Code != signal.CloseTooSlow {
		t.Errorf("server side ended with %v", got)
	}
}

// A client that stops reading is told so as soon as it reads again; the sender
// never waits.
func TestConnSlowReader(t *testing.T) {
	full := make(chan struct{})
	url := serve(t, signal.Options{QueueFrames: 4, CloseTimeout: 5 * time.Second}, func(c *signal.Conn) {
		big := signal.Answer{SDP: strings.Repeat("x", 200<<10)}
		for {
			start := time.Now()
			err := c.Send(big)
			if took := time.Since(start); took > time.Second {
				t.Errorf("Send took %s", took)
			}
			if errors.Is(err, signal.ErrTooSlow) {
				break
			}
			if err != nil {
				t.Errorf("Send: %v, want ErrTooSlow", err)
				break
			}
		}
		if err := c.Send(big); !errors.Is(err, signal.ErrClosed) {
			t.Errorf("Send after ErrTooSlow: %v, want ErrClosed", err)
		}
		close(full)
	})
	ws := raw(t, url)
	<-full
	closedWith(t, ws, signal.CloseTooSlow, signal.ReasonSlow)
}

// A client that never reads again costs the server no longer than CloseTimeout.
func TestConnDeadReader(t *testing.T) {
	took := make(chan time.Duration)
	url := serve(t, signal.Options{QueueFrames: 4, CloseTimeout: 50 * time.Millisecond}, func(c *signal.Conn) {
		for c.Send(signal.Answer{SDP: strings.Repeat("x", 200<<10)}) == nil {
		}
		start := time.Now()
		c.Close(signal.CloseNormal, "")
		took <- time.Since(start)
	})
	_ = raw(t, url)
	if d := <-took; d > 2*time.Second {
		t.Errorf("Close took %s", d)
	}
}

func TestConnIdle(t *testing.T) {
	ended := make(chan signal.CloseStatus, 1)
	opts := signal.Options{PingInterval: 10 * time.Millisecond, IdleTimeout: 50 * time.Millisecond}
	_ = raw(t, serve(t, opts, readAll(ended))) // does not read, so does not answer pings
	select {
	case got := <-ended:
		if got.Code != signal.CloseAbnormal {
			t.Errorf("ended with %v, want 1006", got)
		}
	case <-time.After(5 * time.Second):
		t.Error("a client without a sign of life is still there")
	}
}

// A silent client that answers pings outlives IdleTimeout.
func TestConnPingsKeepAlive(t *testing.T) {
	ended := make(chan signal.CloseStatus, 1)
	opts := signal.Options{PingInterval: 5 * time.Millisecond, IdleTimeout: 200 * time.Millisecond}
	ws := raw(t, serve(t, opts, readAll(ended)))
	go func() { _, _, _ = ws.Read(testContext(t)) }() // answers pings
	select {
	case got := <-ended:
		t.Fatalf("ended with %v", got)
	case <-time.After(500 * time.Millisecond):
	}
	_ = ws.Close(websocket.StatusGoingAway, "")
	if got := <-ended; got.Code != signal.CloseGoingAway || !got.Remote {
		t.Errorf("ended with %+v, want 1001 by the client", got)
	}
}

func TestConnBroken(t *testing.T) {
	ended := make(chan signal.CloseStatus, 1)
	ws := raw(t, serve(t, signal.Options{}, readAll(ended)))
	_ = ws.CloseNow()
	if got := <-ended; got.Code != signal.CloseAbnormal || got.Remote {
		t.Errorf("ended with %+v, want 1006", got)
	}
}

func TestConnCloseTwice(t *testing.T) {
	stopped := make(chan struct{})
	url := serve(t, signal.Options{}, func(c *signal.Conn) {
		defer close(stopped)
		go c.Close(signal.CloseReplaced, signal.ReasonReplaced)
		for c.Status().Code == 0 {
			_ = c.Send(signal.PeerJoined{PeerID: 1})
			runtime.Gosched()
		}
		c.Close(signal.CloseNormal, "")
		c.Close(signal.CloseNormal, "")
		if got := c.Status(); got.Code != signal.CloseReplaced {
			t.Errorf("Status %v, want the first code", got)
		}
	})
	closedWith(t, raw(t, url), signal.CloseReplaced, signal.ReasonReplaced)
	<-stopped
}

func TestOptionsRefused(t *testing.T) {
	for field, opts := range map[string]signal.Options{
		"PingInterval": {PingInterval: -1}, "QueueFrames": {QueueFrames: -1}, "MessageRate": {MessageRate: -1},
	} {
		_, err := signal.Dial(testContext(t), "ws://127.0.0.1:1", opts)
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("Dial with a negative %s: %v, want an error that names it", field, err)
		}
	}
	// A wrong option at a server is an error to the client, not a hang.
	rec := httptest.NewRecorder()
	if _, err := signal.Accept(rec, httptest.NewRequest("GET", "/", nil), signal.Options{QueueBytes: -1}); err == nil || rec.Code != 500 {
		t.Errorf("Accept: %v, status %d, want an error and 500", err, rec.Code)
	}
	if _, err := signal.Accept(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), signal.Options{}); err == nil {
		t.Error("Accept of a plain request: no error")
	}
}
