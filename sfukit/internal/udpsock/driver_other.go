//go:build !linux

package udpsock

import (
	"fmt"
	"net"
)

// newDriver returns the driver for a socket of this system.
func newDriver(udp *net.UDPConn, c *Conn) (driver, error) { return newPlain(udp, c), nil }

// setBuffers asks for buffers of the given sizes in bytes, and for less where
// the system refuses (BSDs do so above their limit). It returns what was
// granted.
func setBuffers(udp *net.UDPConn, receive, send int) (gotReceive, gotSend int, err error) {
	if gotReceive, err = setBuffer(udp.SetReadBuffer, receive); err != nil {
		return 0, 0, err
	}
	gotSend, err = setBuffer(udp.SetWriteBuffer, send)
	return gotReceive, gotSend, err
}

func setBuffer(set func(int) error, size int) (int, error) {
	for {
		err := set(size)
		if err == nil {
			return size, nil
		}
		if size /= 2; size < 1<<10 {
			return 0, fmt.Errorf("set socket buffer: %w", err)
		}
	}
}
