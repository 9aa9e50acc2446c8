package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/framebridge/framebridge/"

// arrows are the rooms that each room of the house may import. A room ending with /... stands for all within it.
var arrows = map[string][]string{
	"version":                {},
	"config":                 {"english", "events", "redact"},
	"events":                 {},
	"redact":                 {},
	"routes":                 {"config"},
	"temporalclient":         {"config", "workflows"},
	"ledger":                 {"english", "events", "ledger/chain", "ledger/database", "ledger/members", "ledger/outbox", "ledger/sealed", "ledger/sessions", "ledger/texts", "ledger/tokens", "mapping"}, // its tests start test/postgres
	"ledger/chain":           {},
	"ledger/sessions":        {"ledger/database", "ledger/texts"},
	"ledger/tokens":          {"ledger/database", "ledger/lease", "ledger/sealed"},
	"ledger/database":        {},
	"ledger/lease":           {"ledger/database"},
	"ledger/members":         {},
	"ledger/outbox":          {"ledger/database", "ledger/sealed", "ledger/texts"},
	"ledger/people":          {"ledger", "ledger/texts"},
	"ledger/sealed":          {},
	"ledger/texts":           {"ledger/database"},
	"telemetry":              {"config", "redact", "version"},
	"mapping":                {},
	"placement":              {},
	"proof":                  {"mapping"},
	"transfer":               {"transfer/widemd5", "untrusted"},
	"transfer/widemd5":       {},
	"transfer/widemd5/gen":   {},
	"transfer/...":           {"transfer"},
	"transfer/oracle":        {}, // tests only
	"access":                 {},
	"custody":                {"english"},
	"custody/verify":         {"custody", "english", "ledger/chain", "report"},
	"readers":                {"access", "clients/frameio", "clients/iconik", "clients/rest", "config"},
	"english":                {},
	"export":                 {"mapping"},
	"report":                 {"access", "custody", "english", "export", "ledger", "mapping", "redact"},
	"workflows":              {"english"},
	"untrusted":              {},
	"clients/rest":           {"english", "redact", "untrusted"},
	"clients/mail":           {"config"},
	"clients/mail/mailtest":  {},
	"clients/hooks":          {"english", "redact", "untrusted"},
	"notify":                 {"english", "events", "ledger/outbox"},
	"clients/iconik":         {"clients/rest", "config"},
	"clients/frameio":        {"clients/rest", "mapping", "untrusted"}, // its frame rates
	"clients/frameio/legacy": {"clients/frameio", "clients/rest", "config", "english", "untrusted"},
	"clients/frameio/v4":     {"clients/frameio", "clients/rest", "config", "english", "mapping", "redact", "untrusted"},
	"clients/frameio/open":   {"clients/frameio", "clients/frameio/...", "clients/rest", "config"},
	"activities":             {"activities/...", "clients/hooks", "clients/rest", "config", "english", "events", "ledger", "ledger/outbox", "redact", "temporalclient", "transfer", "version", "workflows"},
	"activities/fault":       {"clients/rest", "redact", "workflows"},
	"activities/attempt":     {"activities/fault"},
	"activities/delivery":    {"activities/attempt", "activities/fault", "activities/tenant", "clients/hooks", "config", "events", "ledger", "notify", "workflows"},
	"activities/notice":      {"activities/tenant", "clients/iconik", "english", "events", "ledger", "report", "workflows"},
	"activities/isolate":     {"activities/attempt", "activities/fault", "clients/rest", "ledger", "workflows"},
	"activities/placing":     {"activities/comparing", "activities/isolate", "clients/iconik", "clients/rest", "ledger", "mapping", "placement", "proof"},
	"activities/verdict":     {"english", "ledger"},
	"activities/gone":        {"activities/acls", "activities/comparing", "activities/isolate", "activities/placing", "clients/frameio", "clients/iconik", "clients/rest", "ledger", "mapping"},
	"activities/tenant":      {"activities/fault", "clients/frameio", "clients/frameio/open", "clients/iconik", "clients/mail", "clients/rest", "config", "events", "ledger", "ledger/outbox", "mapping", "notify", "routes"},
	"activities/comparing":   {"activities/fault", "activities/isolate", "activities/tenant", "clients/iconik", "clients/rest", "ledger", "mapping", "proof", "transfer"},
	"activities/comments":    {"activities/acls", "activities/comparing", "activities/isolate", "activities/tenant", "clients/frameio", "clients/iconik", "clients/rest", "config", "english", "ledger", "mapping", "plan", "proof"},
	"activities/archive":     {"access", "activities/acls", "activities/attempt", "activities/bandwidth", "activities/comments", "activities/comparing", "activities/fault", "activities/gone", "activities/isolate", "activities/notice", "activities/placing", "activities/tenant", "activities/upload", "activities/verdict", "clients/frameio", "clients/iconik", "clients/rest", "config", "english", "events", "ledger", "mapping", "plan", "proof", "readers", "report", "routes", "transfer", "workflows"},
	"activities/acls":        {"access", "activities/attempt", "activities/fault", "activities/tenant", "clients/frameio", "clients/iconik", "clients/rest", "english", "ledger", "readers"},
	"activities/bandwidth":   {"ledger"},
	"activities/migration":   {"activities/attempt", "activities/fault", "activities/tenant", "activities/upload", "clients/frameio", "clients/iconik", "clients/rest", "config", "english", "events", "ledger", "mapping", "plan/account", "plan/schedule", "report", "routes", "transfer", "workflows"},
	"activities/upload":      {"activities/fault", "activities/tenant", "clients/iconik", "clients/rest", "config", "ledger", "mapping", "transfer", "transfer/..."},
	"activities/mirror":      {"activities/attempt", "activities/fault", "activities/tenant", "english", "events", "ledger", "plan/account", "workflows"},
	"activities/reclaim":     {"activities/acls", "activities/attempt", "activities/comparing", "activities/fault", "activities/tenant", "activities/upload", "clients/frameio", "clients/iconik", "clients/rest", "config", "custody", "english", "events", "ledger", "mapping", "plan", "proof", "readers", "report", "routes", "transfer", "workflows"},
	"activities/commentsync": {"activities/attempt", "activities/isolate", "activities/tenant", "clients/frameio", "clients/iconik", "clients/rest", "ledger", "mapping", "plan"},
	"activities/review":      {"activities/attempt", "activities/commentsync", "activities/fault", "activities/isolate", "activities/tenant", "clients/frameio", "clients/iconik", "clients/rest", "config", "english", "events", "ledger", "mapping", "report", "routes", "transfer", "transfer/...", "workflows"},
	"activities/upkeep":      {"activities/attempt", "activities/comparing", "activities/tenant", "clients/iconik", "clients/mail", "clients/rest", "english", "ledger", "ledger/people", "report", "transfer", "workflows"},
	"plan":                   {"access", "clients/frameio", "clients/rest", "config", "english", "ledger", "mapping", "workflows"},
	"plan/account":           {"clients/frameio", "clients/rest", "config", "english", "ledger", "plan", "plan/schedule", "redact", "workflows"},
	"plan/schedule":          {},
	"setup":                  {"clients/frameio", "clients/iconik", "clients/rest", "config", "english", "ledger", "mapping", "redact"},
	"doctor":                 {"clients/...", "config", "english", "ledger", "redact", "setup", "workflows"},
	"health":                 {"ledger", "temporalclient"},
	"worker":                 {"worker/process"},
	"worker/process":         {"activities", "config", "health", "ledger", "redact", "telemetry", "temporalclient", "transfer", "untrusted", "version", "workflows"},
	"starter":                {"clients/frameio", "clients/frameio/open", "clients/iconik", "clients/rest", "config", "custody", "custody/verify", "doctor", "english", "ledger", "ledger/people", "mapping", "plan/account", "plan/schedule", "redact", "report", "routes", "setup", "signin", "starter/...", "telemetry", "temporalclient", "untrusted", "version", "workflows"},
	"starter/api":            {"clients/frameio", "clients/iconik", "clients/rest", "config", "console", "custody", "doctor", "english", "events", "export", "health", "ledger", "mapping", "plan/account", "redact", "report", "routes", "setup", "signin", "starter/control", "temporalclient", "untrusted", "version", "workflows"},
	"starter/control":        {"clients/frameio", "clients/frameio/open", "clients/hooks", "clients/iconik", "clients/mail", "clients/rest", "config", "custody", "doctor", "english", "events", "export", "ledger", "ledger/people", "mapping", "notify", "plan", "plan/account", "readers", "redact", "report", "routes", "temporalclient", "version", "workflows"},
	"console":                {"config", "console/...", "custody", "doctor", "english", "export", "ledger", "mapping", "plan/account", "plan/schedule", "redact", "report", "signin", "temporalclient", "version", "workflows"},
	"console/page":           {"english", "redact", "report"},
	"console/live":           {},
	"signin":                 {"config", "ledger", "redact", "routes"},
	"sandbox":                {"clients/mail/mailtest", "english", "sandbox/..."},
	"sandbox/...":            {"clients/frameio", "clients/mail/mailtest", "english", "sandbox/..."},
	"test/contract":          {}, // tests only, except for what reads the vendors' documents
	"test/e2e":               {}, // tests only
	"test/postgres":          {},
	"test/chromium":          {}, // tests only
	"test/emptyledger":       {"ledger"},
	"test/sinktest":          {"sandbox/s3sim", "transfer"},
	"test/golden":            {}, // tests only
	"test/logtest":           {}, // tests only
	"test/temporaltest":      {}, // tests only
	"tools/check":            {"test/postgres"},
	"tools/record":           {},
	"tools/fuzz":             {},
	"tools/bench-transfer":   {"transfer", "transfer/..."},
	"tools/bench-archive":    {"sandbox/...", "test/postgres"},
}

