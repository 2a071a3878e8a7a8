package sfukit

import "time"

// Pad sends n packets for a probe, each as if size bytes were wanted, and returns
// how many bytes they have.
func Pad(p *Peer, size, n int) (bytes int) {
	var b resendBuffer
	p.sub.mu.Lock()
	defer p.sub.mu.Unlock()
	for range n {
		if l := p.sub.paddingLineLocked(); l != nil {
			bytes += l.padLocked(time.Now(), size, &b)
		}
	}
	return bytes
}
