package stack

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"
)

const temporalRetention = 90 * 24 * time.Hour // of ended workflows, as in the administrator's manual

// OnPostgres is Temporal's own server program on PostgreSQL, with a database for the ledger next to its own.
type OnPostgres struct {
	Server    *Process
	Address   string
	LedgerDSN string
	Databases []string // Temporal's, its visibility's and the ledger's
}

// BuildForPostgres builds Temporal's server and its schema tool. The server lacks only the code that archives histories to
// clouds (sandbox/temporal/stub).
func BuildForPostgres(ctx context.Context, root string) error {
	out, err := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(root, "sandbox", "temporal"), "-o", BinDir(root)+string(filepath.Separator),
		"go.temporal.io/server/cmd/server", "go.temporal.io/server/cmd/tools/sql").CombinedOutput()
	if err != nil {
		return fmt.Errorf("building Temporal's server: %w\n%s", err, out)
	}
	return nil
}

// How deploy/compose.yaml configures Temporal's database. With Temporal's defaults, lib/pq and 4 shards, a busy server mostly waits for
// itself: each of the four shards writes one thing at a time, and whoever gives up on one costs a connection.
const (
	temporalPlugin = "postgres12_pgx"
	historyShards  = "128"
)

// StartOnPostgres starts the Temporal server in the folder bin on the PostgreSQL at dsn, as deploy/compose.yaml does, with its
// own databases.
func StartOnPostgres(ctx context.Context, bin, dsn, dir string) (*OnPostgres, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, err
	}
	password, _ := u.User.Password()
	suffix := strconv.FormatInt(time.Now().UnixNano(), 10)
	p := &OnPostgres{Databases: []string{"temporal_" + suffix, "visibility_" + suffix, "framebridge_" + suffix}}
	for i, name := range p.Databases {
		tool := []string{"--plugin", temporalPlugin, "--endpoint", u.Hostname(), "--port", u.Port(), "--user", u.User.Username(), "--password", password, "--database", name}
		steps := [][]string{{"create-database", "--defaultdb", strings.Trim(u.Path, "/")}, {"setup-schema", "-v", "0.0"}, {"update-schema", "--schema-name", "postgresql/v12/" + strings.Split(name, "_")[0]}}
		if i == 2 {
			steps = steps[:1]
		}
		for _, args := range steps {
			if out, err := exec.CommandContext(ctx, filepath.Join(bin, "sql"), append(slices.Clone(tool), args...)...).CombinedOutput(); err != nil {
				return nil, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
			}
		}
	}
	dynamic := filepath.Join(dir, "dynamic.yaml")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(dynamic, nil, 0o600); err != nil {
		return nil, err
	}
	env := []string{"DB=" + temporalPlugin, "NUM_HISTORY_SHARDS=" + historyShards, "POSTGRES_SEEDS=" + u.Hostname(), "DB_PORT=" + u.Port(), "POSTGRES_USER=" + u.User.Username(), "POSTGRES_PWD=" + password,
		"DBNAME=" + p.Databases[0], "VISIBILITY_DBNAME=" + p.Databases[1], "DYNAMIC_CONFIG_FILE_PATH=" + dynamic, "TEMPORAL_BROADCAST_ADDRESS=" + loopback, "LOG_LEVEL=error"}
	// PostgreSQL stores the server's ports as small integers, and FreePort's fit.
	for _, key := range []string{"FRONTEND_GRPC_PORT", "FRONTEND_HTTP_PORT", "FRONTEND_MEMBERSHIP_PORT", "MATCHING_GRPC_PORT", "MATCHING_MEMBERSHIP_PORT", "HISTORY_GRPC_PORT", "HISTORY_MEMBERSHIP_PORT", "WORKER_GRPC_PORT", "WORKER_MEMBERSHIP_PORT"} {
		port := strconv.Itoa(FreePort())
		env = append(env, key+"="+port)
		if key == "FRONTEND_GRPC_PORT" {
			p.Address = net.JoinHostPort(loopback, port)
		}
	}
	p.Server = NewProcess("temporal", filepath.Join(bin, "server"), dir, env, "--allow-no-auth", "start")
	if err := p.Server.Start(); err != nil {
		return nil, err
	}
	u.Path = "/" + p.Databases[2]
	p.LedgerDSN = u.String()
	if err := registerNamespace(ctx, p.Address); err != nil {
		defer p.Server.Stop()
		return nil, fmt.Errorf("Temporal's server: %w%s", err, p.Server.tail())
	}
	return p, nil
}

// registerNamespace does what an operator does once with `temporal operator namespace create`.
func registerNamespace(ctx context.Context, address string) error {
	try := func() error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		c, err := client.NewNamespaceClient(client.Options{HostPort: address})
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.Register(ctx, &workflowservice.RegisterNamespaceRequest{Namespace: client.DefaultNamespace, WorkflowExecutionRetentionPeriod: durationpb.New(temporalRetention)}); err != nil {
			return err
		}
		for {
			_, err := c.Describe(ctx, client.DefaultNamespace)
			if err == nil || ctx.Err() != nil {
				return err
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	until := time.Now().Add(readyTimeout)
	for {
		err := try()
		if err == nil || time.Now().After(until) || ctx.Err() != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}