// strangers are external packages that only these rooms may import.
var strangers = map[string][]string{
	"go.temporal.io/":              {"workflows", "activities", "worker/process", "starter", "starter/...", "doctor", "health", "temporalclient", "test/temporaltest", "tools/bench-archive"},
	"github.com/gin-gonic/":        {"starter/api"},
	"go.yaml.in/":                  {"config"},
	"github.com/spf13/viper":       {"config"},
	"github.com/fsnotify/":         {"config"},
	"go.opentelemetry.io/otel/sdk": {"telemetry"},
	"go.opentelemetry.io/contrib":  {"telemetry"},
	"github.com/coreos/":           {"signin"},
	"golang.org/x/oauth2":          {"signin"},
	"database/sql":                 {"ledger", "ledger/database", "ledger/sessions", "ledger/tokens"},
	"modernc.org/":                 {"ledger/database"},
	"github.com/jackc/":            {"ledger/database"},
	"github.com/stretchr/testify":  {}, // nothing that ships
}

func inRoom(room, pattern string) bool {
	if dir, ok := strings.CutSuffix(pattern, "/..."); ok {
		return strings.HasPrefix(room, dir+"/")
	}
	return room == pattern
}

func allowed(room string, by []string) bool {
	for _, p := range by {
		if inRoom(room, p) {
			return true
		}
	}
	return false
}

