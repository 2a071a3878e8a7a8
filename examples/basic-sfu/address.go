package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
)

// silent is a log for net/http, whose lines are mostly browsers that do not
// trust a self-signed certificate yet.
func silent() *log.Logger { return log.New(io.Discard, "", 0) }

// urls lists where the page can be opened, one for each address a listener has.
// Pages over plain http from another machine get no camera, so for those only
// https is listed.
func urls(cfg config, listeners []net.Listener) []string {
	var out []string
	for i, l := range listeners {
		scheme := "http"
		if i > 0 {
			scheme = "https"
		}
		at := l.Addr().(*net.TCPAddr).AddrPort()
		hosts := []string{at.Addr().Unmap().String()}
		if at.Addr().IsUnspecified() {
			hosts = []string{"localhost"}
			if scheme == "https" || !cfg.https {
				hosts = append(hosts, interfaceAddresses()...)
			}
		}
		for _, host := range hosts {
			out = append(out, fmt.Sprintf("%s://%s/", scheme, net.JoinHostPort(host, fmt.Sprint(at.Port()))))
		}
	}
	return out
}

// interfaceAddresses lists the addresses other machines may reach this one by.
func interfaceAddresses() []string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []string
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if ip := prefix.Addr(); err == nil && ip.IsGlobalUnicast() {
			out = append(out, ip.String())
		}
	}
	return out
}
