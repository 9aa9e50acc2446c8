// Command temporal is the sandbox's Temporal server: one process with SQLite and the Web UI. It accepts the flags of the
// stock `temporal server start-dev`, so that the SDK's test suite can start it too. It is a separate module, which keeps the
// server's dependencies out of Framebridge's.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/headers"
	tlog "go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	clusterName  = "active"
	readyTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
)

// options are the flags of `server start-dev` that make sense here.
type options struct {
	ip, namespace, db, uiIP, logLevel, logFormat string
	port, uiPort                                 int
	headless                                     bool
	attributes                                   map[string]enums.IndexedValueType
	dynamic                                      map[string]any
}

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "temporal:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	for len(args) > 0 && (args[0] == "server" || args[0] == "start-dev") {
		args = args[1:]
	}
	o := options{attributes: map[string]enums.IndexedValueType{}, dynamic: map[string]any{}}
	for _, name := range []string{"FramebridgeTenant", "FramebridgeProject", "FramebridgeAsset", "FramebridgeStatus"} {
		o.attributes[name] = enums.INDEXED_VALUE_TYPE_KEYWORD
	}
	f := flag.NewFlagSet("temporal server start-dev", flag.ContinueOnError)
	f.StringVar(&o.ip, "ip", "127.0.0.1", "address of the frontend")
	f.IntVar(&o.port, "port", 7233, "gRPC port of the frontend")
	f.StringVar(&o.namespace, "namespace", "default", "namespace to make")
	f.StringVar(&o.db, "db-filename", "", "SQLite file; empty: memory")
	f.BoolVar(&o.headless, "headless", false, "without the Web UI")
	f.StringVar(&o.uiIP, "ui-ip", "127.0.0.1", "address of the Web UI")
	f.IntVar(&o.uiPort, "ui-port", 0, "port of the Web UI; 0: port + 1000")
	f.StringVar(&o.logLevel, "log-level", "error", "debug, info, warn, error or never")
	f.StringVar(&o.logFormat, "log-format", "text", "text, pretty or json")
	f.Func("search-attribute", "NAME=TYPE to register", func(v string) error {
		name, kind, ok := strings.Cut(v, "=")
		t, err := enums.IndexedValueTypeFromString(kind)
		if !ok || err != nil {
			return fmt.Errorf("%q is not NAME=TYPE", v)
		}
		o.attributes[name] = t
		return nil
	})
	f.Func("dynamic-config-value", "KEY=VALUE", func(v string) error {
		key, value, ok := strings.Cut(v, "=")
		if !ok {
			return fmt.Errorf("%q is not KEY=VALUE", v)
		}
		o.dynamic[key] = literal(value)
		return nil
	})
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.uiPort == 0 {
		o.uiPort = o.port + 1000
	}
	return o, nil
}

func literal(v string) any {
	if n, err := strconv.Atoi(v); err == nil {
		return n
	}
	if b, err := strconv.ParseBool(v); err == nil {
		return b
	}
	return strings.Trim(v, `"`)
}

// database prepares SQLite. It creates the schema but never migrates it, so a file must not outlive its server's version.
func database(o options) (*config.SQL, error) {
	sql := &config.SQL{PluginName: sqliteplugin.PluginName}
	if o.db == "" {
		sql.ConnectAttributes = map[string]string{"mode": "memory", "cache": "shared"}
		sql.DatabaseName = "framebridge-" + strconv.Itoa(os.Getpid())
	} else {
		sql.ConnectAttributes = map[string]string{"mode": "rwc", "journal_mode": "wal", "synchronous": "1", "busy_timeout": "10000"}
		sql.DatabaseName = o.db
		if _, err := os.Stat(o.db); errors.Is(err, fs.ErrNotExist) {
			if err := sqliteschema.SetupSchema(sql); err != nil {
				return nil, fmt.Errorf("schema of %s: %w", o.db, err)
			}
		}
	}
	ns, err := sqliteschema.NewNamespaceConfig(clusterName, o.namespace, false, o.attributes)
	if err != nil {
		return nil, err
	}
	if err := sqliteschema.CreateNamespaces(sql, ns); err != nil {
		return nil, fmt.Errorf("namespace %s: %w", o.namespace, err)
	}
	return sql, nil
}

// freePort returns a free port for a part of the server that is not in taken. It is far from the ports of outgoing
// connections, which anybody may take before it is used, and from those that the sandbox gave to its programs.
func freePort(ip string, taken ...int) (int, error) {
	var err error
	for range 100 {
		port := 10000 + rand.IntN(10000)
		if slices.Contains(taken, port) {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort(ip, strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}

func run(o options) error {
	begun := time.Now()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	sql, err := database(o)
	if err != nil {
		return err
	}
	srv, address, err := server(o, sql)
	if err != nil {
		return err
	}
	if err := srv.Start(); err != nil {
		return fmt.Errorf("starting the server (is port %d taken?): %w", o.port, err)
	}
	var ui *uiserver.Server
	if !o.headless {
		ui = uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
			Host: o.uiIP, Port: o.uiPort, TemporalGRPCAddress: address, EnableUI: true, HideLogs: true, CORS: uiconfig.CORS{CookieInsecure: true},
		}))
		go func() {
			if err := ui.Start(); err != nil {
				fmt.Fprintln(os.Stderr, "temporal: Web UI:", err)
			}
		}()
	}
	if err := awaitReady(address, o.namespace); err != nil {
		return err
	}
	fmt.Printf("Temporal is ready after %s: server %s, Web UI http://%s:%d\n", time.Since(begun).Round(time.Millisecond), address, o.uiIP, o.uiPort)
	<-stop
	done := make(chan error, 1)
	go func() {
		if ui != nil {
			ui.Stop()
		}
		done <- srv.Stop()
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(stopTimeout):
		return nil
	}
}

