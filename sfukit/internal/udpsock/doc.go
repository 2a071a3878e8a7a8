// Package udpsock is the one UDP socket that all peers of a server share:
// reads come in batches, and writes made under a cork leave together. What
// the datagrams hold is the business of the packages above it.
//
// On Linux a batch is one recvmmsg or one sendmmsg call, and runs of equally
// long datagrams to one destination leave as a single message that the kernel
// cuts up (UDP generic segmentation offload, the UDP_SEGMENT control message
// of udp(7)). Elsewhere, and over a virtual network, the same [Conn] reads and
// writes one datagram at a time. The package starts no goroutine.
package udpsock
