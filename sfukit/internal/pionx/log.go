package pionx

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"unicode"

	"github.com/pion/logging"
)

// loggers hands pion's log lines to slog. Pion reports at every level what a
// peer did wrong, which an operator cannot mend. All of it is logged at debug
// level, so that a hostile peer cannot fill a log.
type loggers struct {
	log *slog.Logger
	// notes is nil for what connections share.
	notes *notes
}

func (l loggers) NewLogger(scope string) logging.LeveledLogger {
	return &scoped{log: l.log, scope: scope, notes: l.notes}
}

// notes keeps what pion tells about one connection to its log and to nobody else.
type notes struct {
	first     atomic.Pointer[string] // why a transport did not start
	lastICE   atomic.Pointer[string]
	malformed func()
}

// warned takes a warning or an error. A connection itself tells of much that is
// as it should be, such as streams without readers. What ICE tells comes from
// anyone's datagrams and counts only where there is nothing else.
func (n *notes) warned(scope, msg string) {
	switch {
	case scope == "dtls", scope == "DTLSTransport", scope == "pc" && strings.HasPrefix(msg, "Failed to start"):
		n.first.CompareAndSwap(nil, &msg) // what follows comes of it
	case scope == "ice":
		n.lastICE.Store(&msg)
	}
}

// informed takes a line of lower rank. An SRTCP session drops what it cannot
// parse before anyone sees it, with the parser's error in such a line; a datagram
// that does not decrypt is reported likewise, in other words.
func (n *notes) informed(scope, msg string) {
	if scope == "srtp" && strings.HasPrefix(msg, "rtcp: ") {
		n.malformed()
	}
}

// maxNote bounds, in bytes, what a peer can bring into our log.
const maxNote = 200

func (n *notes) text() string {
	msg := n.first.Load()
	if msg == nil {
		msg = n.lastICE.Load()
	}
	if msg == nil {
		return ""
	}
	clean := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, (*msg)[:min(len(*msg), maxNote)])
	return strings.TrimSpace(clean)
}

type scoped struct {
	log   *slog.Logger
	scope string
	notes *notes
}

func (s *scoped) write(msg string) {
	s.log.Log(context.Background(), slog.LevelDebug, msg, "from", s.scope)
}

func (s *scoped) Trace(string)          {}
func (s *scoped) Tracef(string, ...any) {}
func (s *scoped) Debug(msg string)      { s.write(msg) }

func (s *scoped) Debugf(format string, args ...any) {
	if s.log.Enabled(context.Background(), slog.LevelDebug) {
		s.write(fmt.Sprintf(format, args...))
	}
}

func (s *scoped) Info(msg string) {
	if s.notes != nil {
		s.notes.informed(s.scope, msg)
	}
	s.write(msg)
}

func (s *scoped) Infof(format string, args ...any) { s.Debugf(format, args...) }

func (s *scoped) Warn(msg string) {
	if s.notes != nil {
		s.notes.warned(s.scope, msg)
	}
	s.write(msg)
}

func (s *scoped) Warnf(format string, args ...any) {
	if s.notes == nil {
		s.Debugf(format, args...)
		return
	}
	s.Warn(fmt.Sprintf(format, args...))
}

func (s *scoped) Error(msg string)                  { s.Warn(msg) }
func (s *scoped) Errorf(format string, args ...any) { s.Warnf(format, args...) }