// ruleOf returns the room or pattern whose arrows apply to a room, or "".
func ruleOf(room string) string {
	if _, ok := arrows[room]; ok {
		return room
	}
	for p := range arrows {
		if inRoom(room, p) && strings.HasSuffix(p, "/...") {
			return p
		}
	}
	return ""
}

func rules(room string) ([]string, bool) {
	r, ok := arrows[ruleOf(room)]
	return r, ok
}

// TestArrowsRunOneWay checks the layout: the worker above workflows and activities, the starter above workflows, these above
// clients, transfer, mapping and ledger, and these above nothing but configuration.
func TestArrowsRunOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	require.NoError(t, err)
	dec := json.NewDecoder(strings.NewReader(string(out)))
	used := map[[2]string]bool{} // a room, and the pattern by which it imports
	seen := 0
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		seen++
		room := strings.TrimPrefix(p.ImportPath, module)
		may, known := rules(room)
		if !assert.True(t, known, "%s is a room that the house does not know: say in this test what it may import", room) {
			continue
		}
		for _, imported := range p.Imports {
			if other, ours := strings.CutPrefix(imported, module); ours {
				assert.True(t, allowed(other, may), "%s must not import %s", room, other)
				for _, pattern := range may {
					if inRoom(other, pattern) {
						used[[2]string{ruleOf(room), pattern}] = true
					}
				}
				continue
			}
			for stranger, by := range strangers {
				if strings.HasPrefix(imported, stranger) && !strings.HasPrefix(room, "sandbox/") && !strings.HasPrefix(room, "test/") {
					assert.True(t, allowed(room, by), "%s must not import %s", room, path.Clean(imported))
				}
			}
		}
	}
	assert.Greater(t, seen, 15)
	for room, may := range arrows {
		for _, pattern := range may {
			assert.True(t, used[[2]string{room, pattern}], "%s does not import %s: take the arrow out", room, pattern)
		}
	}
}
