package main

import (
	"context"
	"embed"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/anatolykoptev/oxpulse-sfu/edge/signal"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

//go:embed web
var web embed.FS

// server is the demo without its listeners: the page, the signalling, and the
// registry behind it.
type server struct {
	http.Handler
	registry *sfukit.Registry
	rooms    signal.Rooms
	stats    signal.Stats
	log      *slog.Logger
	lastID   atomic.Uint64

	life     context.Context // ends when sessions are to end
	goAway   context.CancelFunc
	sessions sync.WaitGroup
}

// newServer opens the media sockets. The caller must Close the server, after it
// has stopped serving requests.
func newServer(cfg config, log *slog.Logger) (*server, error) {
	page, err := fs.Sub(web, "web")
	if err != nil {
		return nil, err
	}
	kit := cfg.kit()
	kit.Logger = log
	reg, err := sfukit.NewRegistry(kit)
	if err != nil {
		return nil, err
	}
	s := &server{registry: reg, rooms: signal.RoomsOf(reg), log: log}
	s.life, s.goAway = context.WithCancel(context.Background())

	mux := http.NewServeMux()
	mux.Handle("GET /", noCache(http.FileServerFS(page)))
	mux.HandleFunc("GET /sfu/ws/{room}", s.serveSession)
	mux.HandleFunc("GET /metrics", s.serveMetrics)
	mux.HandleFunc("GET /debug/rooms", s.serveRooms)
	mux.HandleFunc("GET /debug/explain", s.serveExplain)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	s.Handler = mux
	return s, nil
}

// Close tells every client that the server goes away, waits for their sessions
// and closes the media sockets.
func (s *server) Close() error {
	s.goAway()
	s.sessions.Wait()
	return s.registry.Close()
}

// serveSession is one client's stay in a room, from upgrade to end. The demo
// gives every connection a new id: there is nobody to recognise.
func (s *server) serveSession(w http.ResponseWriter, r *http.Request) {
	s.sessions.Add(1)
	defer s.sessions.Done()
	room := r.PathValue("room")
	if len(room) > 256 {
		http.Error(w, "the room's name is longer than 256 bytes", http.StatusBadRequest)
		return
	}
	conn, err := signal.Accept(w, r, signal.Options{Stats: &s.stats})
	if err != nil {
		s.log.Info("no websocket", "err", err)
		return
	}
	signal.Session{
		Rooms: s.rooms, Room: sfukit.RoomID(room), Peer: sfukit.PeerID(s.lastID.Add(1)), Logger: s.log,
	}.Serve(s.life, conn)
}

// serveRooms shows what the media plane is doing, for people.
func (s *server) serveRooms(w http.ResponseWriter, _ *http.Request) {
	s.serveJSON(w, s.registry.Stats())
}

// serveExplain says why one peer of a room gets what it gets, an entry for each
// track that it watches. The page shows it on its tiles.
func (s *server) serveExplain(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseUint(r.FormValue("peer"), 10, 64)
	if err != nil {
		http.Error(w, "peer is not a number", http.StatusBadRequest)
		return
	}
	if room, ok := s.registry.Room(sfukit.RoomID(r.FormValue("room"))); ok {
		if peer, ok := room.Peer(sfukit.PeerID(id)); ok {
			s.serveJSON(w, peer.Explain())
			return
		}
	}
	http.Error(w, "no such peer in the room", http.StatusNotFound)
}

func (s *server) serveJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		s.log.Error("answer not written", "err", err)
	}
}

// noCache keeps a browser from running yesterday's page against today's server.
func noCache(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		h.ServeHTTP(w, r)
	})
}
