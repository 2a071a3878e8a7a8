package signal

//lint:file-ignore SA1019 the library is a decision, see docs/adr/0005-frozen-libraries.md

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"nhooyr.io/websocket"
)

var (
	// ErrClosed is returned by calls on a connection that is closing or closed.
	ErrClosed = errors.New("signal: connection closed")
	// ErrTooSlow is returned by the Send that finds the queue full; the connection
	// is then closing with CloseTooSlow.
	ErrTooSlow = errors.New("signal: send queue full")
)

// socket is what both ends of a connection have in common. It owns two
// goroutines, a writer and a pinger, which end before done is closed; reading
// happens on the caller's.
type socket struct {
	ws   *websocket.Conn
	net  net.Conn // under ws, for deadlines that ws does not offer
	opts Options
	wake chan struct{} // capacity 1: the queue is not empty
	stop chan struct{} // closed when closing begins
	done chan struct{} // closed when everything has ended

	rate bucket // owned by the reader

	mu     sync.Mutex
	queue  [][]byte    // guarded by mu
	queued int         // bytes in queue; guarded by mu
	status CloseStatus // guarded by mu; set once, when closing begins
}

func newSocket(ws *websocket.Conn, under net.Conn, opts Options) *socket {
	ws.SetReadLimit(-1) // read has its own, to close with our reason
	s := &socket{
		ws: ws, net: under, opts: opts,
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
		rate: newBucket(time.Now(), opts.MessageRate, opts.MessageBurst),
	}
	pinger := make(chan struct{})
	go func() { defer close(pinger); s.ping() }()
	go func() {
		defer close(s.done)
		s.write()
		<-pinger
	}()
	return s
}

// begin starts closing with the given status, unless closing has begun. It does
// not wait. Frames already queued still leave if flush is set.
func (s *socket) begin(status CloseStatus, flush bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status.Code != 0 {
		return
	}
	s.status = status
	if !flush {
		s.queue, s.queued = nil, 0
	}
	// From here every read and write on the connection is bounded, whoever is in it.
	_ = s.net.SetDeadline(time.Now().Add(s.opts.CloseTimeout))
	close(s.stop)
}

func (s *socket) broken(reason string) {
	s.begin(CloseStatus{Code: CloseAbnormal, Reason: reason}, false)
}

func (s *socket) end() CloseStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

func (s *socket) send(b []byte) error {
	s.mu.Lock()
	if s.status.Code != 0 {
		s.mu.Unlock()
		return ErrClosed
	}
	if len(s.queue) >= s.opts.QueueFrames || s.queued+len(b) > s.opts.QueueBytes {
		s.mu.Unlock()
		s.begin(CloseStatus{Code: CloseTooSlow, Reason: ReasonSlow}, false)
		return ErrTooSlow
	}
	s.queue = append(s.queue, b)
	s.queued += len(b)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

func (s *socket) next() ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil, false
	}
	b := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	s.queued -= len(b)
	return b, true
}

// write is the writer goroutine: it empties the queue until closing begins,
// then once more, and then closes the connection.
func (s *socket) write() {
	for open := true; open; {
		select {
		case <-s.wake:
		case <-s.stop:
			open = false
		}
		if !s.drain() {
			break
		}
	}
	if status := s.end(); status.Remote || status.Code == CloseAbnormal {
		_ = s.ws.CloseNow()
	} else {
		_ = s.ws.Close(websocket.StatusCode(status.Code), status.Reason)
	}
}

// drain writes what is queued and reports whether the connection still works.
func (s *socket) drain() bool {
	for {
		b, ok := s.next()
		if !ok {
			return true
		}
		ctx, cancel := context.WithTimeout(context.Background(), s.opts.WriteTimeout)
		err := s.ws.Write(ctx, websocket.MessageText, b)
		slow := ctx.Err() != nil
		cancel()
		if err == nil {
			s.opts.Stats.framesOut.Add(1)
			continue
		}
		if slow {
			s.begin(CloseStatus{Code: CloseTooSlow, Reason: ReasonSlow}, false)
			return false
		}
		// Perhaps because the other side closed: then the reader has its status.
		_ = s.ws.CloseNow()
		select {
		case <-s.stop:
		case <-time.After(s.opts.CloseTimeout):
			s.broken(reasonConnectionBroken)
		}
		return false
	}
}

// ping is the pinger goroutine. An unanswered ping breaks the connection.
func (s *socket) ping() {
	tick := time.NewTicker(s.opts.PingInterval)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), s.opts.IdleTimeout)
		err := s.ws.Ping(ctx)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			s.broken(reasonIdle)
		}
		if err != nil {
			return // the connection has ended, and the reader knows why
		}
	}
}

// read returns the next text message. Binary ones are skipped; both count
// against the rate. Any error means that the connection is closing.
func (s *socket) read(ctx context.Context) ([]byte, error) {
	for {
		kind, r, err := s.ws.Reader(ctx)
		var b []byte
		if err == nil {
			b, err = io.ReadAll(io.LimitReader(r, MaxFrame+1))
		}
		switch {
		case err != nil:
			s.readFailed(err)
			return nil, ErrClosed
		case len(b) > MaxFrame:
			s.begin(CloseStatus{Code: CloseTooLarge, Reason: ReasonTooLarge}, true)
			return nil, ErrClosed
		case !s.rate.take(time.Now()):
			s.begin(CloseStatus{Code: CloseTooSlow, Reason: ReasonTooManyMessages}, true)
			return nil, ErrClosed
		case kind == websocket.MessageText:
			s.opts.Stats.framesIn.Add(1)
			return b, nil
		}
		s.opts.Stats.binary.Add(1)
	}
}

// readFailed records why reading ended, if nothing else ended it before.
func (s *socket) readFailed(err error) {
	if ce, ok := errors.AsType[websocket.CloseError](err); ok {
		s.begin(CloseStatus{Code: CloseCode(ce.Code), Reason: ce.Reason, Remote: true}, false)
		return
	}
	s.broken(reasonConnectionBroken)
}
