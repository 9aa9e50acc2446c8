package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/version"
)

const (
	maxConnections   = 1024             // per listener; more wait until one is closed
	headerTimeLimit  = 5 * time.Second  // to send the headers
	requestTimeLimit = 15 * time.Second // to send the whole request
	idleTimeLimit    = time.Minute      // between two requests
	closingTimeLimit = 20 * time.Second // to answer the requests in progress at the end
	maxHeader        = 32 << 10

	registerPatience = 700 * time.Millisecond // so that a probe gets a response within a second, whatever Temporal does
)

// Serve serves until the context ends, and then finishes the requests in progress.
func (s *Server) Serve(ctx context.Context) error {
	s.stop = ctx
	public, internal := s.routes() //nolint:contextcheck // each request brings its own
	servers := []*listening{{key: "http.listen", address: s.Config().HTTP.Listen, handler: public}}
	if s.Config().HTTP.InternalListen != "" {
		servers = append(servers, &listening{key: "http.internal_listen", address: s.Config().HTTP.InternalListen, handler: internal})
	}
	for _, l := range servers {
		if err := l.open(ctx, s.Log); err != nil {
			return err
		}
		defer l.server.Close()
	}
	registered := make(chan struct{})
	go s.keepSearchAttributes(ctx, func() { close(registered) })
	select {
	case <-registered:
	case <-ctx.Done():
	case <-time.After(registerPatience): // Temporal is down: requests get a 503 for now
	}
	go s.Live.Watch(ctx, s.Log)
	go s.KeepUp(ctx)
	served := make(chan error, len(servers))
	for _, l := range servers {
		go func() { served <- l.server.Serve(l.listener) }()
	}
	s.Log.Info("starter is ready", "version", version.Get().String(), "listen", s.Config().HTTP.Listen, "internal_listen", s.Config().HTTP.InternalListen, "public_url", s.Config().HTTP.PublicURL)
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.Log.Info("starter is stopping: it answers the requests in progress, and a second signal ends it at once", "within", closingTimeLimit.String())
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closingTimeLimit)
	defer cancel()
	for _, l := range servers {
		if err := l.server.Shutdown(closing); err != nil {
			s.Log.Warn("some responses were cut off", "error", err)
		}
	}
	return nil
}

// keepSearchAttributes waits for Temporal, and makes workflows start with search attributes once they are registered.
func (s *Server) keepSearchAttributes(ctx context.Context, registered func()) {
	var once sync.Once
	if err := temporalclient.Await(ctx, s.Temporal, s.Config().Temporal, s.Log); err != nil {
		return
	}
	temporalclient.KeepSearchAttributes(ctx, s.Temporal, s.Config().Temporal.Namespace, s.Log, func(missing []string) {
		s.UseSearchAttributes(missing)
		once.Do(registered)
	})
}

// listening is one address to serve.
type listening struct {
	key, address string
	handler      http.Handler

	listener net.Listener
	server   *http.Server
}

func (l *listening) open(ctx context.Context, log *slog.Logger) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", l.address)
	if err != nil {
		return errors.New(l.key + ": " + err.Error())
	}
	l.listener = netutil.LimitListener(listener, maxConnections)
	l.server = &http.Server{
		Handler: readableByHead(l.handler), MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerTimeLimit, ReadTimeout: requestTimeLimit, WriteTimeout: writeTimeLimit, IdleTimeout: idleTimeLimit,
		BaseContext: func(net.Listener) context.Context { return ctx }, // ends dry runs, which may take minutes
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return nil
}
