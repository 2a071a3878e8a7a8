package udpsock_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v4/vnet"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/udpsock"
)

// Two wrapped connections talk over a virtual network in virtual time: the
// package has no goroutine that would outlive the bubble and no wait that
// would stop its clock.
func TestWrapVirtualNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		router, err := vnet.NewRouter(&vnet.RouterConfig{
			CIDR: "10.0.0.0/24", MinDelay: 20 * time.Millisecond, LoggerFactory: logging.NewDefaultLoggerFactory(),
		})
		if err != nil {
			t.Fatal(err)
		}
		open := func(addr string) *udpsock.Conn {
			nw, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{addr}})
			if err != nil {
				t.Fatal(err)
			}
			if err := router.AddNet(nw); err != nil {
				t.Fatal(err)
			}
			pc, err := nw.ListenPacket("udp4", addr+":7878")
			if err != nil {
				t.Fatal(err)
			}
			return udpsock.Wrap(pc)
		}
		a, b := open("10.0.0.1"), open("10.0.0.2")
		if err := router.Start(); err != nil {
			t.Fatal(err)
		}

		start := time.Now()
		a.Cork()
		write(t, a, "one", addrOf(b))
		write(t, a, "two", addrOf(b))
		synctest.Wait()
		if got := a.Stats().DatagramsOut; got != 0 {
			t.Errorf("%d datagrams left under the cork, want 0", got)
		}
		a.Uncork()
		buf := make([]byte, 100)
		for _, want := range []string{"one", "two"} {
			n, from, err := b.ReadFromAddrPort(buf)
			if err != nil || string(buf[:n]) != want || from != addrOf(a) {
				t.Errorf("read %q from %v, %v, want %q from %v", buf[:n], from, err, want, addrOf(a))
			}
		}
		if took := time.Since(start); took < 20*time.Millisecond || took > 60*time.Millisecond {
			t.Errorf("took %v of virtual time, want about the 20ms of the router", took)
		}

		if err := b.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		var timeout net.Error
		if _, _, err := b.ReadFromAddrPort(buf); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("read without traffic = %v, want a timeout", err)
		}
		done := make(chan error)
		if err := b.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _, err := b.ReadFromAddrPort(buf)
			done <- err
		}()
		synctest.Wait()
		for _, c := range []*udpsock.Conn{a, b} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := <-done; err != net.ErrClosed {
			t.Errorf("read during Close = %v, want net.ErrClosed", err)
		}
		if err := router.Stop(); err != nil {
			t.Error(err)
		}
	})
}

// scripted is a net.PacketConn whose reads and writes return what it is told.
type scripted struct {
	net.PacketConn
	reads, writes []error
}

func (s *scripted) LocalAddr() net.Addr { return &net.UDPAddr{Port: 1} }

func (s *scripted) ReadFrom([]byte) (int, net.Addr, error) {
	err := s.reads[0]
	s.reads = s.reads[1:]
	if err != nil {
		return 0, nil, err
	}
	return 3, &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 2}, nil
}

func (s *scripted) WriteTo(p []byte, _ net.Addr) (int, error) {
	err := s.writes[0]
	s.writes = s.writes[1:]
	return len(p), err
}

func TestReadErrors(t *testing.T) {
	wrapped := func(err error) error { return &net.OpError{Op: "read", Err: os.NewSyscallError("recvfrom", err)} }
	for _, tc := range []struct {
		err  error
		skip bool
	}{
		{wrapped(syscall.ECONNREFUSED), true},
		{wrapped(syscall.EINTR), true},
		{wrapped(syscall.EMSGSIZE), true},
		{wrapped(syscall.ENETUNREACH), true},
		{wrapped(syscall.ENOMEM), true},
		{wrapped(syscall.EBADF), false},
		{io.EOF, false},
		{os.ErrDeadlineExceeded, false},
		{net.ErrClosed, false},
	} {
		c := udpsock.Wrap(&scripted{reads: []error{tc.err, nil}})
		n, from, err := c.ReadFromAddrPort(make([]byte, 10))
		if tc.skip {
			if want := netip.MustParseAddrPort("10.0.0.1:2"); n != 3 || from != want || err != nil {
				t.Errorf("read after %v = %d, %v, %v, want 3, %v, nil", tc.err, n, from, err, want)
			}
			if got := c.Stats().ReadErrors; got != 1 {
				t.Errorf("ReadErrors after %v = %d, want 1", tc.err, got)
			}
		} else if !errors.Is(err, tc.err) {
			t.Errorf("read = %v, want %v", err, tc.err)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want udpsock.Drop
	}{
		{syscall.EAGAIN, udpsock.DropFull},
		{syscall.ENOBUFS, udpsock.DropFull},
		{syscall.EHOSTUNREACH, udpsock.DropUnreachable},
		{syscall.ENETUNREACH, udpsock.DropUnreachable},
		{syscall.ECONNREFUSED, udpsock.DropUnreachable},
		{syscall.EMSGSIZE, udpsock.DropTooLarge},
		{syscall.EPERM, udpsock.DropDenied},
		{syscall.EINVAL, udpsock.DropAddress},
		{syscall.EIO, udpsock.DropOther},
		{io.ErrShortWrite, udpsock.DropOther},
		{net.ErrClosed, udpsock.DropClosed},
	} {
		c := udpsock.Wrap(&scripted{writes: []error{&net.OpError{Op: "write", Err: tc.err}, nil}})
		to := netip.MustParseAddrPort("10.0.0.1:2")
		write(t, c, "lost", to)
		write(t, c, "sent", to)
		if s := c.Stats(); s.Dropped[tc.want] != 1 || s.DatagramsOut != 1 {
			t.Errorf("after %v: dropped %v, sent %d, want 1 as %q and 1", tc.err, s.Dropped, s.DatagramsOut, tc.want)
		}
	}
}