// awaitReady returns when the namespace answers, so that clients can connect.
func awaitReady(address, namespace string) error {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	c := workflowservice.NewWorkflowServiceClient(conn)
	for until := time.Now().Add(readyTimeout); ; time.Sleep(50 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(headers.SetVersions(context.Background()), 2*time.Second)
		_, err := c.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
		cancel()
		if err == nil {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("the server does not answer: %w", err)
		}
	}
}

func server(o options, sql *config.SQL) (temporal.Server, string, error) {
	var ports [4]int // HTTP, history, matching, worker
	for i := range ports {
		var err error
		if ports[i], err = freePort(o.ip, append(ports[:i:i], o.port, o.uiPort)...); err != nil {
			return nil, "", err
		}
	}
	address := net.JoinHostPort(o.ip, strconv.Itoa(o.port))
	conf := &config.Config{}
	conf.Global.Membership.MaxJoinDuration = readyTimeout
	conf.Global.Membership.BroadcastAddress = o.ip
	conf.Persistence = config.Persistence{
		DefaultStore: "sqlite", VisibilityStore: "sqlite", NumHistoryShards: 1,
		DataStores: map[string]config.DataStore{"sqlite": {SQL: sql}},
	}
	conf.ClusterMetadata = &cluster.Config{
		FailoverVersionIncrement: 10, MasterClusterName: clusterName, CurrentClusterName: clusterName,
		ClusterInformation: map[string]cluster.ClusterInformation{clusterName: {
			Enabled: true, InitialFailoverVersion: 1, ClusterID: "6c1d3a52-3f0e-4f1b-9a57-1f5a5c0c7b11",
			RPCAddress: address, HTTPAddress: net.JoinHostPort(o.ip, strconv.Itoa(ports[0])),
		}},
	}
	conf.DCRedirectionPolicy.Policy = "noop"
	service := func(port, http int) config.Service {
		var s config.Service
		s.RPC.GRPCPort, s.RPC.BindOnIP, s.RPC.HTTPPort = port, o.ip, http
		return s
	}
	conf.Services = map[string]config.Service{
		"frontend": service(o.port, ports[0]), "history": service(ports[1], 0), "matching": service(ports[2], 0), "worker": service(ports[3], 0),
	}
	conf.Archival.History.State, conf.Archival.Visibility.State = "disabled", "disabled"
	conf.NamespaceDefaults.Archival.History.State, conf.NamespaceDefaults.Archival.Visibility.State = "disabled", "disabled"
	conf.PublicClient.HostPort = address

	level, format := o.logLevel, "console"
	if level == "never" {
		level = "fatal"
	}
	if o.logFormat == "json" {
		format = "json"
	}
	logger := tlog.NewZapLogger(tlog.BuildZapLogger(tlog.Config{Level: level, Format: format}))
	auth, err := authorization.GetAuthorizerFromConfig(&conf.Global.Authorization)
	if err != nil {
		return nil, "", err
	}
	claims, err := authorization.GetClaimMapperFromConfig(&conf.Global.Authorization, logger)
	if err != nil {
		return nil, "", err
	}
	dynamic := dynamicconfig.StaticClient{
		dynamicconfig.HistoryCacheHostLevelMaxSize.Key():                 8096,
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 100,
		// With the default of 20 per second, a server with one shard waits 40 to 90 ms at every step.
		dynamicconfig.MakeKey("history.transferProcessorMaxPollRPS"): 1000,
		dynamicconfig.WorkflowTimeSkippingEnabled.Key():              true, // so that the sandbox can move a workflow's clock
	}
	for k, v := range o.dynamic {
		dynamic[dynamicconfig.MakeKey(k)] = v
	}
	at := func(port int) static.Hosts { return static.SingleLocalHost(net.JoinHostPort(o.ip, strconv.Itoa(port))) }
	srv, err := temporal.NewServer(
		temporal.WithConfig(conf), temporal.ForServices(temporal.DefaultServices), temporal.WithLogger(logger), temporal.WithAuthorizer(auth),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return claims }),
		temporal.WithDynamicConfigClient(dynamic),
		temporal.WithStaticHosts(map[primitives.ServiceName]static.Hosts{
			primitives.FrontendService: at(o.port), primitives.HistoryService: at(ports[1]),
			primitives.MatchingService: at(ports[2]), primitives.WorkerService: at(ports[3]),
		}),
	)
	return srv, address, err
}
