//go:build linux && bottleneck

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// netns is a network namespace at the other end of a cable from this one: a pair
// of virtual Ethernet interfaces whose rate towards the namespace can be limited.
type netns struct {
	t      *testing.T
	pid    int    // a process inside
	dev    string // our end of the cable
	host   string // our address
	shaped bool
}

// newNetns makes a namespace that lasts as long as the test. A process that waits
// for the end of its input is all that holds it: however this process ends, the
// other one follows, and the kernel takes the namespace and both interfaces back.
func newNetns(t *testing.T) *netns {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("no network namespace: this test shapes a network of its own and must run as root, on Linux, with ip, tc, unshare and nsenter in PATH (Debian: iproute2, util-linux)")
	}
	n := &netns{t: t}
	n.hold()
	// 198.18.0.0/15 is set aside for measuring networks (RFC 2544 appendix C.2.2):
	// nothing else should be there. The process number keeps two tests apart.
	pair := os.Getpid() % (1 << 14)
	address := func(end int) string { return fmt.Sprintf("198.18.%d.%d", pair>>6, pair&63<<2|end) }
	n.host, n.dev = address(1), fmt.Sprintf("sfu%d", os.Getpid())
	command(t, "ip", "link", "add", n.dev, "type", "veth", "peer", "name", "uplink", "netns", strconv.Itoa(n.pid))
	command(t, "ip", "address", "add", n.host+"/30", "dev", n.dev)
	command(t, "ip", "link", "set", n.dev, "up")
	for _, line := range []string{"address add " + address(2) + "/30 dev uplink", "link set uplink up", "link set lo up"} {
		command(t, append(append(n.prefix(), "ip"), strings.Fields(line)...)...)
	}
	return n
}

// hold starts the process that the namespace lasts as long as.
func (n *netns) hold() {
	n.t.Helper()
	holder := exec.Command("unshare", "--net", "cat")
	in, err := holder.StdinPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		n.t.Fatalf("no network namespace: %v", err)
	}
	n.t.Cleanup(func() {
		_ = in.Close()
		if err := holder.Wait(); err != nil {
			n.t.Errorf("end of the network namespace: %v", err)
		}
	})
	// What cat repeats says that unshare is done and has become cat.
	fmt.Fprintln(in, "inside")
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "inside\n" {
		n.t.Fatalf("no network namespace: unshare said %q, %v", line, err)
	}
	n.pid = holder.Process.Pid
}

// prefix is the start of a command that runs inside.
func (n *netns) prefix() []string {
	return []string{"nsenter", "--net", "--target", strconv.Itoa(n.pid)}
}

// What the bottleneck is besides its rate. The burst is a few packets, as a shaper
// that lets more through at once shows its rate late; the latency is the time a
// packet may wait before the next is dropped.
const (
	shaperBurst   = 5000 // bytes
	shaperLatency = "200ms"
)

// shape limits what goes into the namespace by a token bucket (tc-tbf(8)).
func (n *netns) shape(rate units.Bitrate) {
	n.t.Helper()
	verb := "add"
	if n.shaped {
		verb = "change"
	}
	command(n.t, "tc", "qdisc", verb, "dev", n.dev, "root", "tbf", "rate", fmt.Sprintf("%dbit", int64(rate)),
		"burst", strconv.Itoa(shaperBurst), "latency", shaperLatency)
	n.shaped = true
}

func command(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
