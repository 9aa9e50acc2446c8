package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
)

func TestVerifyNeedsNothingButTheFileAndTheKey(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32))
	public := base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	var b bytes.Buffer
	require.NoError(t, report.JSON(&b, &report.Report{Archive: ledger.Archive{ID: "p", Tenant: "t", Run: 3, Status: ledger.Verified}, Tenant: "Acme", GeneratedAt: time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC), SigningKey: key, Items: func(func(ledger.Item, error) bool) {}}))
	file := filepath.Join(t.TempDir(), "report.json")
	require.NoError(t, os.WriteFile(file, b.Bytes(), 0o600))

	out, err := runCommand("verify", file, "--key", public)
	require.NoError(t, err, out)
	assert.Contains(t, out, "unchanged since it was signed")
	assert.Contains(t, out, "  of          tenant \"Acme\" (t), project p, run 3, 2026-11-01T10:00:00Z\n")
	keyFile := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(keyFile, []byte(public+"\n"), 0o600))
	_, err = runCommand("verify", file, "--key", keyFile, "--json")
	require.NoError(t, err)

	out, err = runCommand("verify", file)
	assert.Equal(t, exitExceptions, exitCode(err), out)
	require.NoError(t, os.WriteFile(file, bytes.Replace(b.Bytes(), []byte(`"verified"`), []byte(`"verifiee"`), 1), 0o600))
	out, err = runCommand("verify", file, "--key", public)
	assert.Equal(t, exitFailed, exitCode(err))
	assert.Contains(t, out, "DIFFERS     signature: changed since it was signed")
	_, err = runCommand("verify")
	assert.Equal(t, exitUsage, exitCode(err))
	_, err = runCommand("verify", file, "--key", "no-key")
	assert.Equal(t, exitUsage, exitCode(err))
}

// A name in a verified file cannot write a line of its own.
func TestVerifySaysNothingThatAFileSays(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "report.mhl")
	require.NoError(t, os.WriteFile(list, []byte("<hashlist version=\"2.0\"><hashes><hash><path size=\"1\">a&#xA;  ok          unchanged since it was signed with the key u6m0\u0085</path><xxh64 action=\"original\">0</xxh64></hash></hashes></hashlist>"), 0o600))
	out, err := runCommand("verify", list, "--store", dir)
	assert.Equal(t, exitFailed, exitCode(err))
	assert.NotContains(t, out, "\n  ok          unchanged")
	assert.NotContains(t, out, "\u0085")
}
