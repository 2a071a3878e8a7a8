package pionx

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// loggers hands pion's log lines to slog. Pion reports at every level what a
// peer did wrong, which an operator cannot mend, so all of it is
// logged at debug level, so that a hostile peer cannot fill a log.
type loggers struct{ log *slog.Logger }

func (l loggers) NewLogger(scope string) logging.LeveledLogger {
	return &scoped{log: l.log, scope: scope}
}

type scoped struct {
	log   *slog.Logger
	scope string
}

func (s *scoped) write(level slog.Level, msg string) {
	s.log.Log(context.Background(), level, msg, "from", s.scope)
}

func (s *scoped) writef(level slog.Level, format string, args []any) {
	if s.log.Enabled(context.Background(), level) {
		s.write(level, fmt.Sprintf(format, args...))
	}
}

func (s *scoped) Trace(string)                      {}
func (s *scoped) Tracef(string, ...any)             {}
func (s *scoped) Debug(msg string)                  { s.write(slog.LevelDebug, msg) }
func (s *scoped) Debugf(format string, args ...any) { s.writef(slog.LevelDebug, format, args) }
func (s *scoped) Info(msg string)                   { s.write(slog.LevelDebug, msg) }
func (s *scoped) Infof(format string, args ...any)  { s.writef(slog.LevelDebug, format, args) }
func (s *scoped) Warn(msg string)                   { s.write(slog.LevelDebug, msg) }
func (s *scoped) Warnf(format string, args ...any)  { s.writef(slog.LevelDebug, format, args) }
func (s *scoped) Error(msg string)                  { s.write(slog.LevelDebug, msg) }
func (s *scoped) Errorf(format string, args ...any) { s.writef(slog.LevelDebug, format, args) }
