package udpsock

// The limits of a batch.
const (
	BatchDatagrams = batchDatagrams
	BatchBytes     = batchBytes
)

// EndCork does the first half of Uncork: the cork has ended and what it held
// has not been sent yet.
func EndCork(c *Conn) {
	c.mu.Lock()
	c.corks--
	c.mu.Unlock()
}
