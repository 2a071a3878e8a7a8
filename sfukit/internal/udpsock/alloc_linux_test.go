package udpsock_test

import (
	"net/netip"
	"testing"
)

func TestNoAllocations(t *testing.T) {
	c, u := listen(t, "127.0.0.1:0"), peer(t)
	var to [20]netip.AddrPort
	for i := range to {
		to[i] = addrOf(peer(t))
	}
	p, b := make([]byte, 1100), make([]byte, 1500)
	for _, tc := range []struct {
		name string
		f    func() error
	}{
		{"write", func() error {
			_, err := c.WriteToAddrPort(p, to[0])
			return err
		}},
		{"corked burst", func() error {
			c.Cork()
			defer c.Uncork()
			for range 3 {
				for _, a := range to {
					if _, err := c.WriteToAddrPort(p, a); err != nil {
						return err
					}
				}
			}
			return nil
		}},
		{"read", func() error {
			if _, err := u.WriteToUDPAddrPort(p, addrOf(c)); err != nil {
				return err
			}
			_, _, err := c.ReadFromAddrPort(b)
			return err
		}},
		{"refused write", func() error {
			_, _ = c.WriteToAddrPort(p, netip.AddrPort{})
			return nil
		}},
	} {
		var err error
		if n := testing.AllocsPerRun(200, func() {
			if e := tc.f(); e != nil {
				err = e
			}
		}); n != 0 || err != nil {
			t.Errorf("%s: %v allocations, error %v, want 0, nil", tc.name, n, err)
		}
	}
}
