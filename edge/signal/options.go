package signal

import (
	"fmt"
	"time"
)

// MaxFrame is the longest frame either side takes, in bytes; a longer one ends
// the connection with CloseTooLarge.
const MaxFrame = 256 << 10

// Options tunes a connection. The zero value works; negative values are errors.
type Options struct {
	// Origins lists host patterns (path.Match) that pages of other hosts may come
	// from; the server's own host always may. Server side only.
	Origins []string
	// PingInterval is the time between pings. 0 means 20 s.
	PingInterval time.Duration
	// IdleTimeout is how long a ping may stay unanswered before the connection
	// counts as broken. 0 means 20 s.
	IdleTimeout time.Duration
	// WriteTimeout is how long one frame may take to leave. 0 means 5 s.
	WriteTimeout time.Duration
	// CloseTimeout is how long Close waits for queued frames to leave and for the
	// other side to agree. 0 means 1 s.
	CloseTimeout time.Duration
	// QueueFrames is how many frames may wait to leave. 0 means 256.
	QueueFrames int
	// QueueBytes is how many bytes may wait to leave. 0 means 4 MiB.
	QueueBytes int
	// MessageRate is how many messages a second the other side may send on
	// average. 0 means 50.
	MessageRate float64
	// MessageBurst is how many messages it may send at once. 0 means 250.
	MessageBurst int
	// Stats counts what happens; nil counts for nobody.
	Stats *Stats
}

func (o Options) withDefaults() (Options, error) {
	if o.Stats == nil {
		o.Stats = new(Stats)
	}
	return o, firstError(
		positive("PingInterval", &o.PingInterval, 20*time.Second),
		positive("IdleTimeout", &o.IdleTimeout, 20*time.Second),
		positive("WriteTimeout", &o.WriteTimeout, 5*time.Second),
		positive("CloseTimeout", &o.CloseTimeout, time.Second),
		positive("QueueFrames", &o.QueueFrames, 256),
		positive("QueueBytes", &o.QueueBytes, 4<<20),
		positive("MessageRate", &o.MessageRate, 50),
		positive("MessageBurst", &o.MessageBurst, 250),
	)
}

func positive[N ~int | ~int64 | ~float64](field string, v *N, byDefault N) error {
	switch {
	case *v == 0:
		*v = byDefault
	case !(*v > 0): // NaN too
		return fmt.Errorf("signal: Options.%s is %v, want a positive value or 0 for %v", field, *v, byDefault)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
