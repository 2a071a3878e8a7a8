package udpsock

import "sync/atomic"

// Stats is a snapshot of a [Conn]'s counters, all since it was opened. The
// counters are read one by one, so sums may be off by what was in flight.
type Stats struct {
	// DatagramsIn and BytesIn count what was read, payload bytes only.
	DatagramsIn, BytesIn uint64
	// ReadBatches counts the system calls that read at least one datagram.
	ReadBatches uint64
	// ReadErrors counts errors of reading that were skipped.
	ReadErrors uint64
	// ReadTruncated counts datagrams that were too long for the receive
	// batch and were dropped.
	ReadTruncated uint64
	// ReceiveDrops counts datagrams that the system lost before they were
	// read, nearly always because the receive buffer was full. It is zero
	// where the system does not tell. Linux keeps 32 bits of it.
	ReceiveDrops uint64

	// DatagramsOut and BytesOut count what the system took, payload bytes only.
	DatagramsOut, BytesOut uint64
	// Flushes counts the times a collected batch was sent.
	Flushes uint64
	// Messages counts what the system took as one unit: a single datagram,
	// or a train that it cuts into datagrams.
	Messages uint64
	// Segments counts the datagrams that left in trains.
	Segments uint64
	// TrainsRefused counts trains that the system would not take. Their
	// datagrams were sent one by one.
	TrainsRefused uint64
	// Trains says whether the socket sends trains: the system knows how to
	// and has not shown that it cannot.
	Trains bool
	// Dropped counts, by reason, datagrams that were written and not sent.
	Dropped [NumDrops]uint64

	// ReceiveBuffer and SendBuffer are the sizes in bytes that the system
	// granted, zero for a wrapped connection.
	ReceiveBuffer, SendBuffer int
}

// counters are the live values behind Stats.
type counters struct {
	datagramsIn, bytesIn, readBatches, readErrors, readTruncated atomic.Uint64
	datagramsOut, bytesOut, flushes, messages, segments          atomic.Uint64

	dropped       [NumDrops]atomic.Uint64
	trainsRefused atomic.Uint64
	trains        atomic.Bool
}

// Stats returns the counters. It costs a system call and takes no lock.
func (c *Conn) Stats() Stats {
	s := &c.stats
	out := Stats{
		DatagramsIn:   s.datagramsIn.Load(),
		BytesIn:       s.bytesIn.Load(),
		ReadBatches:   s.readBatches.Load(),
		ReadErrors:    s.readErrors.Load(),
		ReadTruncated: s.readTruncated.Load(),
		DatagramsOut:  s.datagramsOut.Load(),
		BytesOut:      s.bytesOut.Load(),
		Flushes:       s.flushes.Load(),
		Messages:      s.messages.Load(),
		Segments:      s.segments.Load(),
		TrainsRefused: s.trainsRefused.Load(),
		Trains:        s.trains.Load(),
		ReceiveDrops:  c.drv.receiveDrops(),
		ReceiveBuffer: c.receiveBuffer,
		SendBuffer:    c.sendBuffer,
	}
	for d := range s.dropped {
		out.Dropped[d] = s.dropped[d].Load()
	}
	return out
}

func (s *counters) drop(d Drop, n int) { s.dropped[d].Add(uint64(n)) }

func (s *counters) sent(datagrams, bytes int) {
	s.datagramsOut.Add(uint64(datagrams))
	s.bytesOut.Add(uint64(bytes))
	s.messages.Add(1)
	if datagrams > 1 {
		s.segments.Add(uint64(datagrams))
	}
}
