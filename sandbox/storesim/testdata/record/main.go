// Command record makes the vendors' own clients upload to the fakes of Google Cloud Storage and Backblaze B2, and records what
// they sent and which answers they accepted. The test of storesim replays that against the fakes, so that nobody has to
// compile these clients to run the tests:
//
//	go -C sandbox/storesim/testdata/record run . ..
//
// Run it when a fake's answers change on purpose. It fails if a client does not accept an answer.
package main

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // Backblaze's checksum
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"cloud.google.com/go/storage"
	"github.com/Backblaze/blazer/base"
	"google.golang.org/api/option"

	"github.com/framebridge/framebridge/sandbox/storesim"
	"github.com/framebridge/framebridge/sandbox/storesim/exchange"
	"github.com/framebridge/framebridge/test/sinktest"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: record FOLDER")
		os.Exit(2)
	}
	for name, record := range map[string]func(context.Context) ([]exchange.Exchange, error){"gcs": google, "b2": backblaze} {
		list, err := record(context.Background())
		if err == nil {
			err = write(filepath.Join(os.Args[1], name+".jsonl"), list)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "record: %s: %v\n", name, err)
			os.Exit(1)
		}
	}
}

func write(path string, list []exchange.Exchange) error {
	var b bytes.Buffer
	for _, e := range list {
		raw, err := json.Marshal(e)
		if err != nil {
			return err
		}
		b.Write(append(raw, '\n'))
	}
	return os.WriteFile(path, b.Bytes(), 0o644) //nolint:gosec // no secret
}

// recorder records what passes through it.
type recorder struct {
	base     string
	sizes    []int64 // of the files whose bytes are not recorded
	mu       sync.Mutex
	scenario string
	list     []exchange.Exchange
}

func (c *recorder) setScenario(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scenario = name
}

func (c *recorder) over(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(raw))
		e := exchange.Exchange{Method: r.Method, URL: r.URL.RequestURI(), Header: r.Header.Clone(), Body: exchange.Describe(raw, c.sizes, sinktest.File)}
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		e.Status, e.Answered, e.Answer = answer.Code, answer.Header().Clone(), answer.Body.String()
		c.mu.Lock()
		e.Scenario = c.scenario
		c.list = append(c.list, e.Relative(c.base))
		c.mu.Unlock()
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// google uploads with cloud.google.com/go/storage, in chunks, first undisturbed and then with requests refused.
func google(ctx context.Context) ([]exchange.Exchange, error) {
	file := sinktest.File(exchange.GoogleFile)
	c := &recorder{sizes: []int64{exchange.GoogleFile}}
	var g *storesim.GCS
	srv := httptest.NewServer(c.over(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.ForClient().ServeHTTP(w, r) })))
	defer srv.Close()
	c.base, g = srv.URL, storesim.NewGCS(srv.URL)
	if err := os.Setenv("STORAGE_EMULATOR_HOST", srv.URL); err != nil {
		return nil, err
	}
	client, err := storage.NewClient(ctx, option.WithoutAuthentication(), storage.WithJSONReads())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	for _, scenario := range []string{exchange.Plain, exchange.Refused} {
		c.setScenario(scenario)
		g.SetFault(exchange.Fault(scenario))
		w := client.Bucket("bucket").Object("file " + scenario + ".mov").Retryer(storage.WithPolicy(storage.RetryAlways)).NewWriter(ctx)
		w.ChunkSize = 256 << 10
		w.CRC32C, w.SendCRC32C = crc32.Checksum(file, crc32.MakeTable(crc32.Castagnoli)), true
		if _, err := w.Write(file); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		if got, _ := g.Object("bucket/file " + scenario + ".mov"); !bytes.Equal(file, got) || w.Attrs().Size != int64(len(file)) {
			return nil, errors.New("the file is not what was sent")
		}
	}
	return c.list, nil
}

// backblaze uploads with Backblaze's client: a whole file, and a large one with the digest at the end of each part.
func backblaze(ctx context.Context) ([]exchange.Exchange, error) {
	c := &recorder{sizes: []int64{exchange.BackblazeFile, exchange.SmallFile}, scenario: exchange.Plain}
	var b *storesim.B2
	srv := httptest.NewServer(c.over(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.ForClient().ServeHTTP(w, r) })))
	defer srv.Close()
	c.base, b = srv.URL, storesim.NewB2(srv.URL)
	account, err := base.AuthorizeAccount(ctx, "id", "key", base.SetAPIBase(srv.URL))
	if err != nil {
		return nil, err
	}
	bucket, err := account.CreateBucket(ctx, "bucket", "", nil, nil)
	if err != nil {
		return nil, err
	}
	small := sinktest.File(exchange.SmallFile)
	place, err := bucket.GetUploadURL(ctx)
	if err != nil {
		return nil, err
	}
	if _, err = place.UploadFile(ctx, bytes.NewReader(small), len(small), exchange.SmallName, "video/mp4", fmt.Sprintf("%x", sha1.Sum(small)), nil); err != nil { //nolint:gosec // the object stores name MD5 and SHA-1
		return nil, err
	}
	if got, _ := b.Object(exchange.SmallName); !bytes.Equal(small, got) {
		return nil, errors.New("the small file is not what was sent")
	}
	err = large(ctx, b, bucket)
	return c.list, err
}

func large(ctx context.Context, b *storesim.B2, bucket *base.Bucket) error {
	const each = 5_000_000
	file := sinktest.File(exchange.BackblazeFile)
	large, err := bucket.StartLargeFile(ctx, "large.mov", "video/mp4", nil)
	if err != nil {
		return err
	}
	part, err := large.GetUploadPartURL(ctx)
	if err != nil {
		return err
	}
	for i := 0; i*each < len(file); i++ {
		piece := file[i*each : min((i+1)*each, len(file))]
		sum := fmt.Sprintf("%x", sha1.Sum(piece)) //nolint:gosec // the object stores name MD5 and SHA-1
		if _, err := part.UploadPart(ctx, strings.NewReader(string(piece)+sum), "hex_digits_at_end", len(piece)+40, i+1); err != nil {
			return err
		}
	}
	if _, err = large.FinishLargeFile(ctx); err != nil {
		return err
	}
	if got, _ := b.Object("large.mov"); !bytes.Equal(file, got) {
		return errors.New("the large file is not what was sent")
	}
	if part, err = large.GetUploadPartURL(ctx); err != nil {
		return err
	}
	if _, err = part.UploadPart(ctx, strings.NewReader("late"), fmt.Sprintf("%x", sha1.Sum([]byte("late"))), 4, 9); err == nil { //nolint:gosec // the object stores name MD5 and SHA-1
		return errors.New("a part was taken after the end")
	}
	return nil
}
