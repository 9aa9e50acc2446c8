// Package oracle runs the sinks' suite against real stores in separate processes: MinIO (the program named by
// FRAMEBRIDGE_MINIO, or minio on the path) and azurite (azurite-blob, or FRAMEBRIDGE_AZURITE). If a store is not
// installed, its test says so and is skipped.
package oracle

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/test/sinktest"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/transfer/azure"
	"github.com/framebridge/framebridge/transfer/s3"
)

// start runs a store until the test ends and returns its address.
func start(t *testing.T, variable, program string, args func(host, port, dir string) []string, env ...string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		found, err := exec.LookPath(program)
		if err != nil {
			t.Skipf("NOT TESTED against the real store: %s is not installed (or name it with %s)", program, variable)
		}
		path = found
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	l.Close()
	host, port, _ := net.SplitHostPort(address)
	cmd := exec.Command(path, args(host, port, t.TempDir())...)
	cmd.Env = append(os.Environ(), env...)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	}, 30*time.Second, 50*time.Millisecond)
	return "http://" + address
}

func read(u string) func() []byte {
	return func() []byte {
		resp, err := http.Get(u)
		if err != nil {
			return nil
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusOK || err != nil {
			return nil
		}
		return b
	}
}

func TestMinIO(t *testing.T) {
	const bucket, part = "files", 5 << 20
	base := start(t, "FRAMEBRIDGE_MINIO", "minio", func(host, port, dir string) []string { return []string{"server", "--address", host + ":" + port, dir} },
		"MINIO_ROOT_USER=framebridge", "MINIO_ROOT_PASSWORD=secretsecret", "MINIO_UPDATE=off", "MINIO_BROWSER=off")
	sign := s3sim.Presigner{Endpoint: base, AccessKey: "framebridge", SecretKey: "secretsecret"}
	client := transfer.NewHTTPClient(nil, nil)
	require.Eventually(t, func() bool {
		answer, err := transfer.Send(t.Context(), client, http.MethodPut, sign.Presign(http.MethodPut, bucket, "", nil, nil, time.Hour), nil, nil, 0)
		return err == nil && answer.Status == http.StatusOK
	}, 30*time.Second, 200*time.Millisecond, "the bucket")
	var n atomic.Int64
	sinktest.Run(t, func(*testing.T) sinktest.Store {
		return sinktest.Store{Part: part, Single: true, Streams: true, Open: func(t *testing.T, size int64) sinktest.Upload {
			key := fmt.Sprintf("folder/file %d – ü.mov", n.Add(1))
			get := sign.Presign(http.MethodGet, bucket, key, nil, nil, time.Hour)
			d := s3.S3{Client: client, PartSize: part,
				UploadURL: func(context.Context, bool) (string, error) {
					return sign.Presign(http.MethodPut, bucket, key, nil, nil, time.Hour), nil
				},
				Stored: func(ctx context.Context) (int64, error) { return transfer.StoredSize(ctx, client, get) }}
			if size < 0 || size > part {
				id, err := s3.CreateMultipart(t.Context(), client, sign.Presign(http.MethodPost, bucket, key, url.Values{"uploads": {""}}, nil, time.Hour))
				require.NoError(t, err)
				upload := url.Values{"uploadId": {id}}
				d.UploadID = id
				d.PartURLs = func(_ context.Context, from, to, _ int) (map[int]string, error) {
					urls := map[int]string{}
					for i := from; i <= to; i++ {
						urls[i] = sign.Presign(http.MethodPut, bucket, key, url.Values{"uploadId": {id}, "partNumber": {strconv.Itoa(i)}}, nil, time.Hour)
					}
					return urls, nil
				}
				d.Multipart = func(context.Context) (s3.MultipartURLs, error) {
					return s3.MultipartURLs{Complete: sign.Presign(http.MethodPost, bucket, key, upload, nil, time.Hour),
						Abort:     sign.Presign(http.MethodDelete, bucket, key, upload, nil, time.Hour),
						ListParts: []string{sign.Presign(http.MethodGet, bucket, key, upload, nil, time.Hour)}}, nil
				}
			}
			return sinktest.Upload{Sink: func() transfer.Sink { return s3.New(d) }, Stored: read(get)}
		}}
	})
}

// azurite's well-known account.
const (
	azuriteAccount = "devstoreaccount1"
	azuriteKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// sas signs a blob's URL, or its container's if name is empty.
func sas(base, container, name string) string {
	const version = "2021-08-06"
	kind, resource := "c", "/blob/"+azuriteAccount+"/"+container
	path := "/" + azuriteAccount + "/" + container
	if name != "" {
		kind, resource, path = "b", resource+"/"+name, path+"/"+name
	}
	until := time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z")
	fields := []string{"racwd", "", until, resource, "", "", "", version, kind, "", "", "", "", "", "", ""}
	key, _ := base64.StdEncoding.DecodeString(azuriteKey)
	m := hmac.New(sha256.New, key)
	m.Write([]byte(strings.Join(fields, "\n")))
	q := url.Values{"sv": {version}, "sr": {kind}, "sp": {"racwd"}, "se": {until}, "sig": {base64.StdEncoding.EncodeToString(m.Sum(nil))}}
	return base + path + "?" + q.Encode()
}

// createContainer makes a container with the account's key.
func createContainer(t *testing.T, base, container string) {
	t.Helper()
	date := time.Now().UTC().Format(http.TimeFormat)
	canonical := fmt.Sprintf("PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:%s\nx-ms-version:2021-08-06\n/%s/%s/%s\nrestype:container", date, azuriteAccount, azuriteAccount, container)
	key, err := base64.StdEncoding.DecodeString(azuriteKey)
	require.NoError(t, err)
	m := hmac.New(sha256.New, key)
	m.Write([]byte(canonical))
	h := http.Header{"X-Ms-Date": {date}, "X-Ms-Version": {"2021-08-06"}, "Authorization": {"SharedKey " + azuriteAccount + ":" + base64.StdEncoding.EncodeToString(m.Sum(nil))}}
	answer, err := transfer.Send(t.Context(), http.DefaultClient, http.MethodPut, base+"/"+azuriteAccount+"/"+container+"?restype=container", h, nil, 0)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, answer.Status, "%s", answer.Body)
}

func TestAzurite(t *testing.T) {
	const container, part = "files", 1 << 20
	base := start(t, "FRAMEBRIDGE_AZURITE", "azurite-blob", func(host, port, dir string) []string {
		return []string{"--blobHost", host, "--blobPort", port, "--location", dir, "--silent", "--skipApiVersionCheck", "--disableTelemetry"}
	})
	createContainer(t, base, container)
	client := transfer.NewHTTPClient(nil, nil)
	var n atomic.Int64
	sinktest.Run(t, func(*testing.T) sinktest.Store {
		return sinktest.Store{Part: part, Single: true, Streams: true, Open: func(_ *testing.T, _ int64) sinktest.Upload {
			u := sas(base, container, fmt.Sprintf("file%d.mov", n.Add(1)))
			return sinktest.Upload{Stored: read(u), Sink: func() transfer.Sink {
				return azure.New(azure.Blob{Client: client, PartSize: part, ContentType: "video/mp4", URL: func(context.Context, bool) (string, error) { return u, nil },
					Stored: func(ctx context.Context) (int64, error) { return transfer.StoredSize(ctx, client, u) }})
			}}
		}}
	})
}
