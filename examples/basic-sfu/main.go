// Command basic-sfu is a video call in one process: a web page, its signalling
// and the media plane of package sfukit behind it. It asks nobody for a token:
// whoever opens the page is in. That suits a demo, not the open internet.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments. It returns the exit code:
// 0 after ctx ended or -h, 1 if the demo cannot run, 2 for a wrong flag.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cfg, err := parseFlags(args, stdout)
	if err == nil {
		err = serve(ctx, cfg, stdout, stderr)
	}
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage), errors.Is(err, sfukit.ErrConfig):
		fmt.Fprintf(stderr, "basic-sfu: %v\n", err)
		return 2
	default:
		fmt.Fprintf(stderr, "basic-sfu: %v\n", err)
		return 1
	}
}

// serve runs the demo until ctx ends or a listener fails.
func serve(ctx context.Context, cfg config, stdout, stderr io.Writer) error {
	listeners, err := listen(cfg)
	if err != nil {
		return err
	}
	d, err := newServer(cfg, slog.New(slog.NewTextHandler(stderr, nil)))
	if err != nil {
		for _, l := range listeners {
			_ = l.Close()
		}
		return advise(err, mediaFlag(err))
	}
	web := &http.Server{Handler: d, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, ErrorLog: silent()}
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- web.Serve(l) }()
	}
	fmt.Fprintf(stdout, "media on UDP %s\n", d.registry.UDPAddr())
	for _, url := range urls(cfg, listeners) {
		fmt.Fprintf(stdout, "open %s\n", url)
	}

	select {
	case <-ctx.Done():
		fmt.Fprintln(stdout, "stopping")
	case err = <-failed:
	}
	d.goAway()
	grace, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = web.Shutdown(grace) // what is still open after the grace ends with the process
	return errors.Join(err, d.Close())
}

// listen opens the web listeners: http, then https if wanted.
func listen(cfg config) ([]net.Listener, error) {
	plain, err := net.Listen("tcp", cfg.addr)
	if err != nil {
		return nil, advise(fmt.Errorf("cannot listen for http: %w", err), "-addr")
	}
	if !cfg.https {
		return []net.Listener{plain}, nil
	}
	secure, err := listenTLS(cfg.httpsAddr)
	if err != nil {
		_ = plain.Close()
		return nil, advise(fmt.Errorf("cannot listen for https: %w", err), "-https-addr")
	}
	return []net.Listener{plain, secure}, nil
}

// mediaFlag names the flag that moves the media socket which err is about.
func mediaFlag(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && strings.HasPrefix(op.Net, "tcp") {
		return "-tcp-port"
	}
	return "-udp-port"
}

// advise adds to an error of listening, such as a busy port, which flag helps.
// Other errors stay as they are.
func advise(err error, flag string) error {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "listen" {
		return fmt.Errorf("%w; choose another with %s", err, flag)
	}
	return err
}
