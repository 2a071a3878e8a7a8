package signal

//lint:file-ignore SA1019 the library is a decision, see docs/adr/0005-frozen-libraries.md

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"

	"nhooyr.io/websocket"
)

// Client is the client's end of a connection, for tests and load tools. The
// rules of Conn apply to it.
type Client struct{ s *socket }

// Dial connects to a ws: or wss: address. The caller must Close the Client.
func Dial(ctx context.Context, url string, opts Options) (*Client, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	var (
		mu    sync.Mutex
		under net.Conn
	)
	dialer := &net.Dialer{}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, addr)
			mu.Lock()
			defer mu.Unlock()
			under = c
			return c, err
		},
	}
	ws, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient:      &http.Client{Transport: transport},
		Subprotocols:    []string{Subprotocol},
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		transport.CloseIdleConnections()
		return nil, fmt.Errorf("dial websocket: %w", err)
	}
	mu.Lock()
	defer mu.Unlock()
	return &Client{newSocket(ws, under, opts)}, nil
}

// Read returns the next frame, with the rules of Conn.Read.
func (c *Client) Read(ctx context.Context) (ServerFrame, error) {
	b, err := c.s.read(ctx)
	if err != nil {
		return nil, err
	}
	return DecodeServer(b)
}

// Send queues a frame, with the rules of Conn.Send.
func (c *Client) Send(f ClientFrame) error {
	b, err := Encode(f)
	if err != nil {
		return err
	}
	return c.s.send(b)
}

// Close closes with the rules of Conn.Close.
func (c *Client) Close(code CloseCode, reason string) {
	c.s.begin(CloseStatus{Code: code, Reason: reason}, true)
	<-c.s.done
}

// Status says how the Client ended or is ending; its Code is 0 while it is open.
func (c *Client) Status() CloseStatus { return c.s.end() }
